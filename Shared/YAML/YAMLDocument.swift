/// One YAML document as a tree in which every value and key knows its line.
///
/// Stricter than YAML allows: one document, keys are scalars and occur once, tags are those of the core schema, and depth,
/// size and what aliases may expand to are bounded. Anchors, aliases and merge keys (`<<`) work.
public enum YAMLDocument {
    public struct Limits: Sendable {
        public var bytes: Int
        /// Of collections within collections.
        public var depth: Int
        /// Values and keys, each counted as often as aliases repeat it.
        public var nodes: Int

        public init(bytes: Int = 4 << 20, depth: Int = 100, nodes: Int = 200_000) {
            self.bytes = bytes
            self.depth = depth
            self.nodes = nodes
        }
    }

    /// Parses a document.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8.
    ///   - source: the name that marks and errors carry, as a rule the file's.
    ///   - variables: what `${NAME}` in a value stands for; `nil` leaves such text as it is.
    /// - Returns: the root; a null scalar if the document is empty.
    /// - Throws: all problems found; those of the grammar end the reading.
    public static func parse(
        _ bytes: [UInt8], source: String, limits: Limits = Limits(), variables: ((String) -> String?)? = nil
    ) throws(YAMLError) -> YAMLNode {
        guard bytes.count <= limits.bytes else {
            throw YAMLError(problems: [
                .init(
                    mark: YAMLMark(source: source, line: 1, column: 1),
                    message: "\(bytes.count) bytes; at most \(limits.bytes) are read")
            ])
        }
        let outcome = bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode, YAMLError> in
            do throws(YAMLError) {
                let events = try EventParser(buffer, source: source)
                var composer = Composer(events: events, source: source, limits: limits, variables: variables)
                return .success(try composer.document())
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
