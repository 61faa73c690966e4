import EmbeddedBroker
import XCTest

/// Membership of groups as the tests use it.
extension BrokerDriver {
    struct Member: Equatable {
        var id: String
        var generation: Int32
        var instanceID: String?
    }

    struct Joined {
        var error: Int16
        var generation: Int32
        var leader: String
        var memberID: String
        /// Filled for the leader.
        var members: [String]
    }

    struct Synced: Equatable {
        var error: Int16
        var assignment: [UInt8]
    }

    func sendJoin(
        _ group: String, memberID: String = "", instanceID: String? = nil, on connection: ConnectionID,
        topics: [String] = ["t"], sessionTimeoutMilliseconds: Int32 = 10_000,
        rebalanceTimeoutMilliseconds: Int32 = 60_000, protocolName: String = "range"
    ) {
        var subscription = WireWriter(flexible: false)
        subscription.int16(1)
        subscription.array(topics) { $0.string($1) }
        subscription.int32(-1)
        send(11, 5, on: connection) { body in
            body.string(group)
            body.int32(sessionTimeoutMilliseconds)
            body.int32(rebalanceTimeoutMilliseconds)
            body.string(memberID)
            body.nullableString(instanceID)
            body.string("consumer")
            body.array([protocolName]) { body, name in
                body.string(name)
                body.bytes(subscription.written)
            }
        }
    }

    func takeJoined(_ connection: ConnectionID) throws -> Joined? {
        guard let answer = takeAnswer(connection) else { return nil }
        return try Self.read(answer) { answer in
            _ = try answer.int32()
            let error = try answer.int16()
            let generation = try answer.int32()
            _ = try answer.string()
            let leader = try answer.string()
            let memberID = try answer.string()
            let members = try answer.array { answer throws(WireError) in
                let id = try answer.string()
                _ = try answer.nullableString()
                _ = try answer.bytes()
                return id
            }
            return Joined(error: error, generation: generation, leader: leader, memberID: memberID, members: members)
        }
    }

    func sendSync(
        _ group: String, _ member: Member, assignments: [String: String] = [:], on connection: ConnectionID
    ) {
        send(14, 3, on: connection) { body in
            body.string(group)
            body.int32(member.generation)
            body.string(member.id)
            body.nullableString(member.instanceID)
            body.array(assignments.sorted { $0.key < $1.key }) { body, assignment in
                body.string(assignment.key)
                body.bytes(Array(assignment.value.utf8))
            }
        }
    }

    func takeSynced(_ connection: ConnectionID) throws -> Synced? {
        guard let answer = takeAnswer(connection) else { return nil }
        return try Self.read(answer) { answer in
            _ = try answer.int32()
            return Synced(error: try answer.int16(), assignment: try answer.bytes())
        }
    }

    func heartbeat(_ group: String, _ member: Member) throws -> Int16 {
        try ask(12, 3, on: ConnectionID(1)) { body in
            body.string(group)
            body.int32(member.generation)
            body.string(member.id)
            body.nullableString(member.instanceID)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.int16()
        }
    }

    func leave(_ group: String, memberID: String, instanceID: String? = nil) throws -> Int16 {
        try ask(13, 3, on: ConnectionID(1)) { body in
            body.string(group)
            body.array([memberID]) { body, id in
                body.string(id)
                body.nullableString(instanceID)
            }
        } reading: { answer in
            _ = try answer.int32()
            _ = try answer.int16()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                _ = try answer.nullableString()
                return try answer.int16()
            }[0]
        }
    }

    /// Joins a dynamic member: first its id, then with it. Answered at once only if no other member is awaited.
    func sendDynamicJoin(
        _ group: String, on connection: ConnectionID, sessionTimeoutMilliseconds: Int32 = 10_000
    ) throws -> String {
        sendJoin(group, on: connection, sessionTimeoutMilliseconds: sessionTimeoutMilliseconds)
        let refused = try XCTUnwrap(try takeJoined(connection))
        XCTAssertEqual(refused.error, 79)
        sendJoin(
            group, memberID: refused.memberID, on: connection, sessionTimeoutMilliseconds: sessionTimeoutMilliseconds)
        return refused.memberID
    }

    /// A group of one dynamic member, stable.
    func joinAndSync(_ group: String, sessionTimeoutMilliseconds: Int32) throws -> Member {
        let connection = ConnectionID(1)
        let id = try sendDynamicJoin(
            group, on: connection, sessionTimeoutMilliseconds: sessionTimeoutMilliseconds)
        let joined = try XCTUnwrap(try takeJoined(connection))
        XCTAssertEqual(joined.error, 0)
        let member = Member(id: id, generation: joined.generation)
        sendSync(group, member, assignments: [id: "all"], on: connection)
        XCTAssertEqual(try takeSynced(connection), Synced(error: 0, assignment: Array("all".utf8)))
        return member
    }

    func apiVersionsError() throws -> Int16 {
        try ask(18, 0, on: ConnectionID(5)) { _ in
        } reading: {
            try $0.int16()
        }
    }
}
