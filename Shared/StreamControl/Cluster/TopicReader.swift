public import Kafka

/// What `streamctl tail` reads.
public struct ReadRequest: Sendable {
    public enum Start: Equatable, Sendable {
        case start
        case end
        case offset(Int64)
        /// So many offsets before the end of each partition.
        case last(Int64)
    }

    public var topics: [String]
    /// Nil is all of them.
    public var partition: Int32?
    public var from: Start = .start
    /// Goes on at the end, for ever.
    public var follows = false
    /// Ends after so many records.
    public var count: Int?

    public init(topics: [String]) {
        self.topics = topics
    }
}

/// Reads committed records of topics without joining a group.
public final class TopicReader {
    private let connection: ClusterConnection
    private let request: ReadRequest
    private let admin: KafkaAdmin

    public init(_ connection: ClusterConnection, _ request: ReadRequest) throws {
        self.connection = connection
        self.request = request
        admin = try connection.admin()
    }

    /// Hands out the records, in each partition's order, up to the ends that the partitions had at the beginning.
    ///
    /// - Parameters:
    ///   - record: borrowed; valid within the call.
    ///   - idle: nothing came for a while, or a batch was through: what is shown should be on its way.
    public func read(
        record: (ConsumedRecord, TopicPartition) throws -> Void, idle: () -> Void = {}
    ) throws {
        let partitions = try self.partitions()
        let starts = try admin.offsets(.earliest, of: partitions, timeout: ClusterConnection.timeout)
        let ends = try admin.offsets(.latestCommitted, of: partitions, timeout: ClusterConnection.timeout)
        var positions: [TopicPartition: ReadPosition] = [:]
        for partition in partitions {
            let (start, end) = (starts[partition] ?? 0, ends[partition] ?? 0)
            let position = position(start, end)
            if position < end || request.follows { positions[partition] = .offset(position) }
        }
        var left = request.count ?? .max
        if positions.isEmpty || left <= 0 { return }
        let consumer = try connection.consumer()
        try consumer.assign(positions)
        var open = Set(positions.keys)
        while left > 0 && (request.follows || !open.isEmpty) {
            let batch = try consumer.poll(timeout: .milliseconds(100))
            for index in 0..<batch.count where left > 0 {
                if let next = batch.record(at: index) {
                    let partition = consumer.topicPartition(at: next.partitionIndex)
                    // What came after the beginning is of the next look.
                    let end = ends[partition] ?? 0
                    if request.follows || next.offset < end {
                        try record(next, partition)
                        left -= 1
                    }
                    if next.offset >= end - 1 { open.remove(partition) }
                } else if let event = batch.event(at: index) {
                    switch event {
                    case .partitionEnd(let partitionIndex, _):
                        open.remove(consumer.topicPartition(at: partitionIndex))
                    case .offsetOutOfRange(let partitionIndex, let offset, _):
                        throw ClusterQuestionError(
                            "\(consumer.topicPartition(at: partitionIndex)) has no offset \(offset) any more")
                    case .failure(let error, nil) where error.isRetriable || error.code.leavesOutcomeUnknown: break
                    case .failure(let error, _): throw error
                    }
                }
            }
            idle()
        }
        try consumer.close(timeout: .seconds(5))
    }

    private func position(_ start: Int64, _ end: Int64) -> Int64 {
        switch request.from {
        case .start: start
        case .end: end
        case .offset(let offset): min(max(start, offset), end)
        case .last(let count): max(start, end - min(count, end))
        }
    }

    private func partitions() throws -> [TopicPartition] {
        let found = try admin.topics(request.topics, timeout: ClusterConnection.timeout)
        var partitions: [TopicPartition] = []
        for topic in request.topics {
            guard let metadata = found[topic] else { throw ClusterQuestionError("there is no topic \(topic)") }
            let own = metadata.topicPartitions.filter { request.partition == nil || $0.partition == request.partition }
            if own.isEmpty, let partition = request.partition {
                throw ClusterQuestionError("\(topic) has no partition \(partition), but \(metadata.partitions.count)")
            }
            partitions += own
        }
        return partitions
    }
}
