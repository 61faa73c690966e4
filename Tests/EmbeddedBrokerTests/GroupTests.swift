import EmbeddedBroker
import XCTest

final class GroupTests: XCTestCase {
    private var broker: BrokerDriver!
    private let a = ConnectionID(11)
    private let b = ConnectionID(12)
    private let c = ConnectionID(13)

    override func setUpWithError() throws {
        broker = try BrokerDriver()
        XCTAssertEqual(try broker.createTopic("t"), 0)
    }

    /// A stable group of two dynamic members, the first of which leads.
    private func pair() throws -> (BrokerDriver.Member, BrokerDriver.Member) {
        let first = try broker.sendDynamicJoin("g", on: a)
        let alone = try XCTUnwrap(try broker.takeJoined(a))
        XCTAssertEqual(alone.generation, 1)
        let second = try broker.sendDynamicJoin("g", on: b)
        XCTAssertNil(try broker.takeJoined(b), "the first member has not rejoined")
        XCTAssertEqual(try broker.heartbeat("g", .init(id: first, generation: 1)), 27)
        broker.sendJoin("g", memberID: first, on: a)
        let joinedFirst = try XCTUnwrap(try broker.takeJoined(a))
        let joinedSecond = try XCTUnwrap(try broker.takeJoined(b))
        XCTAssertEqual(joinedFirst.generation, 2)
        XCTAssertEqual(joinedSecond.generation, 2)
        XCTAssertEqual(joinedFirst.leader, first)
        XCTAssertEqual(joinedFirst.members, [first, second])
        XCTAssertEqual(joinedSecond.members, [], "only the leader assigns")
        let members = (
            BrokerDriver.Member(id: first, generation: 2), BrokerDriver.Member(id: second, generation: 2)
        )
        broker.sendSync("g", members.1, on: b)
        XCTAssertNil(try broker.takeSynced(b), "the leader has not assigned")
        broker.sendSync("g", members.0, assignments: [first: "0", second: "1"], on: a)
        XCTAssertEqual(try broker.takeSynced(a)?.assignment, Array("0".utf8))
        XCTAssertEqual(try broker.takeSynced(b)?.assignment, Array("1".utf8))
        return members
    }

    func testMembersShareTheWorkInRounds() throws {
        let (first, second) = try pair()
        XCTAssertEqual(try broker.heartbeat("g", first), 0)
        XCTAssertEqual(try broker.heartbeat("g", second), 0)
        broker.sendSync("g", second, on: b)
        XCTAssertEqual(try broker.takeSynced(b)?.assignment, Array("1".utf8), "asked again in the same generation")
    }

    func testStrangersAndFormerGenerationsAreRefused() throws {
        let (first, _) = try pair()
        XCTAssertEqual(try broker.heartbeat("g", .init(id: "stranger", generation: 2)), 25)
        XCTAssertEqual(try broker.heartbeat("g", .init(id: first.id, generation: 1)), 22)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g", generation: 1, memberID: first.id), 22)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g", generation: 2, memberID: "stranger"), 25)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g"), 25, "from outside, with members")
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g", generation: 2, memberID: first.id), 0)
    }

    func testLeavingMemberStartsARound() throws {
        let (first, second) = try pair()
        XCTAssertEqual(try broker.leave("g", memberID: second.id), 0)
        XCTAssertEqual(try broker.leave("g", memberID: second.id), 25)
        XCTAssertEqual(try broker.heartbeat("g", first), 27)
        XCTAssertEqual(
            try broker.commitOffset(1, topic: "t", group: "g", generation: 2, memberID: first.id), 0,
            "the old generation still commits")
        broker.sendJoin("g", memberID: first.id, on: a)
        XCTAssertEqual(try broker.takeJoined(a)?.generation, 3)
    }

    func testSilentMemberIsRemovedWhenItsSessionEnds() throws {
        let (first, second) = try pair()
        broker.advance(6_000)
        XCTAssertEqual(try broker.heartbeat("g", first), 0)
        broker.advance(4_000)
        XCTAssertEqual(try broker.heartbeat("g", first), 27, "the second one's ten seconds are over")
        XCTAssertEqual(try broker.heartbeat("g", second), 25)
    }

    func testRoundEndsWithoutThoseWhoDoNotRejoin() throws {
        let (first, second) = try pair()
        _ = try broker.sendDynamicJoin("g", on: c)
        for _ in 0..<9 {
            broker.advance(6_000)
            XCTAssertEqual(try broker.heartbeat("g", first), 27)
            XCTAssertEqual(try broker.heartbeat("g", second), 27)
        }
        XCTAssertNil(try broker.takeJoined(c))
        broker.advance(6_000)
        XCTAssertEqual(try broker.takeJoined(c)?.members.count, 1)
        XCTAssertEqual(try broker.heartbeat("g", first), 25)
    }

    func testStaticMemberTakesItsPlaceBackWithoutARound() throws {
        broker.sendJoin("g", instanceID: "i1", on: a)
        let joined = try XCTUnwrap(try broker.takeJoined(a))
        XCTAssertEqual(joined.error, 0, "a static member gets its id at once")
        let old = BrokerDriver.Member(id: joined.memberID, generation: joined.generation, instanceID: "i1")
        broker.sendSync("g", old, assignments: [old.id: "all"], on: a)
        XCTAssertEqual(try broker.takeSynced(a)?.error, 0)

        broker.sendJoin("g", instanceID: "i1", on: b)
        let back = try XCTUnwrap(try broker.takeJoined(b))
        XCTAssertEqual(back.generation, old.generation, "no round")
        XCTAssertNotEqual(back.memberID, old.id)
        XCTAssertEqual(back.members, [], "it does not assign anew")
        let new = BrokerDriver.Member(id: back.memberID, generation: back.generation, instanceID: "i1")
        broker.sendSync("g", new, on: b)
        XCTAssertEqual(try broker.takeSynced(b), .init(error: 0, assignment: Array("all".utf8)))
        XCTAssertEqual(try broker.heartbeat("g", new), 0)
        XCTAssertEqual(try broker.heartbeat("g", old), 82, "its predecessor is fenced")
        XCTAssertEqual(
            try broker.commitOffset(
                1, topic: "t", group: "g", generation: old.generation, memberID: old.id, instanceID: "i1"), 82)
    }

    func testStaticMemberWithAnotherSubscriptionStartsARound() throws {
        broker.sendJoin("g", instanceID: "i1", on: a)
        let joined = try XCTUnwrap(try broker.takeJoined(a))
        let old = BrokerDriver.Member(id: joined.memberID, generation: joined.generation, instanceID: "i1")
        broker.sendSync("g", old, assignments: [old.id: "all"], on: a)
        _ = try broker.takeSynced(a)
        broker.sendJoin("g", instanceID: "i1", on: b, topics: ["t", "u"])
        XCTAssertEqual(try broker.takeJoined(b)?.generation, old.generation + 1)
    }

    func testStaticMemberLeavesByItsInstance() throws {
        broker.sendJoin("g", instanceID: "i1", on: a)
        _ = try broker.takeJoined(a)
        XCTAssertEqual(try broker.leave("g", memberID: "", instanceID: "other"), 25)
        XCTAssertEqual(try broker.leave("g", memberID: "wrong", instanceID: "i1"), 82)
        XCTAssertEqual(try broker.leave("g", memberID: "", instanceID: "i1"), 0)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g"), 0, "the group is empty")
    }

    func testJoinsThatCannotBe() throws {
        _ = try pair()
        broker.sendJoin("g", on: c, protocolName: "sticky")
        XCTAssertEqual(try broker.takeJoined(c)?.error, 23, "no protocol that all know")
        broker.sendJoin("g", on: c, sessionTimeoutMilliseconds: 5_999)
        XCTAssertEqual(try broker.takeJoined(c)?.error, 26)
        broker.sendJoin("", on: c)
        XCTAssertEqual(try broker.takeJoined(c)?.error, 24)
        broker.sendJoin("g", memberID: "from-before-a-restart", on: c)
        XCTAssertEqual(try broker.takeJoined(c)?.error, 25)
    }

    func testFirstRoundWaitsForMoreMembers() throws {
        broker = try BrokerDriver { $0.initialRebalanceDelayMilliseconds = 100 }
        _ = try broker.sendDynamicJoin("g", on: a)
        broker.advance(60)
        _ = try broker.sendDynamicJoin("g", on: b)
        broker.advance(60)
        XCTAssertNil(try broker.takeJoined(a), "each new member prolongs it")
        broker.advance(40)
        XCTAssertEqual(try broker.takeJoined(a)?.members.count, 2)
        XCTAssertEqual(try broker.takeJoined(b)?.generation, 1)
    }

    func testLeaderThatNeverAssignsIsRemoved() throws {
        let first = try broker.sendDynamicJoin("g", on: a, sessionTimeoutMilliseconds: 100_000)
        _ = try broker.takeJoined(a)
        broker.advance(60_000)
        XCTAssertEqual(try broker.heartbeat("g", .init(id: first, generation: 1)), 25)
    }

    func testCommitsToAGroupWithoutMembers() throws {
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "new", generation: 3, memberID: "m"), 22)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g"), 0)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g", memberID: "m"), 0)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g", instanceID: "i"), 0)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g", generation: 5, memberID: "m"), 25)
        XCTAssertEqual(try broker.commitOffset(1, topic: "u", group: "g"), 3)
    }
}
