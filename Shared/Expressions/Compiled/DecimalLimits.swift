import JSON

/// A field of the record, read as a decimal, between constants: the commonest rule about money, as one piece of code.
struct DecimalLimits: Sendable {
    private let index: Int
    /// What the field is compared with, and which orders hold: bits 0, 1, 2 for below, the same, above.
    private let limit: Decimal
    private let accepted: UInt8
    /// The limit as an integer for fields with 0, 1, 2... digits after the point, from the first scale on that can hold it.
    private let scaled: InlineArray<8, Int64>
    private let firstScale: Int

    /// nil where the comparison is of another shape.
    init?(_ name: String, _ left: Node, _ right: Node, in compiler: Compiler) {
        guard let index = compiler.decimalPlace(left), let limit = compiler.constantDecimal(right),
            let accepted = Self.orders[name]
        else { return nil }
        self.index = index
        self.limit = limit
        self.accepted = accepted
        (scaled, firstScale) = Self.scaled(limit)
    }

    private static func scaled(_ limit: Decimal) -> (InlineArray<8, Int64>, Int) {
        var scaled = InlineArray<8, Int64>(repeating: 0)
        let shortest = limit.normalized
        guard shortest.scale < scaled.count else { return (scaled, scaled.count) }
        for scale in shortest.scale..<scaled.count {
            guard let value = try? shortest.rounded(scale: scale), let mantissa = Int64(exactly: value.mantissa) else {
                return (scaled, scaled.count)
            }
            scaled[scale] = mantissa
        }
        return (scaled, shortest.scale)
    }

    private static let orders: [String: UInt8] = [
        "_<_": 0b001, Operator.equal: 0b010, "_<=_": 0b011, "_>_": 0b100, Operator.notEqual: 0b101, "_>=_": 0b110,
    ]

    private init?(_ node: Node, in compiler: Compiler) {
        guard let (name, arguments) = compiler.call(node), arguments.count == 2 else { return nil }
        switch (compiler.type(arguments[0]), compiler.type(arguments[1])) {
        case (.decimal, .decimal), (.decimal, .int): self.init(name, arguments[0], arguments[1], in: compiler)
        default: return nil
        }
    }

    @inline(__always)
    private func holds(_ value: Decimal) -> Bool {
        let scale = value.scale
        let mantissa = Int64(truncatingIfNeeded: value.mantissa)
        if scale >= firstScale, scale < scaled.count, value.mantissa == Int128(mantissa) {
            let limit = scaled[scale]
            let order: UInt8 = mantissa < limit ? 0 : mantissa == limit ? 1 : 2
            return accepted &>> order & 1 == 1
        }
        return holdsOtherwise(value)
    }

    @inline(never)
    private func holdsOtherwise(_ value: Decimal) -> Bool {
        accepted >> UInt8(truncatingIfNeeded: value.order(to: limit) &+ 1) & 1 == 1
    }

    var code: Code<Bool> {
        let limits = self
        return { context throws(Unusual) in limits.holds(try context.decimal(limits.index)) }
    }

    /// That both hold, of the same field.
    private func and(_ other: DecimalLimits) -> Code<Bool> {
        let limits = self
        return { context throws(Unusual) in
            let value = try context.decimal(limits.index)
            return limits.holds(value) && other.holds(value)
        }
    }

    /// Terms that must all hold, two neighbours about the same field as one.
    static func joined(_ terms: [Node], in compiler: Compiler) -> [Condition] {
        var conditions: [Condition] = []
        var rest = terms[...]
        while let term = rest.popFirst() {
            guard let first = DecimalLimits(term, in: compiler), let next = rest.first,
                let second = DecimalLimits(next, in: compiler), first.index == second.index
            else {
                conditions.append(Condition(code: compiler.bool(term)))
                continue
            }
            rest.removeFirst()
            conditions.append(Condition(code: first.and(second)))
        }
        return conditions
    }

    /// One text or another by limits of a field: `amount < low ? "small" : amount < high ? "medium" : "large"`, both questions at once.
    static func choice(_ node: Node, in compiler: Compiler) -> Code<TextSlice>? {
        guard case .conditional(let condition, let accepted, let refused) = node.operation,
            let first = DecimalLimits(condition, in: compiler)
        else { return nil }
        let yes = TextOperand(accepted, in: compiler)
        guard case .conditional(let condition, let accepted, let refused) = refused.operation,
            let second = DecimalLimits(condition, in: compiler), second.index == first.index
        else {
            let no = TextOperand(refused, in: compiler)
            return { context throws(Unusual) in
                first.holds(try context.decimal(first.index)) ? try yes.read(context) : try no.read(context)
            }
        }
        let (other, otherwise) = (TextOperand(accepted, in: compiler), TextOperand(refused, in: compiler))
        return { context throws(Unusual) in
            let value = try context.decimal(first.index)
            if first.holds(value) { return try yes.read(context) }
            return second.holds(value) ? try other.read(context) : try otherwise.read(context)
        }
    }
}
