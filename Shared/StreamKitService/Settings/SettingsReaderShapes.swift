public import YAML

/// Keys that may be written in more than one shape.
extension SettingsReader {
    /// Whether the key is there with a single value, or is missing (then reading it as one tells so).
    public func isScalar(_ key: String) -> Bool {
        guard let node = peek(key) else { return true }
        return node.mapping == nil && node.sequence == nil
    }

    public func isPresent(_ key: String) -> Bool { peek(key).map { !$0.isNull } ?? false }

    /// Values of any shape under keys that the user chooses, in the order of the file.
    public func trees(_ key: String) -> [(name: String, node: YAMLNode)] {
        guard let node = tree(key), !node.isNull else { return [] }
        guard let mapping = node.mapping else {
            problem(key, "must be a mapping, not \(node.summary)")
            return []
        }
        return mapping.entries.map { ($0.key, $0.value) }
    }

    /// The folder of the file that the settings were read from: other files are named relative to it.
    public var directory: String {
        guard let slash = node.mark.source.lastIndex(of: "/") else { return "." }
        return slash == node.mark.source.startIndex ? "/" : String(node.mark.source[..<slash])
    }

    /// A file named in the settings, relative to their own file.
    public func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(directory)/\(name)" }
}
