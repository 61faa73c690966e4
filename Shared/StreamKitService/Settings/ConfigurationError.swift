public import YAML

/// One thing that is wrong with the configuration: where, under which key, and what to write instead.
public struct SettingsProblem: Sendable, Equatable, CustomStringConvertible {
    public let mark: YAMLMark
    /// Dotted, with list positions in brackets: `inputs[0].topic`; empty for the document as a whole.
    public let keyPath: String
    public let message: String

    public init(mark: YAMLMark, keyPath: String, message: String) {
        self.mark = mark
        self.keyPath = keyPath
        self.message = message
    }

    public var description: String {
        keyPath.isEmpty ? "\(mark): \(message)" : "\(mark): \(keyPath): \(message)"
    }
}

extension [SettingsProblem] {
    var inOrderOfTheFile: [SettingsProblem] {
        enumerated().sorted { first, second in
            let (a, b) = (first.element.mark, second.element.mark)
            return (a.source, a.line, a.column, first.offset) < (b.source, b.line, b.column, second.offset)
        }.map(\.element)
    }
}

/// Why a service does not start: everything that is wrong with its configuration, at once.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// Never empty; in the order of the file.
    public let problems: [SettingsProblem]

    public init(_ problems: [SettingsProblem]) {
        self.problems = problems.inOrderOfTheFile
    }

    init(_ error: YAMLError) {
        self.init(error.problems.map { SettingsProblem(mark: $0.mark, keyPath: "", message: $0.message) })
    }

    public var description: String {
        let heading =
            problems.count == 1 ? "1 error in the configuration" : "\(problems.count) errors in the configuration"
        // A message of several lines shows a place in an expression; all of it is indented.
        let lines = problems.flatMap { $0.description.split(separator: "\n", omittingEmptySubsequences: false) }
        return ([heading + ":"] + lines.map { "  \($0)" }).joined(separator: "\n")
    }
}
