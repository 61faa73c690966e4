import JSON

/// Strings, as slices of the record, of constants, or of the arena.
extension Compiler {
    func specialText(_ node: Node) -> Code<TextSlice>? {
        switch node.operation {
        case .constant(.string(let value)):
            let pinned = PinnedText(value.utf8)
            return { _ in pinned.slice }
        case .field(let field) where field.type == .string || field.type == .dyn:
            let place = FieldPlace(field)
            if place.isTopLevel {
                let index = place.index
                return { context throws(Unusual) in try context.textField(index) }
            }
            return { context throws(Unusual) in try context.textField(place) }
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard let slice = context.variables[slot].text else { throw Unusual() }
                return slice
            }
        case .conditional(let condition, let accepted, let refused):
            if let code = DecimalLimits.choice(node, in: self) { return code }
            // Not by the generic function: it would wrap the branches, at a call each.
            let test = bool(condition)
            let (yes, no) = (TextOperand(accepted, in: self), TextOperand(refused, in: self))
            return { context throws(Unusual) in try test(context) ? try yes.read(context) : try no.read(context) }
        case .call(let function, let arguments): return textCall(node, function.name, arguments)
        default: return nil
        }
    }

    private func textCall(_ node: Node, _ name: String, _ arguments: [Node]) -> Code<TextSlice>? {
        switch (name, arguments.count) {
        case ("lowerAscii", 1):
            let operand = TextOperand(arguments[0], in: self)
            return { context throws(Unusual) in
                try operand.read(context).changingCase(of: UInt8(ascii: "A"), in: context.arena)
            }
        case ("upperAscii", 1):
            let operand = TextOperand(arguments[0], in: self)
            return { context throws(Unusual) in
                try operand.read(context).changingCase(of: UInt8(ascii: "a"), in: context.arena)
            }
        case ("_+_", 2): return concatenation(node)
        case ("string", 1): return conversion(arguments[0])
        case ("padStart", 3): return padding(arguments)
        case ("orValue", 2): return textOrOther(arguments[0], arguments[1])
        case (Operator.index, 2): return lookUp(arguments)
        default: return nil
        }
    }

    // MARK: Optional strings

    /// A part of a split, or a string of reference data, that may be missing; then another string.
    private func textOrOther(_ optional: Node, _ other: Node) -> Code<TextSlice>? {
        guard let (name, arguments) = call(optional), name == Operator.optionalIndex else { return nil }
        let other = TextOperand(other, in: self)
        if let part = TextPart(arguments, in: self) {
            if let byte = part.byte {
                return { context throws(Unusual) in
                    if let found = try part.whole.read(context).part(part.number, separatedBy: byte) { return found }
                    return try other.read(context)
                }
            }
            return { context throws(Unusual) in
                if let found = try part.find(context) { return found }
                return try other.read(context)
            }
        }
        guard case .variable(let slot, _) = arguments[0].operation, type(arguments[1]) == .string,
            case .map(.string, .string) = type(arguments[0])
        else { return nil }
        let key = TextOperand(arguments[1], in: self)
        return { context throws(Unusual) in
            let key = try key.read(context)
            guard let index = context.variables[slot].index else { throw Unusual() }
            guard let entry = index.find(key) else { return try other.read(context) }
            guard let text = entry.pointee.text else { throw Unusual() }
            return text
        }
    }

    /// `names[key]`: a string of reference data by a string, or a part of a split by its number.
    private func lookUp(_ arguments: [Node]) -> Code<TextSlice>? {
        if type(arguments[1]) == .int, let part = TextPart(arguments, in: self) {
            return { context throws(Unusual) in
                guard let found = try part.find(context) else { throw Unusual() }
                return found
            }
        }
        guard case .variable(let slot, _) = arguments[0].operation, type(arguments[1]) == .string else { return nil }
        let key = TextOperand(arguments[1], in: self)
        return { context throws(Unusual) in
            let key = try key.read(context)
            guard let text = context.variables[slot].index?.find(key)?.pointee.text else { throw Unusual() }
            return text
        }
    }

    // MARK: Making strings

    /// A chain of `+` takes its parts up to four at a time.
    private func concatenation(_ node: Node) -> Code<TextSlice>? {
        guard type(node) == .string else { return nil }
        var parts = terms(node).map { TextOperand($0, in: self) }[...]
        guard var first = parts.popFirst() else { return nil }
        while let second = parts.popFirst() {
            first = TextOperand(code: Self.join(first, second, parts.popFirst(), parts.popFirst()))
        }
        return first.asCode
    }

    private static func join(_ a: TextOperand, _ b: TextOperand, _ c: TextOperand?, _ d: TextOperand?) -> Code<
        TextSlice
    > {
        guard let c else {
            return { context throws(Unusual) in context.arena.joined(try a.read(context), try b.read(context)) }
        }
        guard let d else {
            return { context throws(Unusual) in
                context.arena.joined(try a.read(context), try b.read(context), try c.read(context))
            }
        }
        return { context throws(Unusual) in
            context.arena.joined(
                try a.read(context), try b.read(context), try c.read(context), try d.read(context))
        }
    }

    func terms(_ node: Node) -> [Node] {
        guard let (name, arguments) = call(node), name == "_+_", type(node) == .string else { return [node] }
        return terms(arguments[0]) + terms(arguments[1])
    }

    private func conversion(_ argument: Node) -> Code<TextSlice>? {
        switch type(argument) {
        case .string: return text(argument)
        case .int:
            let operand = int(argument)
            return { context throws(Unusual) in context.arena.decimalDigits(of: try operand(context)) }
        case .decimal:
            let operand = decimal(argument)
            return { context throws(Unusual) in
                let value = try operand(context)
                let target = context.arena.allocate(Decimal.maximumByteCount)
                let count = value.write(
                    into: UnsafeMutableRawBufferPointer(start: target, count: Decimal.maximumByteCount))
                return TextSlice(target, count, isPlain: true)
            }
        default: return nil
        }
    }

    private func padding(_ arguments: [Node]) -> Code<TextSlice>? {
        guard case .int(let width)? = arguments[1].constant, (0...1_024).contains(width),
            case .string(let fill)? = arguments[2].constant, fill.utf8.count == 1, let byte = fill.utf8.first
        else { return nil }
        let isPlainFill = fill.utf8.withUnsafeBytes { OutputBuffer.isPlain($0) }
        @Sendable func padded(_ slice: TextSlice, _ context: EvaluationContext) -> TextSlice {
            let missing = Int(width) - slice.codePointCount
            guard missing > 0 else { return slice }
            let target = context.arena.allocate(missing + slice.count)
            target.initializeMemory(as: UInt8.self, repeating: byte, count: missing)
            ShortCopy.copy(slice.base, to: target + missing, count: slice.count)
            return TextSlice(target, missing + slice.count, isPlain: slice.isPlain && isPlainFill)
        }
        // A number with zeros before it.
        if byte == UInt8(ascii: "0"), width <= 8, let (name, numbers) = call(arguments[0]), name == "string",
            numbers.count == 1, type(numbers[0]) == .int
        {
            let number = int(numbers[0])
            let width = Int(width)
            return { context throws(Unusual) in
                let value = try number(context)
                let magnitude = UInt64(bitPattern: value)
                if magnitude < 100_000_000 { return context.arena.paddedDigits(of: magnitude, width: width) }
                return padded(context.arena.decimalDigits(of: value), context)
            }
        }
        let operand = TextOperand(arguments[0], in: self)
        return { context throws(Unusual) in padded(try operand.read(context), context) }
    }
}

/// `text.split(separator)[n]` without the list.
private struct TextPart: Sendable {
    let whole: TextOperand
    let number: Int
    /// A separator of one byte.
    let byte: UInt8?
    private let separator: PinnedText

    /// nil if the arguments of the index are no such thing.
    init?(_ arguments: [Node], in compiler: Compiler) {
        guard let (name, operands) = compiler.call(arguments[0]), name == "split", operands.count == 2,
            case .int(let number)? = arguments[1].constant, number >= 0,
            case .string(let separator)? = operands[1].constant, let first = separator.utf8.first
        else { return nil }
        whole = TextOperand(operands[0], in: compiler)
        self.number = Int(number)
        byte = separator.utf8.count == 1 && first != 0 ? first : nil
        self.separator = PinnedText(separator.utf8)
    }

    func find(_ context: EvaluationContext) throws(Unusual) -> TextSlice? {
        try whole.read(context).part(number, separatedBy: separator.slice)
    }
}
