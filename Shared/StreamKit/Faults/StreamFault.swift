/// Why a record's way through the processors ended early.
public enum StreamFault: Error, Sendable {
    /// The record itself is at fault: it becomes a dead letter, and the next one is read.
    case refused(Refusal)
    /// An output of the record is: nothing of what the record did may remain, and it becomes a dead letter.
    case outputRefused(String)
    /// The broker is: the transaction decides what follows.
    case broker(BrokerFailure)
    /// A local store is: the service stops, and recovers from the changelog when it is started again.
    case store(StoreFailure)
}

/// Why a record is not passed on.
public struct Refusal: Error, Hashable, Sendable {
    /// A constant that people count by, in capitals: `MALFORMED_JSON`, `LATE`.
    public let type: String
    /// What is wrong, naming the field and the rule.
    public let message: String
    /// Further members of the dead letter, with their JSON text.
    public let details: [(name: String, json: String)]

    public init(_ type: String, _ message: String, details: [(name: String, json: String)] = []) {
        self.type = type
        self.message = message
        self.details = details
    }

    public static func == (left: Refusal, right: Refusal) -> Bool {
        left.type == right.type && left.message == right.message
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        hasher.combine(message)
    }
}
