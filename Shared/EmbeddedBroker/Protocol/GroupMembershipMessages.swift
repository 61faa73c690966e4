struct FindCoordinatorRequest: RequestMessage {
    /// One key before version 4.
    let keys: [String]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        var keys: [String] = []
        if version <= 3 { keys = [try reader.string()] }
        if version >= 1 { _ = try reader.int8() }
        if version >= 4 { keys = try reader.strings() }
        self.keys = keys
    }
}

struct FindCoordinatorResponse: ResponseMessage {
    var keys: [String]
    var broker: BrokerAddress

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttle() }
        if version <= 3 {
            writer.error(.none)
            if version >= 1 { writer.nullableString(nil) }
            write(broker, to: &writer)
        } else {
            writer.structures(keys) { writer, key in
                writer.string(key)
                write(broker, to: &writer)
                writer.error(.none)
                writer.nullableString(nil)
            }
        }
    }

    private func write(_ broker: BrokerAddress, to writer: inout WireWriter) {
        writer.int32(broker.id)
        writer.string(broker.host)
        writer.int32(broker.port)
    }
}

struct JoinGroupRequest: RequestMessage {
    let groupID: String
    let sessionTimeoutMilliseconds: Int32
    let rebalanceTimeoutMilliseconds: Int32
    let memberID: String
    let instanceID: String?
    let protocolType: String
    let protocols: [GroupProtocol]
    /// From version 4 on, a new dynamic member is first given its id and joins again with it (KIP-394).
    let requiresKnownMemberID: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupID = try reader.string()
        sessionTimeoutMilliseconds = try reader.int32()
        rebalanceTimeoutMilliseconds = version >= 1 ? try reader.int32() : sessionTimeoutMilliseconds
        memberID = try reader.string()
        instanceID = version >= 5 ? try reader.nullableString() : nil
        protocolType = try reader.string()
        protocols = try reader.structures { reader throws(WireError) in
            GroupProtocol(name: try reader.string(), metadata: try reader.bytes())
        }
        requiresKnownMemberID = version >= 4
    }
}

struct JoinGroupResponse: ResponseMessage {
    struct Member {
        var memberID: String
        var instanceID: String?
        var metadata: [UInt8]
    }

    var error = ErrorCode.none
    var generation: Int32 = -1
    /// Null, never empty, where there is none: an empty string makes Java clients fail.
    var protocolType: String?
    var protocolName: String?
    var leader = ""
    var memberID = ""
    var members: [Member] = []

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.throttle() }
        writer.error(error)
        writer.int32(generation)
        if version >= 7 {
            writer.nullableString(protocolType)
            writer.nullableString(protocolName)
        } else {
            writer.string(protocolName ?? "")
        }
        writer.string(leader)
        writer.string(memberID)
        writer.structures(members) { writer, member in
            writer.string(member.memberID)
            if version >= 5 { writer.nullableString(member.instanceID) }
            writer.bytes(member.metadata)
        }
    }
}

/// Who a group member says it is.
struct MemberIdentity {
    var memberID: String
    var instanceID: String?
    var generation: Int32
}

struct SyncGroupRequest: RequestMessage {
    let groupID: String
    let identity: MemberIdentity
    let protocolType: String?
    let protocolName: String?
    let assignments: [(memberID: String, assignment: [UInt8])]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupID = try reader.string()
        let generation = try reader.int32()
        let memberID = try reader.string()
        identity = MemberIdentity(
            memberID: memberID, instanceID: version >= 3 ? try reader.nullableString() : nil, generation: generation)
        protocolType = version >= 5 ? try reader.nullableString() : nil
        protocolName = version >= 5 ? try reader.nullableString() : nil
        assignments = try reader.structures { reader throws(WireError) in (try reader.string(), try reader.bytes()) }
    }
}

struct SyncGroupResponse: ResponseMessage {
    var error = ErrorCode.none
    var protocolType: String?
    var protocolName: String?
    var assignment: [UInt8] = []

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttle() }
        writer.error(error)
        if version >= 5 {
            writer.nullableString(protocolType)
            writer.nullableString(protocolName)
        }
        writer.bytes(assignment)
    }
}

struct HeartbeatRequest: RequestMessage {
    let groupID: String
    let identity: MemberIdentity

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupID = try reader.string()
        let generation = try reader.int32()
        let memberID = try reader.string()
        identity = MemberIdentity(
            memberID: memberID, instanceID: version >= 3 ? try reader.nullableString() : nil, generation: generation)
    }
}

/// The answer of requests that only succeed or fail: Heartbeat, AddOffsetsToTxn, EndTxn.
struct ErrorResponse: ResponseMessage {
    var error: ErrorCode
    /// The first version that carries the throttle time.
    var throttleSince: Int16 = 0

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= throttleSince { writer.throttle() }
        writer.error(error)
    }
}

struct LeaveGroupRequest: RequestMessage {
    struct Member {
        let memberID: String
        let instanceID: String?
    }

    let groupID: String
    let members: [Member]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupID = try reader.string()
        if version <= 2 {
            members = [Member(memberID: try reader.string(), instanceID: nil)]
        } else {
            members = try reader.structures { reader throws(WireError) in
                Member(memberID: try reader.string(), instanceID: try reader.nullableString())
            }
        }
    }
}

struct LeaveGroupResponse: ResponseMessage {
    var error = ErrorCode.none
    var members: [(member: LeaveGroupRequest.Member, error: ErrorCode)] = []

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttle() }
        guard version >= 3 else {
            writer.error(error != .none ? error : members.first?.error ?? .none)
            return
        }
        writer.error(error)
        writer.structures(members) { writer, left in
            writer.string(left.member.memberID)
            writer.nullableString(left.member.instanceID)
            writer.error(left.error)
        }
    }
}
