/// Why a pattern cannot be compiled.
public struct PatternError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with the pattern.
    public let message: String
    /// The character of the pattern, counted from 0, at which it went wrong; nil where it is about the whole.
    public let offset: Int?

    public init(_ message: String, at offset: Int? = nil) {
        self.message = message
        self.offset = offset
    }

    public var description: String {
        offset.map { "\(message) at character \($0) of the pattern" } ?? message
    }
}
