struct ListOffsetsRequest: RequestMessage {
    struct Partition {
        let index: Int32
        /// A time in milliseconds, or -1 for the end, -2 for the start, -3 for the record of the greatest time.
        let timestamp: Int64
    }

    let readsCommitted: Bool
    let topics: [ByTopic<Partition>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        _ = try reader.int32()
        readsCommitted = version >= 2 ? try reader.int8() == 1 : false
        topics = try reader.topics { reader throws(WireError) in
            let index = try reader.int32()
            if version >= 4 { _ = try reader.int32() }
            return Partition(index: index, timestamp: try reader.int64())
        }
    }
}

struct ListOffsetsResponse: ResponseMessage {
    struct Partition {
        var index: Int32
        var error = ErrorCode.none
        var timestamp: Int64 = -1
        var offset: Int64 = -1
    }

    var topics: [ByTopic<Partition>]

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.throttle() }
        writer.topics(topics) { writer, partition in
            writer.int32(partition.index)
            writer.error(partition.error)
            writer.int64(partition.timestamp)
            writer.int64(partition.offset)
            if version >= 4 { writer.int32(partition.offset >= 0 ? 0 : -1) }
        }
    }
}
