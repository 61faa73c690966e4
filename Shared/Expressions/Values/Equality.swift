import JSON

extension Value {
    /// Equality as the language defines it: values of different kinds are unequal, numbers compare as numbers, NaN equals
    /// nothing.
    func isEqual(to other: Value) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.bytes(let left), .bytes(let right)): left == right
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isEqual(to: $1) }
        case (.map(let left), .map(let right)):
            left.count == right.count
                && left.entries.allSatisfy { entry in right[entry.key].map { entry.value.isEqual(to: $0) } ?? false }
        case (.timestamp(let left), .timestamp(let right)): left == right
        case (.duration(let left), .duration(let right)): left == right
        case (.type(let left), .type(let right)): left.reflectedName == right.reflectedName
        case (.optional(let left), .optional(let right)):
            switch (left, right) {
            case (nil, nil): true
            case (let left?, let right?): left.isEqual(to: right)
            default: false
            }
        default: numericOrder(to: other) == .same
        }
    }

    /// The order of two numbers of any types; nil if one is no number, or NaN.
    func numericOrder(to other: Value) -> Order? {
        switch (plain, other.plain) {
        case (.int(let left), .int(let right)): Order(left, right)
        case (.uint(let left), .uint(let right)): Order(left, right)
        case (.double(let left), .double(let right)): left.isNaN || right.isNaN ? nil : Order(left, right)
        case (.decimal(let left), .decimal(let right)): Order(left, right)
        case (.int(let left), .uint(let right)): left < 0 ? .before : Order(UInt64(left), right)
        case (.uint, .int): other.numericOrder(to: self)?.reversed
        case (.int(let left), .double(let right)): Order(asDouble: left, right)
        case (.uint(let left), .double(let right)): Order(asDouble: left, right)
        case (.double, .int), (.double, .uint): other.numericOrder(to: self)?.reversed
        case (.decimal(let left), .int(let right)): Order(left, Decimal(right))
        case (.decimal(let left), .uint(let right)): Order(left, Decimal(unsigned: right))
        case (.int, .decimal), (.uint, .decimal): other.numericOrder(to: self)?.reversed
        default: nil
        }
    }

    /// The order of two values of an ordered type; `.none` for NaN, nil if there is no order between their types.
    func order(to other: Value) -> Order?? {
        switch (plain, other.plain) {
        case (.bool(let left), .bool(let right)): .some(Order(left ? 1 : 0, right ? 1 : 0))
        case (.string(let left), .string(let right)): .some(Order(left, right))
        case (.bytes(let left), .bytes(let right)):
            .some(left == right ? .same : left.lexicographicallyPrecedes(right) ? .before : .after)
        case (.timestamp(let left), .timestamp(let right)): .some(Order(left, right))
        case (.duration(let left), .duration(let right)): .some(Order(left, right))
        case (.int, .int), (.int, .uint), (.int, .double), (.uint, .int), (.uint, .uint), (.uint, .double),
            (.double, .int), (.double, .uint), (.double, .double), (.decimal, .decimal), (.decimal, .int),
            (.decimal, .uint), (.int, .decimal), (.uint, .decimal):
            .some(numericOrder(to: other))
        default: nil
        }
    }
}

enum Order: Sendable {
    case before, same, after

    init<T: Comparable>(_ left: T, _ right: T) {
        self = left == right ? .same : left < right ? .before : .after
    }

    /// An integer against a double, as a double, which is what the conformance tests of the language ask for: beyond 2^53 an
    /// integer equals the double nearest to it. Nil for NaN.
    init?<T: FixedWidthInteger>(asDouble left: T, _ right: Double) {
        guard !right.isNaN else { return nil }
        self.init(Double(left), right)
    }

    var reversed: Order {
        switch self {
        case .before: .after
        case .same: .same
        case .after: .before
        }
    }
}
