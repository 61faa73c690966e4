/// Equality, order and membership.
extension FunctionLibrary {
    static func addComparisons(_ group: inout FunctionGroup) {
        let mixedEqual = ["(decimal, int) -> bool", "(int, decimal) -> bool"]
        for (name, wanted) in [(Operator.equal, true), (Operator.notEqual, false)] {
            group.add(
                ["\(name)(A, A) -> bool"] + mixedEqual.map { name + $0 },
                .binary { (left, right, context) throws(EvaluationError) in
                    try context.charge(traversing: left)
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
                for candidate in list {
                    try context.charge(traversing: element)
                    if candidate.isEqual(to: element) { return true }
                }
                return false
            case .map(let map): return .bool(map.contains(element))
            default: throw .noSuchOverload(Operator.contained, element, container)
            }
        }
    }
}

extension EvaluationContext {
    /// Spends what walking through a whole value costs. Lists and maps may share their elements, so that a small expression
    /// can make a value of any size as seen by who walks through it: comparing, formatting and writing are paid for first.
    func charge(traversing value: Value) throws(EvaluationError) {
        switch value {
        case .string(let text): try charge(1 + text.utf8.count / 10)
        case .bytes(let bytes): try charge(1 + bytes.count / 10)
        case .list(let list):
            try charge(1)
            for element in list { try charge(traversing: element) }
        case .map(let map):
            try charge(1)
            for (key, value) in map.entries {
                try charge(traversing: key)
                try charge(traversing: value)
            }
        case .optional(let wrapped?): try charge(traversing: wrapped)
        default: try charge(1)
        }
    }
}
