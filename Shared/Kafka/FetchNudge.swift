internal import CLibrdkafka

/// Wakes librdkafka's fetching threads, which sleep for up to a second when they find nothing to fetch, and look again whenever
/// they have anything to send: so they are given a small question, ListOffsets, whose answer nobody waits for.
///
/// They find nothing while partitions are paused, and do not hear that one is resumed. And before 2.2.0 they find nothing once
/// enough records are queued, however soon they are consumed. (From 2.2.0 `fetch.queue.backoff.ms` says for how long.)
struct FetchNudge {
    /// As many records make librdkafka pause, below 2.2.0.
    private let pauseAt: Int?
    private var isPaused = false
    /// How often to ask again after partitions were resumed, unless something comes: the resuming itself takes a moment.
    private var remaining = 0
    private static let nudgesAfterResuming = 10

    /// Between two of those.
    static let interval = Duration.milliseconds(10)

    init(_ configuration: borrowing KafkaConfiguration) {
        let knowsBackoff = KafkaConfiguration.isKnown("fetch.queue.backoff.ms")
        pauseAt =
            knowsBackoff ? nil : configuration.value(of: "queued.min.messages").flatMap { Int($0) } ?? 100_000
    }

    /// Polls are to be short, and to go by ``polled(_:_:_:_:)``.
    var isWaking: Bool { remaining > 0 }

    mutating func resumed(_ client: OpaquePointer, _ partitions: [TopicPartition: ReadPosition]) {
        remaining = Self.nudgesAfterResuming
        nudge(client, partitions)
    }

    /// - Parameter count: what the poll brought.
    mutating func polled(
        _ client: OpaquePointer, _ queue: OpaquePointer, _ partitions: [TopicPartition: ReadPosition], _ count: Int
    ) {
        if remaining > 0 {
            remaining = count > 0 ? 0 : remaining - 1
            if remaining > 0 { nudge(client, partitions) }
        }
        guard let pauseAt else { return }
        let queued = rd_kafka_queue_length(queue)
        if queued >= pauseAt / 2 {
            isPaused = true
        } else if isPaused {
            isPaused = false
            nudge(client, partitions)
        }
    }

    private func nudge(_ client: OpaquePointer, _ partitions: [TopicPartition: ReadPosition]) {
        let list = PartitionList(capacity: partitions.count)
        for partition in partitions.keys { list.add(partition, offset: Int64(RD_KAFKA_OFFSET_BEGINNING)) }
        // One request to each leader; with no time to wait for its answer the call returns at once.
        rd_kafka_offsets_for_times(client, list.pointer, 0)
    }
}
