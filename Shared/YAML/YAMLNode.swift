/// Where a value or key begins: a file with line and column, or another source (a command-line override) without.
public struct YAMLMark: Hashable, Sendable, CustomStringConvertible {
    /// A file's name, or the words that say where else the value came from.
    public let source: String
    /// From 1; 0 where the source has no lines.
    public let line: Int
    /// From 1, in Unicode scalars.
    public let column: Int

    public init(source: String, line: Int = 0, column: Int = 0) {
        self.source = source
        self.line = line
        self.column = column
    }

    /// `file:line:column`, the form that editors and terminals turn into a link.
    public var description: String {
        line == 0 ? source : "\(source):\(line):\(column)"
    }
}

/// A value of a YAML document that knows where it stands.
public struct YAMLNode: Sendable {
    public enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping(YAMLMapping)
    }

    public let content: Content
    public let mark: YAMLMark

    public init(_ content: Content, at mark: YAMLMark) {
        self.content = content
        self.mark = mark
    }

    public var scalar: YAMLScalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    public var sequence: [YAMLNode]? {
        if case .sequence(let nodes) = content { nodes } else { nil }
    }

    public var mapping: YAMLMapping? {
        if case .mapping(let mapping) = content { mapping } else { nil }
    }

    /// Nothing was written, or `null` or `~` without quotes.
    public var isNull: Bool { scalar?.resolved == .null }

    /// What the value is, in the words of an error message: `the list`, `the text "5"`, `the number 5`.
    public var summary: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): scalar.summary
        }
    }
}

/// Keys and values in the order of the document; a key occurs once.
public struct YAMLMapping: Sendable {
    public struct Entry: Sendable {
        public let key: String
        public let keyMark: YAMLMark
        public var value: YAMLNode

        public init(key: String, keyMark: YAMLMark, value: YAMLNode) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    public private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]

    public init() {}

    public subscript(key: String) -> YAMLNode? { entry(key)?.value }

    public func entry(_ key: String) -> Entry? {
        positions[key].map { entries[$0] }
    }

    /// Adds an entry, or puts another value under a key that is there.
    public mutating func set(_ entry: Entry) {
        if let position = positions[entry.key] {
            entries[position] = entry
        } else {
            positions[entry.key] = entries.count
            entries.append(entry)
        }
    }
}
