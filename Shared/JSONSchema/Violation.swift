/// One rule that a value breaks.
public struct Violation: Sendable, Equatable, CustomStringConvertible {
    /// Where in the value, as a JSON pointer (RFC 6901): `/items/0/price`; empty for the whole.
    public let instancePointer: String
    /// The keyword of the schema: `minimum`.
    public let keyword: String
    /// Where the keyword stands: `#/properties/amount/minimum`.
    public let schemaLocation: String
    /// What is wrong, for a reader who has neither at hand: `amount must be at least 0.01, but is -5`.
    public let message: String

    public init(instancePointer: String, keyword: String, schemaLocation: String, message: String) {
        self.instancePointer = instancePointer
        self.keyword = keyword
        self.schemaLocation = schemaLocation
        self.message = message
    }

    public var description: String { message }
}
