/// What the outside says went wrong, and what the runtime may do next.
public struct BrokerFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What may follow, in the order of severity.
    public enum Response: Hashable, Sendable {
        /// The same call may be made again.
        case retry
        /// The transaction must be aborted; the producer lives on.
        case abort
        /// The producer cannot go on, or nobody knows what became of its transaction. A new one under the same
        /// transactional id settles it, then the committed offsets tell (see `TransactionMachine`).
        case recreate
        /// A person has to act: no permission, wrong configuration, a topic that cannot be.
        case stop
    }

    public let response: Response
    /// What was tried, e.g. "commit the transaction".
    public let operation: String
    /// The client library's own words, with its error name.
    public let reason: String

    public init(_ response: Response, operation: String, reason: String) {
        self.response = response
        self.operation = operation
        self.reason = reason
    }

    public var description: String { "cannot \(operation): \(reason)" }
}
