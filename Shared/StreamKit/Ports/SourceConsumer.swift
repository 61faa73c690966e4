/// The runtime's way to read: a member of a consumer group, used by one thread only.
public protocol SourceConsumer: AnyObject {
    /// Joins the group for these topics. Topics that do not exist yet are waited for.
    func subscribe(_ topics: [String], listener: any AssignmentListener) throws(BrokerFailure)

    /// Waits up to `timeoutMilliseconds` for a first record, then takes what is there without waiting, at most `maximum`.
    ///
    /// The listener is called from inside. The records are valid until `release()`, which the caller owes before the next poll.
    func poll(timeoutMilliseconds: Int32, maximum: Int) throws(BrokerFailure) -> PolledBatch

    /// Frees the records of the last poll.
    func release()

    /// The dense number that `Origin.source` uses for this partition, the same for the consumer's whole life.
    func index(of partition: TopicPartition) -> Int32
    func partition(at index: Int32) -> TopicPartition

    /// Decodes the headers of a record of the current batch, in their order.
    func headers(of reference: HeaderReference) -> [Header]

    /// Gives up what was assigned before and begins to read these partitions at these offsets, paused where the flag says so.
    /// Called by the listener for a new assignment.
    func assign(_ starts: [StartOffset]) throws(BrokerFailure)
    func unassign() throws(BrokerFailure)

    func seek(_ starts: [(partition: TopicPartition, offset: Int64)]) throws(BrokerFailure)
    func pause(_ partitions: [TopicPartition]) throws(BrokerFailure)
    func resume(_ partitions: [TopicPartition]) throws(BrokerFailure)

    /// What the group has committed, waiting for offsets that a transaction has pending; nothing for partitions without.
    func committed(_ partitions: [TopicPartition]) throws(BrokerFailure) -> [TopicPartition: CommittedOffset]

    /// The first offset there is and the one after the last; with `stable` the last stable offset in place of the latter.
    func bounds(of partition: TopicPartition, stable: Bool) throws(BrokerFailure) -> OffsetBounds

    /// Where the partition ended when its records were last fetched; nil where nobody knows. Asked once a poll, so it must not ask
    /// the broker.
    func knownEnd(of source: Int32) -> Int64?

    /// How many partitions the topic has; nil if it does not exist.
    func partitionCount(of topic: String) throws(BrokerFailure) -> Int32?

    /// Leaves the group (a dynamic member), or only goes silent (a static one), within a bound of time.
    func close()
}

/// What the group protocol does to a member. Called on the consumer's thread, from inside `poll` or `close`.
public protocol AssignmentListener: AnyObject {
    /// These partitions are now this member's; the listener calls `assign` for all of them.
    func partitionsAssigned(_ partitions: [TopicPartition])
    /// The last moment at which this member may commit; `lost` if it is already too late for that.
    func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool)
}

public struct PolledBatch {
    public let records: UnsafeBufferPointer<Record>
    /// A rebalance took place while the batch was gathered: its records may belong to partitions as they were before, so
    /// none of them may be processed, and every partition must be sought to where processing stands.
    public let interrupted: Bool
    /// Partitions whose end was reached since the last poll (control records do not count as left over).
    public let reachedEnd: [Int32]
    /// Partitions whose position no longer exists in the log.
    public let lostPositions: [TopicPartition]

    public init(
        records: UnsafeBufferPointer<Record>, interrupted: Bool, reachedEnd: [Int32], lostPositions: [TopicPartition]
    ) {
        self.records = records
        self.interrupted = interrupted
        self.reachedEnd = reachedEnd
        self.lostPositions = lostPositions
    }
}

public struct StartOffset: Hashable, Sendable {
    public let partition: TopicPartition
    public let offset: Int64
    public let paused: Bool

    public init(_ partition: TopicPartition, offset: Int64, paused: Bool) {
        self.partition = partition
        self.offset = offset
        self.paused = paused
    }
}

/// The next offset to read, with what the committer wrote beside it.
public struct CommittedOffset: Hashable, Sendable {
    public let offset: Int64
    public let metadata: String

    public init(offset: Int64, metadata: String) {
        self.offset = offset
        self.metadata = metadata
    }
}

public struct OffsetBounds: Hashable, Sendable {
    public let first: Int64
    public let end: Int64

    public init(first: Int64, end: Int64) {
        self.first = first
        self.end = end
    }
}
