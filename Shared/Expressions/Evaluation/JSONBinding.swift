import JSON

/// JSON values as values of the language, by the types that were declared for them.
extension EvaluationContext {
    /// - Parameter path: how errors call the value: the field and the way into it.
    func value(of json: JSONValue, as type: ValueType, path: String) throws(EvaluationError) -> Value {
        guard let value = try convert(json, to: type) else { throw try mismatch(in: json, type, path) }
        return value
    }

    /// Nil if the value, or one within it, is none of the type.
    private func convert(_ json: JSONValue, to type: ValueType) throws(EvaluationError) -> Value? {
        try charge(1)
        switch type {
        case .dyn, .error, .parameter, .optional, .type: return try dynamicValue(of: json)
        case .nullable(let wrapped): return json.isNull ? .null : try convert(json, to: wrapped)
        case .object(let object): return try map(of: json) { object.type(of: $0) ?? .dyn }
        case .map(_, let element): return try map(of: json) { _ in element }
        case .list(let element): return try list(of: json, element)
        case .null: return json.isNull ? .null : nil
        case .bool: return json.bool.map { .bool($0) }
        case .int: return json.int64.map { .int($0) }
        case .uint: return json.uint64.map { .uint($0) }
        case .double: return json.double.map { .double($0) }
        case .string: return try text(of: json).map { .string($0) }
        case .bytes:
            return try text(of: json).flatMap { $0.utf8.withUnsafeBytes { Base64.decode($0) } }.map { .bytes($0) }
        case .timestamp: return try text(of: json).flatMap { try? parseTimestamp($0) }.map { .timestamp($0) }
        case .duration: return try text(of: json).flatMap { try? parseDuration($0) }.map { .duration(nanoseconds: $0) }
        case .decimal:
            if json.kind == .number { return json.decimal.map { .decimal($0) } }
            return try text(of: json).flatMap { $0.utf8.withUnsafeBytes { Decimal(bytes: $0) } }.map { .decimal($0) }
        }
    }

    private func dynamicValue(of json: JSONValue) throws(EvaluationError) -> Value? {
        switch json.kind {
        case .null: return .null
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .number: return Self.number(json)
        case .string: return try text(of: json).map { .string($0) }
        case .array: return try list(of: json, .dyn)
        case .object: return try map(of: json) { _ in .dyn }
        }
    }

    /// An int if written as an integer that fits, a uint if only that fits, else a double that remembers its text.
    private static func number(_ json: JSONValue) -> Value? {
        if let int = json.int64 { return .int(int) }
        if let uint = json.uint64 { return .uint(uint) }
        return JSONNumber(text: Text(validUTF8: Array(json.bytes))).map { .number($0) }
    }

    private func text(of json: JSONValue) throws(EvaluationError) -> Text? {
        guard let string = json.string else { return nil }
        try charge(bytes: json.bytes.count)
        if let utf8 = string.utf8 { return Text(validUTF8: Array(utf8)) }
        return Text(string.string)
    }

    private func list(of json: JSONValue, _ element: ValueType) throws(EvaluationError) -> Value? {
        guard json.kind == .array else { return nil }
        var values: [Value] = []
        for item in json.elements {
            guard let value = try convert(item, to: element) else { return nil }
            values.append(value)
        }
        return .list(values)
    }

    private func map(
        of json: JSONValue, _ elementType: (String) -> ValueType
    ) throws(EvaluationError) -> Value? {
        guard json.kind == .object else { return nil }
        var map = ValueMap()
        for (key, member) in json.members {
            let name = key.string
            guard let value = try convert(member, to: elementType(name)) else { return nil }
            _ = map.set(.string(Text(name)), value)
        }
        return .map(map)
    }

    // MARK: Errors

    /// What to say of the first value that is none of its type, searched for only once there is one.
    private func mismatch(
        in json: JSONValue, _ type: ValueType, _ path: String
    ) throws(EvaluationError) -> EvaluationError {
        switch type {
        case .nullable(let wrapped): return try mismatch(in: json, wrapped, path)
        case .list(let element):
            for (index, item) in json.elements.enumerated() where try convert(item, to: element) == nil {
                return try mismatch(in: item, element, "\(path)[\(index)]")
            }
        case .map, .object:
            for (key, member) in json.members {
                let name = key.string
                var wanted = ValueType.dyn
                if case .map(_, let element) = type { wanted = element }
                if case .object(let object) = type { wanted = object.type(of: name) ?? .dyn }
                if try convert(member, to: wanted) == nil { return try mismatch(in: member, wanted, "\(path).\(name)") }
            }
        default: break
        }
        return Self.mismatch(json, type, path)
    }

    static func mismatch(_ json: JSONValue, _ type: ValueType, _ path: String) -> EvaluationError {
        EvaluationError(
            .wrongFieldType, "the field '\(path)' is \(described(json)), which is not a value of type \(type)",
            field: path)
    }

    static func described(_ json: JSONValue) -> String {
        let text = String(decoding: json.bytes.prefix(40), as: UTF8.self)
        return switch json.kind {
        case .null: "null"
        case .true, .false: "a boolean"
        case .number: "the number \(text)"
        case .string: "the string \(text)\(json.bytes.count > 40 ? "..." : "")"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
