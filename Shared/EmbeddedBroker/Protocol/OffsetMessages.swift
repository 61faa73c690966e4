/// An offset as a client commits it for one partition.
struct OffsetToCommit {
    var partition: Int32
    var offset: Int64
    var leaderEpoch: Int32
    var metadata: String?
}

extension WireReader {
    fileprivate mutating func offsetToCommit(withLeaderEpoch: Bool) throws(WireError) -> OffsetToCommit {
        OffsetToCommit(
            partition: try int32(), offset: try int64(), leaderEpoch: withLeaderEpoch ? try int32() : -1,
            metadata: try nullableString())
    }
}

struct OffsetCommitRequest: RequestMessage {
    let groupID: String
    let identity: MemberIdentity
    let topics: [ByTopic<OffsetToCommit>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupID = try reader.string()
        let generation = try reader.int32()
        let memberID = try reader.string()
        identity = MemberIdentity(
            memberID: memberID, instanceID: version >= 7 ? try reader.nullableString() : nil, generation: generation)
        if version <= 4 { _ = try reader.int64() }
        topics = try reader.topics { reader throws(WireError) in
            try reader.offsetToCommit(withLeaderEpoch: version >= 6)
        }
    }
}

struct OffsetCommitResponse: ResponseMessage {
    var topics: [ByTopic<PartitionError>]

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.throttle() }
        writer.topicErrors(topics)
    }
}

struct TransactionOffsetCommitRequest: RequestMessage {
    let transactionalID: String
    let groupID: String
    let producer: ProducerIdentity
    let identity: MemberIdentity
    let topics: [ByTopic<OffsetToCommit>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalID = try reader.string()
        groupID = try reader.string()
        producer = ProducerIdentity(id: try reader.int64(), epoch: try reader.int16())
        if version >= 3 {
            let generation = try reader.int32()
            identity = MemberIdentity(
                memberID: try reader.string(), instanceID: try reader.nullableString(), generation: generation)
        } else {
            identity = MemberIdentity(memberID: "", instanceID: nil, generation: -1)
        }
        topics = try reader.topics { reader throws(WireError) in
            try reader.offsetToCommit(withLeaderEpoch: version >= 2)
        }
    }
}

struct TransactionOffsetCommitResponse: ResponseMessage {
    var topics: [ByTopic<PartitionError>]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.topicErrors(topics)
    }
}

struct OffsetFetchRequest: RequestMessage {
    struct Group {
        let groupID: String
        /// Nil asks for every partition the group has committed.
        let topics: [ByTopic<Int32>]?
    }

    let groups: [Group]
    /// An offset that an open transaction is about to replace is answered with an error, not with its old value (KIP-447).
    let requiresStable: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        func group(_ reader: inout WireReader) throws(WireError) -> Group {
            Group(
                groupID: try reader.string(),
                topics: try reader.nullableStructures { reader throws(WireError) in try reader.topicWithPartitions() })
        }
        groups = version >= 8 ? try reader.structures(group) : [try group(&reader)]
        requiresStable = version >= 7 ? try reader.bool() : false
    }
}

struct OffsetFetchResponse: ResponseMessage {
    struct Partition {
        var index: Int32
        var offset: Int64 = -1
        var leaderEpoch: Int32 = -1
        var metadata: String? = ""
        var error = ErrorCode.none
    }

    struct Group {
        var groupID: String
        var error = ErrorCode.none
        var topics: [ByTopic<Partition>] = []
    }

    var groups: [Group]

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.throttle() }
        if version >= 8 {
            writer.structures(groups) { writer, group in
                writer.string(group.groupID)
                write(group.topics, to: &writer, version: version)
                writer.error(group.error)
            }
        } else if let group = groups.first {
            write(group.topics, to: &writer, version: version)
            if version >= 2 { writer.error(group.error) }
        }
    }

    private func write(_ topics: [ByTopic<Partition>], to writer: inout WireWriter, version: Int16) {
        writer.topics(topics) { writer, partition in
            writer.int32(partition.index)
            writer.int64(partition.offset)
            if version >= 5 { writer.int32(partition.leaderEpoch) }
            writer.nullableString(partition.metadata)
            writer.error(partition.error)
        }
    }
}

struct OffsetDeleteRequest: RequestMessage {
    let groupID: String
    let topics: [ByTopic<Int32>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupID = try reader.string()
        topics = try reader.topics { reader throws(WireError) in try reader.int32() }
    }
}

struct OffsetDeleteResponse: ResponseMessage {
    var error = ErrorCode.none
    var topics: [ByTopic<PartitionError>] = []

    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(error)
        writer.throttle()
        writer.topicErrors(topics)
    }
}
