public import JSON

/// Values as JSON that says what they are: `{"type": "int", "value": "5"}`.
///
/// Numbers are strings, so that no reader rounds them; bytes are base64; a list holds typed values, a map pairs of them.
enum TypedValue {
    static func write(_ value: Value, to writer: JSONWriter) {
        writer.beginObject()
        writer.key("type")
        switch value.plain {
        case .null:
            writer.string("null")
            writer.key("value")
            writer.null()
        case .bool(let bool):
            writer.string("bool")
            writer.key("value")
            writer.bool(bool)
        case .bytes(let bytes):
            writer.string("bytes")
            writer.key("value")
            Base64.encode(bytes).withUnsafeBytes { writer.string(utf8: $0) }
        case .string(let text):
            writer.string("string")
            writer.key("value")
            text.utf8.withUnsafeBytes { writer.string(utf8: $0) }
        case .type(let type):
            writer.string("type")
            writer.key("value")
            writer.string(type.reflectedName)
        case .list(let list):
            writer.string("list")
            writer.key("value")
            writer.beginArray()
            for element in list { write(element, to: writer) }
            writer.endArray()
        case .map(let map):
            writer.string("map")
            writer.key("value")
            writer.beginArray()
            for (key, value) in map.entries {
                writer.beginArray()
                write(key, to: writer)
                write(value, to: writer)
                writer.endArray()
            }
            writer.endArray()
        case .optional(let wrapped):
            writer.string("optional")
            writer.key("value")
            if let wrapped { write(wrapped, to: writer) } else { writer.null() }
        default:
            writer.string(name(of: value))
            writer.key("value")
            writer.string(value.scalarText ?? "")
        }
        writer.endObject()
    }

    private static func name(of value: Value) -> String {
        switch value {
        case .timestamp: "timestamp"
        case .duration: "duration"
        default: value.type.reflectedName
        }
    }

    // MARK: Reading

    /// The value that a binding gives, typed or plain; nil if it is none of the type.
    static func read(_ json: JSONValue, as type: ValueType) -> Value? {
        if let name = json.member("type")?.string?.string, let value = json.member("value"), json.count == 2,
            let given = ValueType(name)
        {
            return plain(value, as: given)
        }
        return plain(json, as: type)
    }

    private static func plain(_ json: JSONValue, as type: ValueType) -> Value? {
        switch type {
        case .null: return json.isNull || json.string != nil ? .null : nil
        case .nullable(let wrapped): return json.isNull ? .null : plain(json, as: wrapped)
        case .optional(let wrapped):
            return json.isNull ? .optional(nil) : read(json, as: wrapped).map { .optional($0) }
        case .list(let element): return list(json, element)
        case .map(let key, let value): return map(json, key, value)
        case .object: return map(json, .string, .dyn)
        case .type: return json.string.flatMap { ValueType($0.string) }.map { .type($0) }
        case .bool:
            return json.bool.map { .bool($0) }
                ?? text(json).flatMap { $0 == "true" ? true : $0 == "false" ? false : nil }
        // A whole number may be written with a fraction or an exponent: 5.0, 1e3.
        case .int:
            return (json.decimal?.int64Value ?? text(json).flatMap { Int64($0.string) }).map { .int($0) }
        case .uint:
            return (json.decimal?.uint64Value ?? text(json).flatMap { UInt64($0.string) }).map { .uint($0) }
        case .double: return json.double.map { .double($0) } ?? text(json).flatMap(parseDouble).map { .double($0) }
        case .decimal:
            return (json.decimal ?? text(json).flatMap { Decimal($0.string) }).map { .decimal($0) }
        case .string: return text(json).map { .string($0) }
        case .bytes: return text(json).flatMap { $0.utf8.withUnsafeBytes { Base64.decode($0) } }.map { .bytes($0) }
        case .timestamp: return text(json).flatMap { try? parseTimestamp($0) }.map { .timestamp($0) }
        case .duration: return text(json).flatMap { try? parseDuration($0) }.map { .duration(nanoseconds: $0) }
        case .dyn, .error, .parameter: return dynamic(json)
        }
    }

    private static func text(_ json: JSONValue) -> Text? {
        json.string.map { Text($0.string) }
    }

    private static func dynamic(_ json: JSONValue) -> Value? {
        switch json.kind {
        case .null: .null
        case .true: true
        case .false: false
        case .string: text(json).map { .string($0) }
        case .array: list(json, .dyn)
        case .object: map(json, .string, .dyn)
        case .number:
            json.int64.map { .int($0) } ?? json.uint64.map { .uint($0) }
                ?? JSONNumber(text: Text(validUTF8: Array(json.bytes))).map { .number($0) }
        }
    }

    private static func list(_ json: JSONValue, _ element: ValueType) -> Value? {
        guard json.kind == .array else { return nil }
        var values: [Value] = []
        for item in json.elements {
            guard let value = read(item, as: element) else { return nil }
            values.append(value)
        }
        return .list(values)
    }

    /// Pairs, as a typed map has them, or the members of an object, whose keys are text of the key's type.
    private static func map(_ json: JSONValue, _ keyType: ValueType, _ valueType: ValueType) -> Value? {
        var map = ValueMap()
        if json.kind == .array {
            for pair in json.elements {
                guard pair.count == 2, let first = pair.element(0), let second = pair.element(1),
                    let key = read(first, as: keyType), let value = read(second, as: valueType), map.set(key, value)
                else { return nil }
            }
            return .map(map)
        }
        guard json.kind == .object else { return nil }
        for (key, member) in json.members {
            guard let key = self.key(Text(key.string), as: keyType), let value = read(member, as: valueType),
                map.set(key, value)
            else { return nil }
        }
        return .map(map)
    }

    private static func key(_ text: Text, as type: ValueType) -> Value? {
        switch type {
        case .int: Int64(text.string).map { .int($0) }
        case .uint: UInt64(text.string).map { .uint($0) }
        case .bool: text == "true" ? true : text == "false" ? false : nil
        default: .string(text)
        }
    }
}

extension Value {
    /// Writes the value with its type: `{"type": "int", "value": "5"}`.
    public func writeTyped(to writer: JSONWriter) {
        TypedValue.write(self, to: writer)
    }
}
