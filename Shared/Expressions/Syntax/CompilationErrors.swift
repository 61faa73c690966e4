/// One reason why an expression cannot be used, found before any record is read.
public struct CompilationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and where a name was misspelt the nearest one that is right.
    public let message: String
    /// Where it begins.
    public let location: SourceLocation
    /// The source line and a caret under the place.
    public let excerpt: String

    public var description: String { "\(location): \(message)\n\(excerpt)" }
}

/// Everything that is wrong with one expression, in the order of its source.
public struct CompilationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    /// Never empty.
    public let errors: [CompilationError]

    public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// An error on its way out of the lexer, the parser or the checker.
struct SyntaxError: Error {
    let message: String
    let offset: Int

    func located(in source: SourceText) -> CompilationError {
        CompilationError(
            message: message, location: source.location(at: offset), excerpt: source.excerpt(at: offset))
    }
}
