internal import CLibrdkafka

/// A topic as the cluster describes it.
public struct TopicMetadata: Hashable, Sendable {
    public struct Partition: Hashable, Sendable {
        public let id: Int32
        /// Nil while the partition has no leader.
        public let leader: Int32?
        public let replicas: [Int32]
        public let inSyncReplicas: [Int32]
    }

    public let name: String
    public let partitions: [Partition]

    /// - Parameter topics: nil asks for all of them. Those that do not exist are left out.
    static func read(
        _ client: OpaquePointer, topics: [String]?, timeout: Duration
    ) throws(KafkaError) -> [String: TopicMetadata] {
        var found: [String: TopicMetadata] = [:]
        guard let topics else {
            for topic in try request(client, topic: nil, timeout) { found[topic.name] = topic }
            return found
        }
        // librdkafka asks for one topic or for all.
        let deadline = ContinuousClock.now + timeout
        for name in topics {
            for topic in try request(client, topic: name, max(deadline - .now, .milliseconds(1))) {
                found[topic.name] = topic
            }
        }
        return found
    }

    private static func request(
        _ client: OpaquePointer, topic: String?, _ timeout: Duration
    ) throws(KafkaError) -> [TopicMetadata] {
        let operation = "asking for metadata"
        var handle: OpaquePointer?
        if let topic {
            guard let made = rd_kafka_topic_new(client, topic, nil) else {
                throw KafkaError(operation, rd_kafka_last_error(), subject: topic)
            }
            handle = made
        }
        defer { if let handle { rd_kafka_topic_destroy(handle) } }
        var answer: UnsafePointer<rd_kafka_metadata>?
        try check(
            rd_kafka_metadata(client, topic == nil ? 1 : 0, handle, &answer, timeout.timeoutMilliseconds), operation,
            subject: topic)
        guard let answer else { return [] }
        defer { rd_kafka_metadata_destroy(answer) }
        var topics: [TopicMetadata] = []
        for entry in UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt)) {
            let name = String(cString: entry.topic)
            switch entry.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE: break
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: continue
            default: throw KafkaError(operation, entry.err, subject: name)
            }
            let partitions = UnsafeBufferPointer(start: entry.partitions, count: Int(entry.partition_cnt))
            topics.append(
                TopicMetadata(name: name, partitions: partitions.map(Partition.init).sorted { $0.id < $1.id }))
        }
        return topics
    }
}

extension TopicMetadata.Partition {
    fileprivate init(_ partition: rd_kafka_metadata_partition) {
        id = partition.id
        leader = partition.leader < 0 ? nil : partition.leader
        replicas = Array(UnsafeBufferPointer(start: partition.replicas, count: Int(partition.replica_cnt)))
        inSyncReplicas = Array(UnsafeBufferPointer(start: partition.isrs, count: Int(partition.isr_cnt)))
    }
}
