struct ProduceRequest: RequestMessage {
    struct Partition {
        let index: Int32
        /// Valid while the request is being handled.
        let records: UnsafeRawBufferPointer?
    }

    let transactionalID: String?
    let acknowledgements: Int16
    let topics: [ByTopic<Partition>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalID = try reader.nullableString()
        acknowledgements = try reader.int16()
        _ = try reader.int32()
        topics = try reader.topics { reader throws(WireError) in
            Partition(index: try reader.int32(), records: try reader.borrowedBytes())
        }
    }
}

struct ProduceResponse: ResponseMessage {
    struct Partition {
        var index: Int32
        var error = ErrorCode.none
        var message: String?
        var baseOffset: Int64 = -1
        /// -1 for topics whose records keep their creation time; clients report any other value as the records' time.
        var appendTimeMilliseconds: Int64 = -1
        var logStartOffset: Int64 = -1
    }

    var topics: [ByTopic<Partition>]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.topics(topics) { writer, partition in
            writer.int32(partition.index)
            writer.error(partition.error)
            writer.int64(partition.baseOffset)
            writer.int64(partition.appendTimeMilliseconds)
            if version >= 5 { writer.int64(partition.logStartOffset) }
            if version >= 8 {
                writer.structures([Int32]()) { _, _ in }
                writer.nullableString(partition.message)
            }
        }
        writer.throttle()
    }
}
