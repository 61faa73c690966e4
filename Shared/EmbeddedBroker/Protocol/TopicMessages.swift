struct CreateTopicsRequest: RequestMessage {
    struct Topic {
        let name: String
        let partitionCount: Int32
        let replicationFactor: Int16
        /// The broker ids a client assigns to each partition by hand; usually empty.
        let assignments: [(partition: Int32, brokers: [Int32])]
        let configuration: [(name: String, value: String?)]
    }

    let topics: [Topic]
    let validatesOnly: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        topics = try reader.structures { reader throws(WireError) in
            Topic(
                name: try reader.string(), partitionCount: try reader.int32(), replicationFactor: try reader.int16(),
                assignments: try reader.structures { reader throws(WireError) in
                    (try reader.int32(), try reader.array { reader throws(WireError) in try reader.int32() })
                },
                configuration: try reader.structures { reader throws(WireError) in
                    (try reader.string(), try reader.nullableString())
                })
        }
        _ = try reader.int32()
        validatesOnly = try reader.bool()
    }
}

struct CreateTopicsResponse: ResponseMessage {
    struct Topic {
        var name: String
        var id = UUID128.zero
        var error = ErrorCode.none
        var message: String?
        var partitionCount: Int32 = -1
        var configuration: [ConfigurationEntry] = []
    }

    var topics: [Topic]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(topics) { writer, topic in
            writer.string(topic.name)
            if version >= 7 { writer.uuid(topic.id) }
            writer.error(topic.error)
            writer.nullableString(topic.message)
            guard version >= 5 else { return }
            writer.int32(topic.partitionCount)
            writer.int16(topic.error == .none ? 1 : -1)
            writer.structures(topic.configuration) { writer, entry in
                writer.string(entry.name)
                writer.nullableString(entry.value)
                writer.bool(false)
                writer.int8(entry.source.rawValue)
                writer.bool(false)
            }
        }
    }
}

struct DeleteTopicsRequest: RequestMessage {
    let topics: [(name: String?, id: UUID128)]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        if version >= 6 {
            topics = try reader.structures { reader throws(WireError) in
                (try reader.nullableString(), try reader.uuid())
            }
        } else {
            topics = try reader.strings().map { ($0, .zero) }
        }
        _ = try reader.int32()
    }
}

struct DeleteTopicsResponse: ResponseMessage {
    struct Topic {
        var name: String?
        var id: UUID128
        var error: ErrorCode
    }

    var topics: [Topic]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(topics) { writer, topic in
            if version >= 6 {
                writer.nullableString(topic.name)
                writer.uuid(topic.id)
            } else {
                writer.string(topic.name ?? "")
            }
            writer.error(topic.error)
            if version >= 5 { writer.nullableString(nil) }
        }
    }
}

struct CreatePartitionsRequest: RequestMessage {
    struct Topic {
        let name: String
        let count: Int32
        let assignments: [[Int32]]?
    }

    let topics: [Topic]
    let validatesOnly: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        topics = try reader.structures { reader throws(WireError) in
            Topic(
                name: try reader.string(), count: try reader.int32(),
                assignments: try reader.nullableStructures { reader throws(WireError) in
                    try reader.array { reader throws(WireError) in try reader.int32() }
                })
        }
        _ = try reader.int32()
        validatesOnly = try reader.bool()
    }
}

struct CreatePartitionsResponse: ResponseMessage {
    struct Topic {
        var name: String
        var error: ErrorCode
        var message: String?
    }

    var topics: [Topic]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(topics) { writer, topic in
            writer.string(topic.name)
            writer.error(topic.error)
            writer.nullableString(topic.message)
        }
    }
}

struct DeleteRecordsRequest: RequestMessage {
    struct Partition {
        let index: Int32
        /// Records below it go; -1 is the end of the log.
        let offset: Int64
    }

    let topics: [ByTopic<Partition>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        topics = try reader.topics { reader throws(WireError) in
            Partition(index: try reader.int32(), offset: try reader.int64())
        }
        _ = try reader.int32()
    }
}

struct DeleteRecordsResponse: ResponseMessage {
    struct Partition {
        var index: Int32
        var lowWatermark: Int64 = -1
        var error = ErrorCode.none
    }

    var topics: [ByTopic<Partition>]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.topics(topics) { writer, partition in
            writer.int32(partition.index)
            writer.int64(partition.lowWatermark)
            writer.error(partition.error)
        }
    }
}
