/// Equality, order and membership.
extension FunctionLibrary {
    static func addComparisons(_ group: inout FunctionGroup) {
        let mixedEqual = ["(decimal, int) -> bool", "(int, decimal) -> bool"]
        for (name, wanted) in [(Operator.equal, true), (Operator.notEqual, false)] {
            group.add(
                ["\(name)(A, A) -> bool"] + mixedEqual.map { name + $0 },
                .binary { (left, right, context) throws(EvaluationError) in
                    try context.charge(left.comparisonCost)
                    return .bool(left.isEqual(to: right) == wanted)
                })
        }
        let ordered = ["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration", "decimal"]
        let mixed = [
            ("int", "uint"), ("int", "double"), ("uint", "double"), ("decimal", "int"), ("decimal", "uint"),
        ]
        let pairs = ordered.map { ($0, $0) } + mixed + mixed.map { ($1, $0) }
        let accepted: [(String, Set<Order>)] = [
            ("_<_", [.before]), ("_<=_", [.before, .same]), ("_>_", [.after]), ("_>=_", [.after, .same]),
        ]
        for (name, orders) in accepted {
            group.add(
                pairs.map { "\(name)(\($0), \($1)) -> bool" },
                .binary { (left, right, context) throws(EvaluationError) in
                    guard let order = left.order(to: right) else { throw .noSuchOverload(name, left, right) }
                    return .bool(order.map { orders.contains($0) } ?? false)
                })
        }
        group.binary("@in(A, list(A)) -> bool", "@in(A, map(A, B)) -> bool") {
            (element, container, context) throws(EvaluationError) in
            switch container {
            case .list(let list):
                try context.charge(list.count)
                return .bool(list.contains { $0.isEqual(to: element) })
            case .map(let map): return .bool(map.contains(element))
            default: throw .noSuchOverload(Operator.contained, element, container)
            }
        }
    }
}

extension Value {
    /// What comparing a value with another may cost beyond the call itself.
    var comparisonCost: Int {
        switch self {
        case .string(let text): text.utf8.count / 10
        case .bytes(let bytes): bytes.count / 10
        case .list(let list): list.reduce(0) { $0 + 1 + $1.comparisonCost }
        case .map(let map): map.entries.reduce(0) { $0 + 1 + $1.value.comparisonCost }
        default: 0
        }
    }
}
