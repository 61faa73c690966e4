internal import CLibrdkafka
internal import Glibc

/// A partition of a topic.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let topic: String
    public let partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)-\(partition)" }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// Where reading of a partition begins. An offset is the quickest: librdkafka has to ask for the others' first, and when the
/// leader is not yet connected it asks again only after half a second.
public enum ReadPosition: Hashable, Sendable {
    case beginning
    case end
    /// The next record to read is the first at or after this offset.
    case offset(Int64)

    var code: Int64 {
        switch self {
        case .beginning: Int64(RD_KAFKA_OFFSET_BEGINNING)
        case .end: Int64(RD_KAFKA_OFFSET_END)
        case .offset(let offset): offset
        }
    }
}

/// A group's committed offset: the next record to read, and what the group noted with it.
public struct CommittedOffset: Hashable, Sendable {
    public let offset: Int64
    public let metadata: String

    public init(offset: Int64, metadata: String = "") {
        self.offset = offset
        self.metadata = metadata
    }
}

/// The one owner of a librdkafka list of partitions.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int) {
        pointer = rd_kafka_topic_partition_list_new(Int32(clamping: capacity))
    }

    init(_ partitions: some Collection<TopicPartition>) {
        self.init(capacity: partitions.count)
        for partition in partitions { add(partition) }
    }

    init(_ positions: [TopicPartition: ReadPosition]) {
        self.init(capacity: positions.count)
        for (partition, position) in positions { add(partition, offset: position.code) }
    }

    init(_ offsets: [TopicPartition: CommittedOffset]) {
        self.init(capacity: offsets.count)
        for (partition, committed) in offsets {
            let element = add(partition, offset: committed.offset)
            if committed.metadata.isEmpty { continue }
            // librdkafka frees it together with the list.
            element.pointee.metadata = strdup(committed.metadata).map { UnsafeMutableRawPointer($0) }
            element.pointee.metadata_size = committed.metadata.utf8.count
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    @discardableResult
    func add(_ partition: TopicPartition, offset: Int64? = nil) -> UnsafeMutablePointer<rd_kafka_topic_partition_t> {
        let element: UnsafeMutablePointer<rd_kafka_topic_partition_t> =
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
        if let offset { element.pointee.offset = offset }
        return element
    }

    /// Gives the list to a caller that must destroy it.
    consuming func take() -> UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
        let taken = pointer
        discard self
        return taken
    }
}

extension UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
    var elements: UnsafeBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeBufferPointer(start: pointee.elems, count: Int(pointee.cnt))
    }

    var partitions: [TopicPartition] { elements.map(\.topicPartition) }

    /// What is committed for each partition that has something committed.
    func committedOffsets(_ operation: String) throws(KafkaError) -> [TopicPartition: CommittedOffset] {
        var found: [TopicPartition: CommittedOffset] = [:]
        for element in elements {
            try check(element.err, operation, subject: element.topicPartition.description)
            if element.offset < 0 { continue }
            found[element.topicPartition] = CommittedOffset(offset: element.offset, metadata: element.metadataText)
        }
        return found
    }
}

extension rd_kafka_topic_partition_t {
    var topicPartition: TopicPartition { TopicPartition(String(cString: topic), partition) }

    var metadataText: String {
        String(
            decoding: UnsafeRawBufferPointer(start: metadata, count: metadata == nil ? 0 : metadata_size), as: UTF8.self
        )
    }
}
