internal import YAML

extension SettingsProblem {
    struct Failure: Error {
        let problem: SettingsProblem
    }
}

/// `key.path=value` of the command line: one scalar, put in the place of the file's.
struct SettingOverride {
    private let key: String
    private let value: YAMLNode

    private static let source = "--set"

    /// Whether a value comes from the command line.
    static func isOrigin(of mark: YAMLMark) -> Bool { mark.source.hasPrefix(source + " ") }

    init(_ text: String) throws(SettingsProblem.Failure) {
        let mark = YAMLMark(source: "\(Self.source) \(text.prefix { $0 != "=" })")
        guard let separator = text.firstIndex(of: "="), separator != text.startIndex else {
            throw Self.failure(
                YAMLMark(source: "\(Self.source) \(text)"), "", "must be KEY=VALUE, as in commit.interval=10ms")
        }
        key = String(text[..<separator])
        value = YAMLNode(.scalar(YAMLScalar(String(text[text.index(after: separator)...]))), at: mark)
    }

    func applied(to root: YAMLNode) throws(SettingsProblem.Failure) -> YAMLNode {
        try applied(to: root, key: key[...])
    }

    private func applied(to node: YAMLNode, key rest: Substring) throws(SettingsProblem.Failure) -> YAMLNode {
        guard var mapping = node.mapping else {
            throw Self.failure(
                value.mark, key, "the file has \(node.summary) at \(node.mark), where this needs a mapping")
        }
        // A key of the file may itself have dots, as Kafka's properties do.
        if let entry = mapping.entry(String(rest)) {
            guard entry.value.scalar != nil else {
                throw Self.failure(
                    value.mark, key,
                    "the file has \(entry.value.summary) at \(entry.value.mark); --set replaces single values")
            }
            mapping.set(.init(key: entry.key, keyMark: value.mark, value: value))
            return YAMLNode(.mapping(mapping), at: node.mark)
        }
        let part = String(rest.prefix { $0 != "." })
        guard part.count < rest.count else {
            mapping.set(.init(key: part, keyMark: value.mark, value: value))
            return YAMLNode(.mapping(mapping), at: node.mark)
        }
        var child = mapping[part] ?? YAMLNode(.mapping(YAMLMapping()), at: value.mark)
        if child.isNull { child = YAMLNode(.mapping(YAMLMapping()), at: child.mark) }
        let replaced = try applied(to: child, key: rest.dropFirst(part.count + 1))
        mapping.set(.init(key: part, keyMark: mapping.entry(part)?.keyMark ?? value.mark, value: replaced))
        return YAMLNode(.mapping(mapping), at: node.mark)
    }

    private static func failure(_ mark: YAMLMark, _ key: String, _ message: String) -> SettingsProblem.Failure {
        SettingsProblem.Failure(problem: SettingsProblem(mark: mark, keyPath: key, message: message))
    }
}
