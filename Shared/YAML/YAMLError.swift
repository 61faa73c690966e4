/// Why a document was refused: every problem that could be told from one reading, in the order of the document.
public struct YAMLError: Error, Equatable, CustomStringConvertible {
    public struct Problem: Equatable, Sendable, CustomStringConvertible {
        public let mark: YAMLMark
        public let message: String

        public var description: String { "\(mark): \(message)" }
    }

    public let problems: [Problem]

    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
