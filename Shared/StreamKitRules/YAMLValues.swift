internal import Expressions
internal import JSON
internal import YAML

/// YAML as CEL's values: constants and reference data.
enum YAMLValues {
    /// A value of a declared type, or what is wrong with it, with its place.
    static func value(_ node: YAMLNode, as type: ValueType) throws(SettingsFault) -> Value {
        switch (type, node.content) {
        case (.dyn, _):
            return try value(node, as: try Self.type(of: node))
        case (.list(let element), .sequence(let nodes)):
            var values: [Value] = []
            for node in nodes { values.append(try value(node, as: element)) }
            return .list(values)
        case (.map(let key, let element), .mapping(let mapping)) where key == .string || key == .dyn:
            var map = ValueMap()
            for entry in mapping.entries { _ = map.set(.string(Text(entry.key)), try value(entry.value, as: element)) }
            return .map(map)
        case (_, .scalar(let scalar)):
            if let value = Self.scalar(scalar, as: type) { return value }
        default: break
        }
        throw SettingsFault("\(node.mark): must be of type \(type), not \(node.summary)")
    }

    private static func scalar(_ scalar: YAMLScalar, as type: ValueType) -> Value? {
        switch (type, scalar.resolved) {
        case (.string, _): .string(Text(scalar.text))
        case (.bool, .boolean(let value)): .bool(value)
        case (.int, .integer(let value)): .int(value)
        case (.uint, .integer(let value)): UInt64(exactly: value).map { .uint($0) }
        case (.double, .integer(let value)): .double(Double(value))
        case (.double, .float(let value)): .double(value)
        case (.decimal, _): Decimal(scalar.text).map { .decimal($0) }
        case (.timestamp, _): Instant(scalar.text).map { .timestamp($0) }
        case (.null, .null): .null
        default: nil
        }
    }

    /// The type that a constant has by the look of it; lists and maps of different things are of `dyn`.
    static func type(of node: YAMLNode) throws(SettingsFault) -> ValueType {
        switch node.content {
        case .scalar(let scalar):
            switch scalar.resolved {
            case .null: return .null
            case .boolean: return .bool
            case .integer: return .int
            case .float: return .double
            case .string: return .string
            }
        case .sequence(let nodes): return .list(try common(nodes))
        case .mapping(let mapping): return .map(key: .string, value: try common(mapping.entries.map(\.value)))
        }
    }

    private static func common(_ nodes: [YAMLNode]) throws(SettingsFault) -> ValueType {
        guard let first = nodes.first else { return .dyn }
        let type = try type(of: first)
        for node in nodes.dropFirst() where try Self.type(of: node) != type { return .dyn }
        return type
    }
}

extension YAMLValues {
    /// YAML as JSON text, for what is JSON by nature: a schema written into the file.
    static func json(_ node: YAMLNode) -> [UInt8] {
        let output = OutputBuffer()
        append(node, to: JSONWriter(output))
        return Array(output.bytes)
    }

    private static func append(_ node: YAMLNode, to writer: JSONWriter) {
        switch node.content {
        case .sequence(let nodes):
            writer.beginArray()
            for node in nodes { append(node, to: writer) }
            writer.endArray()
        case .mapping(let mapping):
            writer.beginObject()
            for entry in mapping.entries {
                writer.key(entry.key)
                append(entry.value, to: writer)
            }
            writer.endObject()
        case .scalar(let scalar):
            switch scalar.resolved {
            case .null: writer.null()
            case .boolean(let value): writer.bool(value)
            case .integer(let value): writer.integer(value)
            case .float(let value):
                // The exact digits, where they are a number of JSON's too.
                if let decimal = Decimal(scalar.text) { writer.decimal(decimal) } else { writer.float(value) }
            case .string: writer.string(scalar.text)
            }
        }
    }
}

/// Something wrong with a file, told with its place.
struct SettingsFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
