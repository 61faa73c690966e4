public import StreamKit

/// The in-memory cluster as one process of one application sees it. Its calls go wrong as its fault plan says.
public final class InMemoryClient: Cluster, @unchecked Sendable {  // single-threaded, as the cluster is
    public let cluster: InMemoryCluster
    public let application: String
    public let instance: String
    public let faults: FaultPlan
    let isStatic: Bool
    /// Larger records are refused by the client itself, before they are sent: to every topic, or to the one named here.
    public var maximumRecordBytes = Int.max
    public var refusedTopic: String?
    /// How many partitions a consumer takes records of at a time, and how many of each: small, so that batches are mixed.
    public var recordsPerPartitionAtOnce = 3
    /// How many records a poll of a changelog or reference topic brings at most.
    public var readerRecordsMax = Int.max
    /// How many records the process read of changelogs and reference topics.
    public internal(set) var readerRecordCount = 0

    init(cluster: InMemoryCluster, application: String, instance: String, isStatic: Bool, faults: FaultPlan) {
        self.cluster = cluster
        self.application = application
        self.instance = instance
        self.isStatic = isStatic
        self.faults = faults
    }

    public func makeConsumer(thread: Int) throws(BrokerFailure) -> any SourceConsumer {
        try faults.call(.makeConsumer) { InMemoryConsumer(self, thread: thread) }
    }

    public func makeProducer(thread: Int) throws(BrokerFailure) -> any TransactionalProducer {
        try faults.call(.makeProducer) { InMemoryProducer(self, thread: thread) }
    }

    public func makeReader(follows: Bool) throws(BrokerFailure) -> any PartitionReader {
        try faults.call(.makeReader) { InMemoryReader(self) }
    }

    public func partitionCounts(of topics: [String]) throws(BrokerFailure) -> [String: Int32] {
        try faults.call(.partitionCounts) {
            var counts: [String: Int32] = [:]
            for topic in topics { counts[topic] = cluster.partitionCount(of: topic) }
            return counts
        }
    }

    public func createTopics(_ topics: [TopicDefinition]) throws(BrokerFailure) {
        try faults.call(.createTopics) {
            for topic in topics { cluster.createTopic(topic.name, partitions: topic.partitions) }
        }
    }

    public func deleteRecords(before offsets: [TopicPartition: Int64]) throws(BrokerFailure) {
        try faults.call(.deleteRecords) {
            for (partition, offset) in offsets { cluster.deleteRecords(of: partition, before: offset) }
        }
    }
}
