struct FetchRequest: RequestMessage {
    struct Partition {
        let index: Int32
        let leaderEpoch: Int32
        let offset: Int64
        let maximumBytes: Int32
    }

    let maximumWaitMilliseconds: Int32
    let minimumBytes: Int32
    let maximumBytes: Int32
    let readsCommitted: Bool
    let topics: [ByTopic<Partition>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        // The replica id, which from 15 on is a tagged field that only brokers send.
        if version < 15 { _ = try reader.int32() }
        maximumWaitMilliseconds = try reader.int32()
        minimumBytes = try reader.int32()
        maximumBytes = try reader.int32()
        readsCommitted = try reader.int8() == 1
        if version >= 7 {
            _ = try reader.int32()
            _ = try reader.int32()
        }
        topics = try reader.topics(byID: version >= 13) { reader throws(WireError) in
            let index = try reader.int32()
            let leaderEpoch = version >= 9 ? try reader.int32() : -1
            let offset = try reader.int64()
            if version >= 12 { _ = try reader.int32() }
            if version >= 5 { _ = try reader.int64() }
            return Partition(
                index: index, leaderEpoch: leaderEpoch, offset: offset, maximumBytes: try reader.int32())
        }
        if version >= 13 {
            _ = try reader.structures { reader throws(WireError) in
                _ = try reader.uuid()
                _ = try reader.array { reader throws(WireError) in try reader.int32() }
            }
        } else if version >= 7 {
            _ = try reader.topicPartitions()
        }
        if version >= 11 { _ = try reader.string() }
    }
}

struct FetchResponse: ResponseMessage {
    struct Partition {
        var index: Int32
        var error = ErrorCode.none
        var highWatermark: Int64 = -1
        var lastStableOffset: Int64 = -1
        var logStartOffset: Int64 = -1
        /// Nil for readers of uncommitted records.
        var abortedTransactions: [AbortedTransaction]?
        var records: [LogSlice] = []

        var byteCount: Int { records.reduce(0) { $0 + $1.count } }
    }

    var topics: [ByTopic<Partition>]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        if version >= 7 {
            writer.error(.none)
            // Session 0: no incremental fetch sessions; every client then sends full requests.
            writer.int32(0)
        }
        writer.topics(topics, byID: version >= 13) { writer, partition in
            writer.int32(partition.index)
            writer.error(partition.error)
            writer.int64(partition.highWatermark)
            writer.int64(partition.lastStableOffset)
            if version >= 5 { writer.int64(partition.logStartOffset) }
            if let aborted = partition.abortedTransactions {
                writer.structures(aborted) { writer, transaction in
                    writer.int64(transaction.producerID)
                    writer.int64(transaction.firstOffset)
                }
            } else {
                writer.nullArray()
            }
            // -1: any preferred replica, even the leader itself, makes librdkafka drop the records.
            if version >= 11 { writer.int32(-1) }
            writer.records(partition.records)
        }
    }
}
