struct DescribeGroupsRequest: RequestMessage {
    let groupIDs: [String]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupIDs = try reader.strings()
        if version >= 3 { _ = try reader.bool() }
    }
}

struct DescribeGroupsResponse: ResponseMessage {
    struct Member {
        var memberID: String
        var instanceID: String?
        var clientID: String
        var clientHost: String
        var metadata: [UInt8]
        var assignment: [UInt8]
    }

    struct Description {
        var groupID: String
        var state: String
        var protocolType = ""
        var protocolName = ""
        var members: [Member] = []
    }

    var groups: [Description]

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttle() }
        writer.structures(groups) { writer, group in
            writer.error(.none)
            writer.string(group.groupID)
            writer.string(group.state)
            writer.string(group.protocolType)
            writer.string(group.protocolName)
            writer.structures(group.members) { writer, member in
                writer.string(member.memberID)
                if version >= 4 { writer.nullableString(member.instanceID) }
                writer.string(member.clientID)
                writer.string(member.clientHost)
                writer.bytes(member.metadata)
                writer.bytes(member.assignment)
            }
            if version >= 3 { writer.authorizedOperations() }
        }
    }
}

struct ListGroupsRequest: RequestMessage {
    /// Empty asks for groups in any state.
    let states: [String]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        states = version >= 4 ? try reader.strings() : []
    }
}

struct ListGroupsResponse: ResponseMessage {
    var groups: [(groupID: String, protocolType: String, state: String)]

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttle() }
        writer.error(.none)
        writer.structures(groups) { writer, group in
            writer.string(group.groupID)
            writer.string(group.protocolType)
            if version >= 4 { writer.string(group.state) }
        }
    }
}

struct DeleteGroupsRequest: RequestMessage {
    let groupIDs: [String]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        groupIDs = try reader.strings()
    }
}

struct DeleteGroupsResponse: ResponseMessage {
    var groups: [(groupID: String, error: ErrorCode)]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(groups) { writer, group in
            writer.string(group.groupID)
            writer.error(group.error)
        }
    }
}
