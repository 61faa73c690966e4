public import JSONSchema
public import StreamKitService
internal import YAML

/// A JSON Schema in a service's file: `schema: {file: order.schema.json}`, or the schema itself in place of `file`.
public enum SchemaSettings {
    /// Compiles it; all that is wrong is recorded, each with its place in the schema. nil if there is none, or none that can be used.
    public static func schema(_ settings: SettingsReader, _ key: String) -> JSONSchema? {
        guard let node = settings.tree(key), !node.isNull else { return nil }
        var places = SchemaPlaces(inline: node)
        do throws(SchemaError) {
            guard let file = node.mapping?["file"]?.scalar?.text, node.mapping?.entries.count == 1 else {
                return try JSONSchema(YAMLValues.json(node), formats: .assertion)
            }
            let path = settings.path(file)
            let text: [UInt8]
            do { text = try SchemaFile.read(path: path) } catch {
                settings.problem(key, "\(error)")
                return nil
            }
            return try JSONSchema(text, uri: SchemaFile.uri(path: path), formats: .assertion, load: SchemaFile.load)
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
}

/// Where a schema's problems are for an editor: lines and columns of the YAML that holds the schema, or of the schema's files.
private struct SchemaPlaces {
    private let inline: YAMLNode
    /// The files with problems; nil for one that is not read as YAML, of which JSON is a part.
    private var files: [String: YAMLNode?] = [:]

    init(inline: YAMLNode) {
        self.inline = inline
    }

    /// The place of a problem and, as the schema counts, the pointer to it. nil for what is wrong with a file as a whole.
    mutating func place(of problem: SchemaProblem) -> (mark: YAMLMark, pointer: String)? {
        guard let hash = problem.location.firstIndex(of: "#") else { return nil }
        let uri = String(problem.location[..<hash])
        let pointer = String(problem.location[hash...])
        guard let path = SchemaFile.path(uri: uri) else {
            // An identifier of the schema's own: only one written into the YAML is surely here.
            return inline.mapping?["file"] == nil ? (Self.mark(pointer, in: inline), pointer) : nil
        }
        guard let root = file(path) else { return nil }
        return (Self.mark(pointer, in: root), pointer)
    }

    private mutating func file(_ path: String) -> YAMLNode? {
        if let known = files[path] { return known }
        let root = (try? SchemaFile.read(path: path)).flatMap { try? YAMLDocument.parse($0, source: path) }
        files[path] = .some(root)
        return root
    }

    /// The mark of what a JSON pointer leads to, or of what it comes nearest to.
    private static func mark(_ pointer: String, in root: YAMLNode) -> YAMLMark {
        var node = root
        for token in JSONPointer.tokens(String(pointer.dropFirst())) {
            if let next = node.mapping?[token] {
                node = next
            } else if let elements = node.sequence, let index = Int(token), elements.indices.contains(index) {
                node = elements[index]
            } else {
                break
            }
        }
        return node.mark
    }
}
