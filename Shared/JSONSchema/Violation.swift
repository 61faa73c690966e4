/// One rule that a value breaks.
public struct Violation: Sendable, Equatable, CustomStringConvertible {
    /// Where in the value, as a JSON pointer (RFC 6901): `/items/0/price`; empty for the whole.
    public let instancePointer: String
    /// The keyword of the schema: `minimum`.
    public let keyword: String
    /// Where the keyword stands: `#/properties/amount/minimum`.
    public var schemaLocation: String { "\(location)/\(keyword)" }
    /// What is wrong, for a reader who has neither at hand: `amount must be at least 0.01, but is -5`.
    public let message: String

    /// Where the schema stands that has the keyword. Put together when asked for: a dead letter has no use for it.
    private let location: String

    init(instancePointer: String, keyword: StaticString, location: String, message: String) {
        self.instancePointer = instancePointer
        self.keyword = keyword.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        self.location = location
        self.message = message
    }

    public var description: String { message }
}
