/// The standard functions on strings and bytes, and `size`.
extension FunctionLibrary {
    static func addStandardStrings(_ group: inout FunctionGroup) {
        group.unary(
            "size(string) -> int", "size(bytes) -> int", "size(list(A)) -> int", "size(map(A, B)) -> int",
            "(string).size() -> int", "(bytes).size() -> int", "(list(A)).size() -> int", "(map(A, B)).size() -> int"
        ) { (value, context) throws(EvaluationError) in
            switch value {
            case .string(let text):
                try context.charge(bytes: text.utf8.count)
                return .int(Int64(text.count))
            case .bytes(let bytes): return .int(Int64(bytes.count))
            case .list(let list): return .int(Int64(list.count))
            case .map(let map): return .int(Int64(map.count))
            default: throw .noSuchOverload("size", value)
            }
        }
        test(&group, "contains") { text, part in firstOffset(of: part, in: text) != nil }
        test(&group, "startsWith") { text, part in text.starts(with: part) }
        test(&group, "endsWith") { text, part in text.suffix(part.count).elementsEqual(part) }
    }

    private static func test(
        _ group: inout FunctionGroup, _ name: String, _ body: @escaping @Sendable ([UInt8], [UInt8]) -> Bool
    ) {
        group.binary("(string).\(name)(string) -> bool") { (value, part, context) throws(EvaluationError) in
            guard case .string(let text) = value, case .string(let part) = part else {
                throw .noSuchOverload(name, value, part)
            }
            try context.charge(bytes: text.utf8.count)
            return .bool(body(text.utf8, part.utf8))
        }
    }

    /// A position given by an expression as a byte offset, or the error of the strings extension.
    static func byteOffset(_ index: Int64, in text: Text) throws(EvaluationError) -> Int {
        guard let offset = text.byteOffset(of: Int(index)) else {
            throw EvaluationError(.indexOutOfRange, "index out of range: \(index)")
        }
        return offset
    }

    static func noSuchOverload(_ name: String, _ arguments: [Value]) -> EvaluationError {
        let types = arguments.map(\.type.reflectedName).joined(separator: ", ")
        return EvaluationError(.noSuchOverload, "no such overload: \(name)(\(types))")
    }
}
