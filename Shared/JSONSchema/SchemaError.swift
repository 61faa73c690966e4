/// One thing wrong with a schema.
public struct SchemaProblem: Sendable, Equatable, CustomStringConvertible {
    /// Where in the schema, as a URI with a JSON pointer: `#/properties/amount/minimum`.
    public let location: String
    /// What is wrong, and what would be right.
    public let message: String

    public init(_ message: String, at location: String) {
        self.message = message
        self.location = location
    }

    public var description: String { "\(location): \(message)" }
}

/// Everything that is wrong with a schema, in one go.
public struct SchemaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Never empty.
    public let problems: [SchemaProblem]

    public init(_ problems: [SchemaProblem]) {
        self.problems = problems
    }

    public var description: String {
        problems.map { $0.description }.joined(separator: "\n")
    }
}
