internal import Kafka

/// Finds which of the last offsets of partitions are committed records.
///
/// Each transaction leaves a marker behind its records, and an aborted one leaves records that nobody gets. A group that has
/// read everything therefore stands some offsets before the end, for ever: only reading tells.
final class TailCounter {
    /// Longer tails are not read.
    static let offsetsMax: Int64 = 100

    private let connection: ClusterConnection
    private var consumer: KafkaConsumer?

    init(_ connection: ClusterConnection) {
        self.connection = connection
    }

    /// The offsets of committed records in `from ..< to` of each partition.
    func recordOffsets(
        from starts: [TopicPartition: Int64], to ends: [TopicPartition: Int64]
    ) throws -> [TopicPartition: [Int64]] {
        if starts.isEmpty { return [:] }
        let consumer = try self.consumer ?? connection.consumer()
        self.consumer = consumer
        try consumer.assign(starts.mapValues { .offset($0) })
        var found = starts.mapValues { _ in [Int64]() }
        var open = Set(starts.keys)
        let deadline = ContinuousClock.now + ClusterConnection.timeout
        while !open.isEmpty {
            guard ContinuousClock.now < deadline else {
                throw ClusterQuestionError(
                    "the end of \(open.sorted().map(\.description).joined(separator: ", ")) did not come within "
                        + "\(ClusterConnection.timeout)")
            }
            try consumer.poll(timeout: .milliseconds(100)).forEach(
                record: { record in
                    let partition = consumer.topicPartition(at: record.partitionIndex)
                    guard let end = ends[partition] else { return }
                    if record.offset < end { found[partition, default: []].append(record.offset) }
                    if record.offset >= end - 1 { open.remove(partition) }
                },
                event: { event in
                    if case .partitionEnd(let index, _) = event { open.remove(consumer.topicPartition(at: index)) }
                })
        }
        return found
    }
}
