public import JSONSchema
public import StreamKitService
internal import YAML

/// A JSON Schema in a service's file: `schema: {file: order.schema.json}`, or the schema itself in place of `file`.
public enum SchemaSettings {
    /// Compiles it; all that is wrong is recorded, and what has no effect is warned of, each with its place in the schema. nil if there
    /// is none, or none that can be used.
    public static func schema(_ settings: SettingsReader, _ key: String) -> JSONSchema? {
        guard let node = settings.tree(key), !node.isNull else { return nil }
        var places = SchemaPlaces(inline: node)
        do throws(SchemaError) {
            guard let file = node.mapping?["file"]?.scalar?.text, node.mapping?.entries.count == 1 else {
                let schema = try JSONSchema(YAMLValues.json(node), formats: .assertion)
                warn(settings, key, schema, &places)
                return schema
            }
            let path = settings.path(file)
            let text: [UInt8]
            do { text = try SchemaFile.read(path: path) } catch {
                settings.problem(key, "\(error)")
                return nil
            }
            let schema = try JSONSchema(
                text, uri: SchemaFile.uri(path: path), formats: .assertion, load: SchemaFile.load)
            warn(settings, key, schema, &places)
            return schema
        } catch {
            for problem in error.problems {
                if let place = places.place(of: problem) {
                    settings.problem(key, at: place.mark, "\(place.pointer): \(problem.message)")
                } else {
                    settings.problem(key, "\(problem)")
                }
            }
            return nil
        }
    }

    private static func warn(
        _ settings: SettingsReader, _ key: String, _ schema: JSONSchema, _ places: inout SchemaPlaces
    ) {
        for warning in schema.warnings {
            if let place = places.place(of: warning) {
                settings.warning(key, at: place.keyMark, "\(place.pointer): \(warning.message)")
            } else {
                settings.warning(key, "\(warning)")
            }
        }
    }
}

/// Where a schema's problems are for an editor: lines and columns of the YAML that holds the schema, or of the schema's files.
private struct SchemaPlaces {
    struct Place {
        /// Of the value.
        let mark: YAMLMark
        /// Of the key that the value has, where it has one.
        let keyMark: YAMLMark
        let pointer: String
    }

    private let inline: YAMLNode
    /// The files with problems; nil for one that is not read as YAML, of which JSON is a part.
    private var files: [String: YAMLNode?] = [:]

    init(inline: YAMLNode) {
        self.inline = inline
    }

    /// The place of a problem, with the pointer to it as the schema counts. nil for what is wrong with a file as a whole.
    mutating func place(of problem: SchemaProblem) -> Place? {
        guard let hash = problem.location.firstIndex(of: "#") else { return nil }
        let uri = String(problem.location[..<hash])
        let pointer = String(problem.location[hash...])
        guard let path = SchemaFile.path(uri: uri) else {
            // An identifier of the schema's own: only one written into the YAML is surely here.
            return inline.mapping?["file"] == nil ? Self.place(pointer, in: inline) : nil
        }
        guard let root = file(path) else { return nil }
        return Self.place(pointer, in: root)
    }

    private mutating func file(_ path: String) -> YAMLNode? {
        if let known = files[path] { return known }
        let root = (try? SchemaFile.read(path: path)).flatMap { try? YAMLDocument.parse($0, source: path) }
        files[path] = .some(root)
        return root
    }

    /// The place of what a JSON pointer leads to, or of what it comes nearest to.
    private static func place(_ pointer: String, in root: YAMLNode) -> Place {
        var node = root
        var keyMark = root.mark
        for token in JSONPointer.tokens(String(pointer.dropFirst())) {
            if let entry = node.mapping?.entries.first(where: { $0.key == token }) {
                node = entry.value
                keyMark = entry.keyMark
            } else if let elements = node.sequence, let index = Int(token), elements.indices.contains(index) {
                node = elements[index]
                keyMark = node.mark
            } else {
                break
            }
        }
        return Place(mark: node.mark, keyMark: keyMark, pointer: pointer)
    }
}
