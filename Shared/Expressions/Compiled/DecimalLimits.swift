import JSON

/// A field of the record, read as a decimal, between constants: the commonest rule about money, as one piece of code.
struct DecimalLimits: Sendable {
    private let index: Int
    /// What the field is compared with, and which orders hold: bits 0, 1, 2 for below, the same, above.
    private let limit: Decimal
    private let accepted: UInt8

    /// nil where the comparison is of another shape.
    init?(_ name: String, _ left: Node, _ right: Node, in compiler: Compiler) {
        guard let index = compiler.decimalPlace(left), let limit = compiler.constantDecimal(right),
            let accepted = Self.orders[name]
        else { return nil }
        self.index = index
        self.limit = limit
        self.accepted = accepted
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
}
