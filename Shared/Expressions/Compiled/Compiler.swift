import JSON

/// Chooses specialised code for the shapes of expression that records see; the rest is left to the general evaluator, node by
/// node.
struct Compiler: Sendable {
    let program: Program

    static func compile(_ program: Program) -> CompiledCode {
        Compiler(program: program).compileRoot()
    }

    /// Specialised code exists only where it is better than walking the tree: where the root itself has some.
    private func compileRoot() -> CompiledCode {
        let root = program.root
        switch program.type(of: root) {
        case .bool: return specialBool(root).map { .bool($0) } ?? .general
        case .int: return specialInt(root).map { .int($0) } ?? .general
        case .double: return specialDouble(root).map { .double($0) } ?? .general
        case .decimal: return specialDecimal(root).map { .decimal($0) } ?? .general
        case .string: return specialText(root).map { .text($0) } ?? .general
        case .timestamp: return specialInstant(root).map { .instant($0) } ?? .general
        case .duration: return specialDuration(root).map { .duration($0) } ?? .general
        default: return .general
        }
    }

    // MARK: Operands: specialised, or general ones made typed

    func bool(_ node: Node) -> Code<Bool> {
        if let code = specialBool(node) { return code }
        return { context throws(Unusual) in
            guard case .bool(let value) = try Self.general(node, context) else { throw Unusual() }
            return value
        }
    }

    func int(_ node: Node) -> Code<Int64> {
        if let code = specialInt(node) { return code }
        return { context throws(Unusual) in
            guard case .int(let value) = try Self.general(node, context) else { throw Unusual() }
            return value
        }
    }

    func double(_ node: Node) -> Code<Double> {
        if let code = specialDouble(node) { return code }
        return { context throws(Unusual) in
            guard case .double(let value) = try Self.general(node, context).plain else { throw Unusual() }
            return value
        }
    }

    func decimal(_ node: Node) -> Code<Decimal> {
        if let code = specialDecimal(node) { return code }
        return { context throws(Unusual) in
            guard case .decimal(let value) = try Self.general(node, context) else { throw Unusual() }
            return value
        }
    }

    func text(_ node: Node) -> Code<TextSlice> {
        if let code = specialText(node) { return code }
        return { context throws(Unusual) in
            guard case .string(let value) = try Self.general(node, context) else { throw Unusual() }
            return context.arena.copy(value.utf8)
        }
    }

    func instant(_ node: Node) -> Code<Instant> {
        if let code = specialInstant(node) { return code }
        return { context throws(Unusual) in
            guard case .timestamp(let value) = try Self.general(node, context) else { throw Unusual() }
            return value
        }
    }

    func duration(_ node: Node) -> Code<Int64> {
        if let code = specialDuration(node) { return code }
        return { context throws(Unusual) in
            guard case .duration(let value) = try Self.general(node, context) else { throw Unusual() }
            return value
        }
    }

    private static func general(_ node: Node, _ context: EvaluationContext) throws(Unusual) -> Value {
        do { return try node.value(in: context) } catch { throw Unusual() }
    }

    // MARK: Shapes

    func type(_ node: Node) -> ValueType { program.type(of: node) }

    /// The function's name and the operands of a call.
    func call(_ node: Node) -> (name: String, arguments: [Node])? {
        if case .call(let function, let arguments) = node.operation { return (function.name, arguments) }
        return nil
    }

    /// A condition and two branches.
    func conditional<T>(
        _ node: Node, _ branch: (Node) -> Code<T>
    ) -> Code<T>? {
        guard case .conditional(let condition, let accepted, let refused) = node.operation else { return nil }
        let (test, yes, no) = (bool(condition), branch(accepted), branch(refused))
        return { context throws(Unusual) in try test(context) ? try yes(context) : try no(context) }
    }
}

/// Where compiled code finds a field of the record.
struct FieldPlace: Sendable {
    /// Its place in the layout.
    let index: Int
    /// The names of members that lead from the top-level field to the value.
    let path: [PinnedText]
    let isTopLevel: Bool

    init(_ field: Node.RecordField) {
        index = field.place
        path = field.path.map { PinnedText(Array($0.utf8)) }
        isTopLevel = path.isEmpty
    }
}

extension EvaluationContext {
    /// A field of the record; not for use where it is missing.
    @inline(__always)
    func present(_ field: FieldPlace) throws(Unusual) -> JSONValue {
        guard let value = find(field) else { throw Unusual() }
        return value
    }

    @inline(__always)
    func find(_ field: FieldPlace) -> JSONValue? {
        field.isTopLevel ? json(field.index) : follow(field)
    }

    @inline(never)
    private func follow(_ field: FieldPlace) -> JSONValue? {
        var value = json(field.index)
        for name in field.path {
            // The member of anything but an object is nil.
            value = value?.member(utf8: name.slice.bytes)
        }
        return value
    }

    /// The bytes of a string field as they stand in the record.
    @inline(__always)
    func textField(_ field: FieldPlace) throws(Unusual) -> TextSlice {
        guard let utf8 = try present(field).string?.utf8, let base = utf8.baseAddress else { throw Unusual() }
        // What a record has without escapes needs none when it is written.
        return TextSlice(base, utf8.count, isPlain: true)
    }

    /// The same of a top-level field.
    @inline(__always)
    func textField(_ index: Int) throws(Unusual) -> TextSlice {
        guard let utf8 = json(index)?.string?.utf8, let base = utf8.baseAddress else { throw Unusual() }
        return TextSlice(base, utf8.count, isPlain: true)
    }
}
