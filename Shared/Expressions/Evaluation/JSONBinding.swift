import JSON

/// JSON values as values of the language, by the types that were declared for them.
extension EvaluationContext {
    /// - Parameter path: how errors call the value: the field and the way into it.
    func value(of json: JSONValue, as type: ValueType, path: String) throws(EvaluationError) -> Value {
        try charge(1)
        switch type {
        case .dyn, .error, .parameter, .optional, .type:
            return try dynamicValue(of: json, path: path)
        case .nullable(let wrapped):
            return json.isNull ? .null : try value(of: json, as: wrapped, path: path)
        case .object(let object):
            return try map(of: json, type, path: path) { object.type(of: $0) ?? .dyn }
        case .map(_, let element):
            return try map(of: json, type, path: path) { _ in element }
        case .list(let element):
            guard json.kind == .array else { throw Self.mismatch(json, type, path) }
            var values: [Value] = []
            for (index, item) in json.elements.enumerated() {
                values.append(try value(of: item, as: element, path: "\(path)[\(index)]"))
            }
            return .list(values)
        default:
            guard let value = try scalar(of: json, as: type) else { throw Self.mismatch(json, type, path) }
            return value
        }
    }

    private func dynamicValue(of json: JSONValue, path: String) throws(EvaluationError) -> Value {
        switch json.kind {
        case .null: return .null
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .number: return Self.number(json)
        case .string: return try text(of: json).map { .string($0) } ?? .null
        case .array: return try value(of: json, as: .list(.dyn), path: path)
        case .object: return try value(of: json, as: .map(key: .string, value: .dyn), path: path)
        }
    }

    /// An int if written as an integer that fits, a uint if only that fits, else a double that remembers its text.
    private static func number(_ json: JSONValue) -> Value {
        if let int = json.int64 { return .int(int) }
        if let uint = json.uint64 { return .uint(uint) }
        guard let number = JSONNumber(text: Text(validUTF8: Array(json.bytes))) else { return .double(.nan) }
        return .number(number)
    }

    private func text(of json: JSONValue) throws(EvaluationError) -> Text? {
        guard let string = json.string else { return nil }
        try charge(bytes: json.bytes.count)
        if let utf8 = string.utf8 { return Text(validUTF8: Array(utf8)) }
        return Text(string.string)
    }

    /// Nil if the JSON value is of another kind or out of range.
    private func scalar(of json: JSONValue, as type: ValueType) throws(EvaluationError) -> Value? {
        switch type {
        case .null: return json.isNull ? .null : nil
        case .bool: return json.bool.map { .bool($0) }
        case .int: return json.int64.map { .int($0) }
        case .uint: return json.uint64.map { .uint($0) }
        case .double: return json.double.map { .double($0) }
        case .string: return try text(of: json).map { .string($0) }
        case .decimal:
            if json.kind == .number { return json.decimal.map { .decimal($0) } }
            return try text(of: json).flatMap { $0.utf8.withUnsafeBytes { Decimal(bytes: $0) } }.map { .decimal($0) }
        case .timestamp:
            return try text(of: json).map { (text) throws(EvaluationError) in .timestamp(try parseTimestamp(text)) }
        case .duration:
            return try text(of: json).map { (text) throws(EvaluationError) in
                .duration(nanoseconds: try parseDuration(text))
            }
        case .bytes: return try text(of: json).flatMap { Base64.decode($0.utf8) }.map { .bytes($0) }
        default: return nil
        }
    }

    private func map(
        of json: JSONValue, _ type: ValueType, path: String, _ elementType: (String) -> ValueType
    ) throws(EvaluationError) -> Value {
        guard json.kind == .object else { throw Self.mismatch(json, type, path) }
        var map = ValueMap()
        for (key, member) in json.members {
            let name = key.string
            _ = map.set(.string(Text(name)), try value(of: member, as: elementType(name), path: "\(path).\(name)"))
        }
        return .map(map)
    }

    static func mismatch(_ json: JSONValue, _ type: ValueType, _ path: String) -> EvaluationError {
        EvaluationError(
            .wrongFieldType, "the field '\(path)' is \(described(json)), which is not a value of type \(type)",
            field: path)
    }

    static func described(_ json: JSONValue) -> String {
        switch json.kind {
        case .null: "null"
        case .true, .false: "a boolean"
        case .number: "the number \(String(decoding: json.bytes.prefix(40), as: UTF8.self))"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
