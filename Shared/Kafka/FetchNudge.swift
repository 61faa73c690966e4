internal import CLibrdkafka

/// Wakes librdkafka before 2.2.0, which, once enough records are queued, sleeps for up to a second before it fetches more,
/// however soon they are consumed. (From 2.2.0 `fetch.queue.backoff.ms` says how long.) Its fetching threads look again
/// whenever they have anything to send: so they are given a small question, ListOffsets, whose answer nobody waits for.
struct FetchNudge {
    /// As many records make librdkafka pause.
    private let pauseAt: Int
    private let nudgeBelow: Int
    private var isPaused = false

    /// Nil where it is not needed.
    init?(_ configuration: borrowing KafkaConfiguration) {
        if KafkaConfiguration.isKnown("fetch.queue.backoff.ms") { return nil }
        pauseAt = configuration.value(of: "queued.min.messages").flatMap { Int($0) } ?? 100_000
        nudgeBelow = pauseAt / 2
    }

    mutating func polled(
        _ client: OpaquePointer, _ queue: OpaquePointer, _ partitions: [TopicPartition: ReadPosition]
    ) {
        let queued = rd_kafka_queue_length(queue)
        if queued >= nudgeBelow {
            isPaused = true
        } else if isPaused {
            isPaused = false
            let list = PartitionList(capacity: partitions.count)
            for partition in partitions.keys { list.add(partition, offset: Int64(RD_KAFKA_OFFSET_BEGINNING)) }
            // One request to each leader; with no time to wait for its answer the call returns at once.
            rd_kafka_offsets_for_times(client, list.pointer, 0)
        }
    }
}
