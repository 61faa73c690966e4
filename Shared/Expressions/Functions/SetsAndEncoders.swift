internal import JSON

/// The sets extension (lists as sets) and the encoders extension (base64).
extension FunctionLibrary {
    static func addSetsAndEncoders(_ group: inout FunctionGroup) {
        sets(&group, "sets.contains") { $1.isSubset(of: $0) }
        sets(&group, "sets.equivalent") { $0.isSubset(of: $1) && $1.isSubset(of: $0) }
        sets(&group, "sets.intersects") { left, right in
            left.contains { element in right.contains { $0.isEqual(to: element) } }
        }
        group.unary("base64.encode(bytes) -> string") { (value, context) throws(EvaluationError) in
            guard case .bytes(let bytes) = value else { throw .noSuchOverload("base64.encode", value) }
            try context.charge(bytes: bytes.count)
            return .string(Text(validUTF8: Base64.encode(bytes)))
        }
        group.unary("base64.decode(string) -> bytes") { (value, context) throws(EvaluationError) in
            guard case .string(let text) = value else { throw .noSuchOverload("base64.decode", value) }
            try context.charge(bytes: text.utf8.count)
            guard let bytes = text.utf8.withUnsafeBytes({ Base64.decode($0) }) else {
                throw .invalid("base64.decode(): not base64")
            }
            return .bytes(bytes)
        }
    }

    private static func sets(
        _ group: inout FunctionGroup, _ name: String, _ body: @escaping @Sendable ([Value], [Value]) -> Bool
    ) {
        group.binary("\(name)(list(A), list(A)) -> bool") { (left, right, context) throws(EvaluationError) in
            guard case .list(let first) = left, case .list(let second) = right else {
                throw .noSuchOverload(name, left, right)
            }
            // Each is compared with all of the other list: paid for as if nothing was found early.
            for _ in first { try context.charge(traversing: right) }
            for _ in second { try context.charge(traversing: left) }
            return .bool(body(first, second))
        }
    }
}

extension [Value] {
    fileprivate func isSubset(of other: [Value]) -> Bool {
        allSatisfy { element in other.contains { $0.isEqual(to: element) } }
    }
}
