/// The Kafka cluster as the runtime needs it: makes the clients of a thread, and sees to topics. Shared by all threads.
public protocol Cluster: Sendable {
    func makeConsumer(thread: Int) throws(BrokerFailure) -> any SourceConsumer
    func makeProducer(thread: Int) throws(BrokerFailure) -> any TransactionalProducer
    /// A reader of whole partitions without a group: changelogs and reference topics. One that `follows` goes on reading where they
    /// end, and then asks the broker as seldom as it can.
    func makeReader(follows: Bool) throws(BrokerFailure) -> any PartitionReader

    /// How many partitions each of these topics has; topics that do not exist are left out.
    func partitionCounts(of topics: [String]) throws(BrokerFailure) -> [String: Int32]
    /// Creates what does not exist; what exists stays as it is.
    func createTopics(_ topics: [TopicDefinition]) throws(BrokerFailure)
    /// Deletes the records before these offsets (of repartition topics, once they were consumed).
    func deleteRecords(before offsets: [TopicPartition: Int64]) throws(BrokerFailure)
}

public struct TopicDefinition: Hashable, Sendable {
    public let name: String
    public let partitions: Int32
    /// nil: the broker's default.
    public let replication: Int16?
    public let configuration: [String: String]

    public init(name: String, partitions: Int32, replication: Int16? = nil, configuration: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.configuration = configuration
    }
}

/// Reads committed records of partitions from given offsets, for one thread.
public protocol PartitionReader: AnyObject {
    func assign(_ starts: [StartOffset]) throws(BrokerFailure)
    /// The first offset there is and the high watermark: a pending commit counts.
    func bounds(of partition: TopicPartition) throws(BrokerFailure) -> OffsetBounds
    func index(of partition: TopicPartition) -> Int32
    func partition(at index: Int32) -> TopicPartition
    /// As `SourceConsumer.poll`.
    func poll(timeoutMilliseconds: Int32, maximum: Int) throws(BrokerFailure) -> PolledBatch
    func release()
    /// The next offset that would be read, past control records and aborted ones; nil before the first poll.
    func position(of partition: TopicPartition) -> Int64?
    func close()
}

/// Where topics end for readers of committed records: what lag is measured against. Asked beside the stream threads.
public protocol StableEndSource: Sendable {
    /// Partitions that nobody can tell of are left out.
    func stableEnds(of partitions: [TopicPartition]) throws(BrokerFailure) -> [TopicPartition: Int64]
}
