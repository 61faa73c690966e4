/// What a transactional call came to, and so what has to be done next.
public enum TransactionOutcome: Hashable, Sendable {
    case completed
    /// Nothing happened; the same call with the same arguments may be made again.
    case retriable(KafkaError)
    /// The transaction cannot be committed: abort it and read again from where it began.
    case requiresAbort(KafkaError)
    /// The producer is of no use any more (fenced, say). Whether the transaction was committed is unknown.
    case fatal(KafkaError)
    /// No answer, or one that says nothing of what happened. A new producer of the same transactional id settles it with
    /// its ``TransactionalProducer/initializeTransactions(timeout:)``; then the committed offsets tell.
    case ambiguous(KafkaError)

    public var error: KafkaError? {
        switch self {
        case .completed: nil
        case .retriable(let error), .requiresAbort(let error), .fatal(let error), .ambiguous(let error): error
        }
    }

    /// - Parameter isLast: no answer is the end of the transaction, because its time-out is over. librdkafka would let commit and
    ///   abort be repeated, but a late answer to the first try could then end the *next* transaction of the same epoch (Kafka
    ///   before KIP-890).
    static func of(_ error: KafkaError?, isLast: Bool) -> TransactionOutcome {
        guard let error else { return .completed }
        if error.isFatal { return .fatal(error) }
        if error.requiresAbort { return .requiresAbort(error) }
        if isLast && error.code.leavesOutcomeUnknown { return .ambiguous(error) }
        if error.isRetriable { return .retriable(error) }
        return .ambiguous(error)
    }
}

/// Why a record could not be handed over.
public enum ProduceError: Error, Hashable, Sendable {
    /// This record can never be produced, by the client's own judgement (too large, no such partition); the transaction
    /// is not touched.
    case refused(KafkaError)
    /// Nothing can be produced in this transaction any more.
    case failed(TransactionOutcome)
}

/// A record that had been accepted and was not written.
public struct DeliveryFailure: Hashable, Sendable {
    public let partition: TopicPartition
    public let error: KafkaError

    /// The broker refuses this very record (too large, not valid, of the future), so that another try would end the same; the others of
    /// its transaction fail with it, mostly with the same error, because they stood in the same request.
    public var isRefusal: Bool {
        [.messageTooLarge, .recordListTooLarge, .invalidRecord, .invalidTimestamp].contains(error.code)
    }
}
