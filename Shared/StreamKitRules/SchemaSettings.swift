public import JSONSchema
public import StreamKitService
internal import YAML

/// A JSON Schema in a service's file: `schema: {file: order.schema.json}`, or the schema itself in place of `file`.
public enum SchemaSettings {
    /// Compiles it; what is wrong is recorded. nil if there is none, or none that can be used.
    public static func schema(_ settings: SettingsReader, _ key: String) -> JSONSchema? {
        guard let node = settings.tree(key), !node.isNull else { return nil }
        do {
            if let file = node.mapping?["file"]?.scalar?.text, node.mapping?.entries.count == 1 {
                let path = settings.path(file)
                let text = try FileSystem.read(path, limit: 16 << 20)
                return try JSONSchema(text, uri: "file://\(path)", formats: .assertion, load: load)
            }
            return try JSONSchema(YAMLValues.json(node), formats: .assertion)
        } catch {
            settings.problem(key, "\(error)")
            return nil
        }
    }

    /// Other files that a schema refers to.
    private static func load(_ uri: String) throws -> [UInt8]? {
        guard uri.hasPrefix("file://") else { return nil }
        return try FileSystem.read(String(uri.dropFirst("file://".count)), limit: 16 << 20)
    }
}
