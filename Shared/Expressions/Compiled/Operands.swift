import JSON

/// A string that code reads: in place where it is a top-level field, a constant or a variable, otherwise by a call. (A call costs as
/// much as what most of them do.)
struct TextOperand: @unchecked Sendable {
    private enum Source: UInt8 {
        case field
        case variable
        case constant
        case code
    }

    private let source: Source
    private let index: Int
    private let constant: TextSlice
    private let code: Code<TextSlice>
    /// Keeps the constant's bytes alive. Never written: that is why threads may share them.
    private let pinned: PinnedText

    init(_ node: Node, in compiler: Compiler) {
        var (source, index, bytes) = (Source.code, 0, [UInt8]())
        switch node.operation {
        case .constant(.string(let value)): (source, bytes) = (.constant, value.utf8)
        case .field(let field) where (field.type == .string || field.type == .dyn) && field.path.isEmpty:
            (source, index) = (.field, field.place)
        case .variable(let slot, _): (source, index) = (.variable, slot)
        default: break
        }
        self.source = source
        self.index = index
        pinned = PinnedText(bytes)
        constant = pinned.slice
        if source == .code {
            code = compiler.text(node)
        } else {
            code = { _ throws(Unusual) -> TextSlice in throw Unusual() }
        }
    }

    init(code: @escaping Code<TextSlice>) {
        source = .code
        index = 0
        pinned = PinnedText([])
        constant = pinned.slice
        self.code = code
    }

    init(constant bytes: [UInt8]) {
        source = .constant
        index = 0
        pinned = PinnedText(bytes)
        constant = pinned.slice
        code = { _ throws(Unusual) -> TextSlice in throw Unusual() }
    }

    var asCode: Code<TextSlice> {
        if source == .code { return code }
        return { context throws(Unusual) in try self.read(context) }
    }

    @inline(__always)
    func read(_ context: EvaluationContext) throws(Unusual) -> TextSlice {
        switch source {
        case .field: return try context.textField(index)
        case .constant: return constant
        case .variable:
            guard let slice = context.variables[index].text else { throw Unusual() }
            return slice
        case .code: return try code(context)
        }
    }
}

/// A decimal that code reads: the same of a top-level field that is read as a decimal whatever it is, and of a constant.
struct DecimalOperand: Sendable {
    private enum Source: UInt8 {
        case field
        case constant
        case code
    }

    private let source: Source
    private let index: Int
    private let constant: Decimal
    private let code: Code<Decimal>

    init(_ node: Node, in compiler: Compiler) {
        let (place, constant) = (compiler.decimalPlace(node), compiler.constantDecimal(node))
        source = place != nil ? .field : constant != nil ? .constant : .code
        index = place ?? 0
        self.constant = constant ?? .zero
        if source == .code {
            code = compiler.decimalOperand(node)
        } else {
            code = { _ throws(Unusual) -> Decimal in throw Unusual() }
        }
    }

    @inline(__always)
    func read(_ context: EvaluationContext) throws(Unusual) -> Decimal {
        switch source {
        case .field: return try context.decimal(index)
        case .constant: return constant
        case .code: return try code(context)
        }
    }
}

/// A timestamp that code reads: the present time, that of a top-level field's text, or by a call.
struct InstantOperand: Sendable {
    private enum Source: UInt8 {
        case now
        case field
        case code
    }

    private let source: Source
    private let index: Int
    private let code: Code<Instant>

    init(_ node: Node, in compiler: Compiler) {
        var (source, index) = (Source.code, 0)
        if let (name, arguments) = compiler.call(node), name == "now", arguments.isEmpty { source = .now }
        if let place = Self.place(node, in: compiler) { (source, index) = (.field, place) }
        self.source = source
        self.index = index
        if source == .code {
            code = compiler.instant(node)
        } else {
            code = { _ throws(Unusual) -> Instant in throw Unusual() }
        }
    }

    /// The place of a top-level field whose text is the time, by its type or by `timestamp(…)`.
    private static func place(_ node: Node, in compiler: Compiler) -> Int? {
        if case .field(let field) = node.operation, field.type == .timestamp, field.path.isEmpty { return field.place }
        guard let (name, arguments) = compiler.call(node), name == "timestamp", arguments.count == 1,
            case .field(let field) = arguments[0].operation, field.path.isEmpty,
            field.type == .string || field.type == .dyn
        else { return nil }
        return field.place
    }

    @inline(__always)
    func read(_ context: EvaluationContext) throws(Unusual) -> Instant {
        switch source {
        case .now: return context.currentInstant()
        case .field:
            let text = try context.textField(index)
            guard let instant = Instant(rfc3339: text.bytes, day: &context.day), FunctionLibrary.isInRange(instant)
            else {
                throw Unusual()
            }
            return instant
        case .code: return try code(context)
        }
    }
}
