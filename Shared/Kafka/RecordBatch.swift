internal import CLibrdkafka

/// A consumed record: a view of librdkafka's bytes, valid until its batch goes.
public struct ConsumedRecord {
    /// The partition's number with this consumer: small, dense, the same as long as the consumer lives.
    public let partitionIndex: Int
    public let offset: Int64
    /// Milliseconds since 1970; nil in a record of the oldest format, which has none.
    public let timestampMilliseconds: Int64?
    /// Nil is null, not empty.
    public let key: UnsafeRawBufferPointer?
    /// Nil is null (a tombstone), not empty.
    public let value: UnsafeRawBufferPointer?
    /// Nil where it is known to have none, without reading them.
    public let headers: RecordHeaders?
}

/// What a consumer hears besides records, in its place among them.
public enum ConsumerEvent: Hashable, Sendable {
    /// The partition was read to its end (of committed records); `offset` is the next one to come.
    case partitionEnd(partitionIndex: Int, offset: Int64)
    /// The offset to be read does not exist (any more); nothing more comes from the partition until it is
    /// sought.
    case offsetOutOfRange(partitionIndex: Int, offset: Int64, message: String)
    /// An error of one partition or, without one, of the consumer.
    case failure(KafkaError, partitionIndex: Int?)
}

/// Records and events as they came, owned until the batch goes. One batch lives at a time.
public struct RecordBatch: ~Copyable {
    let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    let consumer: KafkaConsumer
    /// How many records and events there are.
    public let count: Int
    /// Partitions were assigned or revoked during this poll. What had been gathered before was dropped and will come again.
    public let isRebalanced: Bool

    /// The record at a position; nil if an event is there.
    ///
    /// - Precondition: `index` lies within `0..<count`.
    public borrowing func record(at index: Int) -> ConsumedRecord? {
        precondition(index >= 0 && index < count, "no such record in the batch")
        guard let message = messages[index], message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return consumer.view(message)
    }

    /// The event at a position; nil if a record is there.
    ///
    /// - Precondition: `index` lies within `0..<count`.
    public borrowing func event(at index: Int) -> ConsumerEvent? {
        precondition(index >= 0 && index < count, "no such event in the batch")
        guard let message = messages[index], message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return consumer.event(message)
    }

    /// Records and events in order.
    public borrowing func forEach(record: (ConsumedRecord) -> Void, event: (ConsumerEvent) -> Void) {
        for index in 0..<count {
            prefetch(after: index)
            guard let message = messages[index] else { continue }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                record(consumer.view(message))
            } else {
                event(consumer.event(message))
            }
        }
    }

    /// Another core wrote these messages: asked for ahead, they come while earlier ones are looked at.
    @inline(__always)
    private borrowing func prefetch(after index: Int) {
        if index &+ 8 < count { crdkafka_prefetch(messages[index &+ 8], 64) }
        if index &+ 4 < count, let soon = messages[index &+ 4] {
            crdkafka_prefetch(soon.pointee.payload, min(soon.pointee.len, 512))
        }
    }

    deinit { consumer.release(count) }
}
