/// What of a group outlives a restart: who its members were when it last was stable, and its generation, so that members go
/// on undisturbed and no generation number comes twice.
struct GroupRecord {
    struct Member {
        var id: String
        var instanceID: String?
        var clientID: String
        var clientHost: String
        var sessionTimeoutMilliseconds: Int64
        var rebalanceTimeoutMilliseconds: Int64
        var protocols: [GroupProtocol]
        var assignment: [UInt8]
    }

    var id: String
    var generation: Int32
    var protocolType: String?
    var protocolName: String?
    var leaderID: String?
    var members: [Member]
}

extension Group {
    var record: GroupRecord {
        GroupRecord(
            id: id, generation: generation, protocolType: protocolType, protocolName: protocolName, leaderID: leaderID,
            members: members.map {
                GroupRecord.Member(
                    id: $0.id, instanceID: $0.instanceID, clientID: $0.clientID, clientHost: $0.clientHost,
                    sessionTimeoutMilliseconds: $0.sessionTimeoutMilliseconds,
                    rebalanceTimeoutMilliseconds: $0.rebalanceTimeoutMilliseconds, protocols: $0.protocols,
                    assignment: $0.assignment)
            })
    }

    /// A group as it was, whose members' sessions begin anew.
    init(restoring record: GroupRecord, now: Int64) {
        self.init(id: record.id)
        generation = record.generation
        protocolType = record.protocolType
        protocolName = record.protocolName
        leaderID = record.leaderID
        state = record.members.isEmpty ? .empty : .stable
        members = record.members.map {
            Member(
                id: $0.id, instanceID: $0.instanceID, clientID: $0.clientID, clientHost: $0.clientHost,
                sessionTimeoutMilliseconds: $0.sessionTimeoutMilliseconds,
                rebalanceTimeoutMilliseconds: $0.rebalanceTimeoutMilliseconds, protocols: $0.protocols,
                assignment: $0.assignment, sessionDeadline: now + $0.sessionTimeoutMilliseconds)
        }
    }
}
