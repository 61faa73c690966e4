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
            // Not by the generic function: it would wrap the branches, at a call each.
            let (test, yes, no) = (bool(condition), text(accepted), text(refused))
            return { context throws(Unusual) in try test(context) ? try yes(context) : try no(context) }
        case .call(let function, let arguments): return textCall(node, function.name, arguments)
        default: return nil
        }
    }

    private func textCall(_ node: Node, _ name: String, _ arguments: [Node]) -> Code<TextSlice>? {
        switch (name, arguments.count) {
        case ("lowerAscii", 1): return changeCase(arguments[0], of: UInt8(ascii: "A"))
        case ("upperAscii", 1): return changeCase(arguments[0], of: UInt8(ascii: "a"))
        case ("_+_", 2): return concatenation(node)
        case ("string", 1): return conversion(arguments[0])
        case ("padStart", 3): return padding(arguments)
        case ("orValue", 2):
            guard let optional = optionalText(arguments[0]) else { return nil }
            let other = text(arguments[1])
            return { context throws(Unusual) in
                if let present = try optional(context) { return present }
                return try other(context)
            }
        case (Operator.index, 2): return lookUp(arguments)
        default: return nil
        }
    }

    // MARK: Optional strings

    /// A part of a split, or a string of reference data, that may be missing.
    private func optionalText(_ node: Node) -> Code<TextSlice?>? {
        guard let (name, arguments) = call(node), name == Operator.optionalIndex else { return nil }
        if let part = part(arguments) { return part }
        guard case .variable(let slot, _) = arguments[0].operation, type(arguments[1]) == .string,
            case .map(.string, .string) = type(arguments[0])
        else { return nil }
        let key = text(arguments[1])
        return { context throws(Unusual) in
            let key = try key(context)
            guard let found = context.variables[slot].index?.lookUp(key) else { throw Unusual() }
            switch found {
            case .missing: return nil
            case .text(let slice): return slice
            case .other: throw Unusual()
            }
        }
    }

    /// `text.split(separator)[?n]` without the list.
    private func part(_ arguments: [Node]) -> Code<TextSlice?>? {
        guard let (name, operands) = call(arguments[0]), name == "split", operands.count == 2,
            case .int(let number)? = arguments[1].constant, number >= 0,
            case .string(let separator)? = operands[1].constant, !separator.utf8.isEmpty
        else { return nil }
        let whole = text(operands[0])
        let pinned = PinnedText(separator.utf8)
        return { context throws(Unusual) in try whole(context).part(Int(number), separatedBy: pinned.slice) }
    }

    /// `names[key]`: a string of reference data by a string.
    private func lookUp(_ arguments: [Node]) -> Code<TextSlice>? {
        if type(arguments[1]) == .int, let part = part(arguments) {
            return { context throws(Unusual) in
                guard let present = try part(context) else { throw Unusual() }
                return present
            }
        }
        guard case .variable(let slot, _) = arguments[0].operation, type(arguments[1]) == .string else { return nil }
        let key = text(arguments[1])
        return { context throws(Unusual) in
            let key = try key(context)
            guard case .text(let slice)? = context.variables[slot].index?.lookUp(key) else {
                throw Unusual()
            }
            return slice
        }
    }

    // MARK: Making strings

    private func changeCase(_ argument: Node, of first: UInt8) -> Code<TextSlice> {
        let operand = text(argument)
        return { context throws(Unusual) in
            let slice = try operand(context)
            var index = 0
            while index < slice.count, slice[index] &- first >= 26 { index &+= 1 }
            if index == slice.count { return slice }
            let target = context.arena.allocate(slice.count)
            target.copyMemory(from: slice.base, byteCount: index)
            while index < slice.count {
                let byte = slice[index]
                target.storeBytes(of: byte &- first < 26 ? byte ^ 0x20 : byte, toByteOffset: index, as: UInt8.self)
                index &+= 1
            }
            return TextSlice(target, slice.count)
        }
    }

    /// A chain of `+` takes its parts three at a time.
    private func concatenation(_ node: Node) -> Code<TextSlice>? {
        guard type(node) == .string else { return nil }
        var parts = terms(node)[...]
        guard let first = parts.popFirst() else { return nil }
        var code = text(first)
        while let second = parts.popFirst() {
            if let third = parts.popFirst() {
                code = Self.join(code, text(second), text(third))
            } else {
                code = Self.join(code, text(second))
            }
        }
        return code
    }

    private static func join(_ a: @escaping Code<TextSlice>, _ b: @escaping Code<TextSlice>) -> Code<TextSlice> {
        { context throws(Unusual) in context.arena.joined(try a(context), try b(context)) }
    }

    private static func join(
        _ a: @escaping Code<TextSlice>, _ b: @escaping Code<TextSlice>, _ c: @escaping Code<TextSlice>
    ) -> Code<TextSlice> {
        { context throws(Unusual) in context.arena.joined(try a(context), try b(context), try c(context)) }
    }

    private func terms(_ node: Node) -> [Node] {
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
                let target = context.arena.allocate(Decimal.maximumByteCount)
                let value = try operand(context)
                let count = value.write(
                    into: UnsafeMutableRawBufferPointer(start: target, count: Decimal.maximumByteCount))
                return TextSlice(target, count)
            }
        default: return nil
        }
    }

    private func padding(_ arguments: [Node]) -> Code<TextSlice>? {
        guard case .int(let width)? = arguments[1].constant, (0...1_024).contains(width),
            case .string(let fill)? = arguments[2].constant, fill.utf8.count == 1, let byte = fill.utf8.first
        else { return nil }
        let operand = text(arguments[0])
        return { context throws(Unusual) in
            let slice = try operand(context)
            let missing = Int(width) - slice.codePointCount
            guard missing > 0 else { return slice }
            let target = context.arena.allocate(missing + slice.count)
            target.initializeMemory(as: UInt8.self, repeating: byte, count: missing)
            ShortCopy.copy(slice.base, to: target + missing, count: slice.count)
            return TextSlice(target, missing + slice.count)
        }
    }
}
