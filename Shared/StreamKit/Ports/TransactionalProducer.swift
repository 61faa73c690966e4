/// The runtime's way to write: a transactional producer, used by one thread only. A call that fails says in its failure's
/// `response` what may follow.
public protocol TransactionalProducer: AnyObject {
    /// Settles what an earlier producer of this transactional id left open, and fences it.
    func initialize() throws(BrokerFailure)
    func begin() throws(BrokerFailure)

    /// A number for the topic, to be used in `send`; the same for the producer's whole life.
    func handle(for topic: String) throws(BrokerFailure) -> Int32
    /// How many partitions the topic has, as of now or a little before; nil if it does not exist.
    func partitionCount(of topic: String) throws(BrokerFailure) -> Int32?

    /// Copies the record into the producer's queue, waiting where that is full. What the broker makes of it is known by
    /// `flush` and `commit` at the latest. `headers` follow those that the record inherits.
    func send(_ record: OutgoingRecord, headers: HeaderBuffer?) throws(SendFailure)

    /// Waits until every record sent was acknowledged or refused. Returns what the broker refused for the record's own sake.
    func flush() throws(BrokerFailure) -> [RefusedRecord]

    /// What the broker is known to have refused by now, for the record's own sake; waits for nothing. A refusal ends the
    /// transaction while others are still sent: their failure then only follows from it.
    func refusedSoFar() -> [RefusedRecord]

    func sendOffsets(
        _ offsets: [TopicPartition: CommittedOffset], of consumer: any SourceConsumer
    ) throws(BrokerFailure)
    func commit() throws(BrokerFailure)
    func abort() throws(BrokerFailure)

    /// Frees the producer without waiting for anything.
    func close()
}

extension TransactionalProducer {
    /// For producers whose refusals come with the call that sends.
    public func refusedSoFar() -> [RefusedRecord] { [] }
}

/// A record to be written. Nothing in it counts references: one is made for each record.
public struct OutgoingRecord {
    public var topic: Int32
    public var partition: Int32
    public var key: Bytes?
    public var value: Bytes?
    /// -1: the producer's clock.
    public var timestampMilliseconds: Int64
    /// Headers of a consumed record to be copied; they come first.
    public var inherited: HeaderReference

    public init(
        topic: Int32, partition: Int32, key: Bytes?, value: Bytes?, timestampMilliseconds: Int64,
        inherited: HeaderReference = .none
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.timestampMilliseconds = timestampMilliseconds
        self.inherited = inherited
    }
}

public enum SendFailure: Error, Sendable {
    /// The record itself cannot be sent: larger than the client allows, for example.
    case refused(reason: String)
    case failed(BrokerFailure)
}

/// A record that the broker did not take although others may pass: too large for the topic, say.
public struct RefusedRecord: Hashable, Sendable {
    public let topic: String
    public let reason: String

    public init(topic: String, reason: String) {
        self.topic = topic
        self.reason = reason
    }
}
