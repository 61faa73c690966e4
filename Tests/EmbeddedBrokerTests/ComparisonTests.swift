import EmbeddedBroker
import Foundation
import TestSupport
import XCTest

/// The same requests to Apache Kafka and to the embedded broker: the answers must say the same. Needs `KAFKA_HOME`.
final class ComparisonTests: XCTestCase {
    /// Coordinators that load, and transactions whose markers are on their way: clients ask again.
    private static let passingErrors: Set<Int16> = [14, 15, 16, 51]

    private func settled(_ ask: () throws -> Int16) throws -> Int16 {
        for _ in 0..<200 {
            let error = try ask()
            if !Self.passingErrors.contains(error) { return error }
            usleep(50_000)
        }
        XCTFail("the broker does not settle")
        return -1
    }

    private func initialized(_ broker: BrokerDriver, _ id: String) throws -> ProducerIdentity {
        var producer = ProducerIdentity(id: -1, epoch: -1)
        let error = try settled {
            let initialized = try broker.initProducer(id)
            producer = initialized.producer
            return initialized.error
        }
        XCTAssertEqual(error, 0)
        return producer
    }

    private func awaitCoordinators(_ broker: BrokerDriver, _ keys: [(key: String, type: Int8)]) throws {
        for (key, type) in keys {
            let error = try settled {
                try broker.ask(10, 1) { body in
                    body.string(key)
                    body.int8(type)
                } reading: { answer in
                    _ = try answer.int32()
                    return try answer.int16()
                }
            }
            XCTAssertEqual(error, 0)
        }
    }

    /// What one broker answers, line by line. Ids that brokers choose stay out of it.
    private func transcript(_ broker: BrokerDriver, suffix: String) throws -> [String] {
        var lines: [String] = []
        func note(_ what: String, _ answer: some Any) { lines.append("\(what): \(answer)") }
        let (topic, group, id) = ("compared-\(suffix)", "group-\(suffix)", "transactional-\(suffix)")
        try awaitCoordinators(broker, [(group, 0), (id, 1)])

        note("create", try broker.createTopic(topic))
        note("create again", try broker.createTopic(topic))
        note("name", try broker.createTopic("a/b"))
        note("setting", try broker.createTopic("other-\(suffix)", settings: ["no.such": "1"]))
        note("value", try broker.createTopic("other-\(suffix)", settings: ["retention.ms": "soon"]))
        note("produce", try { while try broker.fetch(topic).error != 0 { usleep(50_000) } }())
        note("batch", try broker.produce(Batches.batch("a", "b"), to: topic))
        note("two batches", try broker.produce(Batches.batch("a") + Batches.batch("b"), to: topic).error)
        note("control", try broker.produce(Batches.batch([.init("a")], control: true), to: topic).error)
        var damaged = Batches.batch("a")
        damaged[damaged.count - 1] ^= 1
        note("checksum", try broker.produce(damaged, to: topic).error)
        let unreadable = Batches.altered(Batches.batch("a")) { $0[$0.count - 3] = 0x40 }
        note("unreadable", try broker.produce(unreadable, to: topic).error)
        note("cut", try broker.produce(Array(damaged[..<30]), to: topic).error)
        note("unknown topic", try broker.produce(damaged, to: "nothing-\(suffix)").error)
        note("acks", try broker.produce(Batches.batch("a"), to: topic, acks: 2).error)

        let producer = try initialized(broker, id)
        func batch(_ sequence: Int32, _ identity: ProducerIdentity) -> [UInt8] {
            Batches.batch([.init("t")], producer: identity, sequence: sequence, transactional: true)
        }
        let ahead = ProducerIdentity(id: producer.id, epoch: producer.epoch + 1)
        note("nothing to end", try settled { try broker.end(id, producer, commit: true) })
        note("unknown id", try settled { try broker.end("nobody-\(suffix)", producer, commit: true) })
        note("epoch", try settled { try broker.end(id, ahead, commit: true) })
        note("add to unknown", try settled { try broker.addPartition("nothing-\(suffix)", to: id, producer) })
        note("add with epoch", try settled { try broker.addPartition(topic, to: id, ahead) })
        note("add", try settled { try broker.addPartition(topic, to: id, producer) })
        for sequence in [Int32(0), 0, 2, 1] {
            note("transactional \(sequence)", try broker.produce(batch(sequence, producer), to: topic, as: id))
        }
        note("hidden", try described(broker, topic, producer))
        note("add offsets", try settled { try broker.addOffsets(of: group, to: id, producer) })
        let commit = { [broker] in
            try broker.commitOffsetInTransaction(5, topic: topic, group: group, transactionalID: id, producer)
        }
        note("commit offset", try settled(commit))
        note("unstable", try broker.fetchOffset(topic: topic, group: group, requireStable: true))
        note("end", try settled { try broker.end(id, producer, commit: true) })
        note("end again", try settled { try broker.end(id, producer, commit: true) })
        note("opposite", try settled { try broker.end(id, producer, commit: false) })
        note("late", try broker.produce(batch(2, producer), to: topic, as: id).error)
        note("offset", try broker.fetchOffset(topic: topic, group: group, requireStable: true))

        let second = try initialized(broker, id)
        note("same id", second.id == producer.id)
        note("epoch of the second", second.epoch)
        note("old end", try settled { try broker.end(id, producer, commit: true) })
        note("add", try settled { try broker.addPartition(topic, to: id, second) })
        note("second", try broker.produce(batch(0, second), to: topic, as: id))
        note("old batch", try broker.produce(batch(2, producer), to: topic, as: id).error)
        note("epoch of the third", try initialized(broker, id).epoch)
        while try broker.fetch(topic).lastStableOffset < broker.fetch(topic, committed: false).highWatermark {
            usleep(20_000)
        }
        for offset in [Int64(0), 5, 6, 7, 99] {
            note("from \(offset)", try described(broker, topic, producer, from: offset))
        }
        for time in [Int64(-1), -2, 0, Batches.baseTimestamp + 1_000_000_000_000] {
            note("offset of \(time)", try broker.listOffset(topic, timestamp: time))
        }
        try noteGroups(broker, topic: topic, group: "members-\(suffix)", note)
        note("delete records", try broker.deleteRecords(of: topic, before: 3))
        note("too many", try broker.deleteRecords(of: topic, before: 99))
        note("from 2", try described(broker, topic, producer, from: 2))
        note("delete", try broker.deleteTopic(topic))
        note("delete again", try broker.deleteTopic("nothing-\(suffix)"))
        return lines
    }

    /// What a reader of committed records gets from `offset` on, in as many answers as the broker takes for it.
    private func described(
        _ broker: BrokerDriver, _ topic: String, _ producer: ProducerIdentity, from offset: Int64 = 0
    ) throws -> String {
        var fetched = try broker.fetch(topic, from: offset)
        let outcome = "\(fetched.error) \(fetched.highWatermark) \(fetched.lastStableOffset)"
        var aborted: [String] = []
        var baseOffsets: [Int64] = []
        while let last = Batches.decode(fetched.records).last {
            for range in fetched.aborted ?? [] where !aborted.contains("from \(range.firstOffset)") {
                XCTAssertEqual(range.producerID, producer.id)
                aborted.append("from \(range.firstOffset)")
            }
            baseOffsets += fetched.baseOffsets
            fetched = try broker.fetch(topic, from: last.lastOffset + 1)
        }
        return "\(outcome) \(aborted) \(baseOffsets)"
    }

    private func noteGroups(
        _ broker: BrokerDriver, topic: String, group: String, _ note: (String, any Any) -> Void
    ) throws {
        let connection = ConnectionID(1)
        func join(memberID: String = "", instanceID: String? = nil, sessionTimeout: Int32 = 10_000) throws
            -> BrokerDriver.Joined
        {
            broker.sendJoin(
                group, memberID: memberID, instanceID: instanceID, on: connection,
                sessionTimeoutMilliseconds: sessionTimeout)
            return try XCTUnwrap(try broker.takeJoined(connection))
        }
        note("commit from outside", try broker.commitOffset(1, topic: topic, group: group))
        note("by nobody's member", try broker.commitOffset(1, topic: topic, group: group, generation: 5, memberID: "m"))
        note("session", try join(sessionTimeout: 100).error)
        note("stranger", try join(memberID: "stranger").error)
        let first = try join(instanceID: "i")
        note("joined", (first.error, first.members.count, first.leader == first.memberID))
        let old = BrokerDriver.Member(id: first.memberID, generation: first.generation, instanceID: "i")
        broker.sendSync(group, old, assignments: [old.id: "all"], on: connection)
        note("synced", try XCTUnwrap(try broker.takeSynced(connection)))
        note(
            "commit",
            try broker.commitOffset(
                2, topic: topic, group: group, generation: old.generation, memberID: old.id, instanceID: "i"))
        note("outside with members", try broker.commitOffset(2, topic: topic, group: group))
        let back = try join(instanceID: "i")
        note("back", (back.error, back.generation - old.generation, back.members.count, back.leader == old.id))
        let new = BrokerDriver.Member(id: back.memberID, generation: back.generation, instanceID: "i")
        note("old", try broker.heartbeat(group, old))
        note("new", try broker.heartbeat(group, new))
        note("other generation", try broker.heartbeat(group, .init(id: new.id, generation: new.generation + 1)))
        note("old joins", try join(memberID: old.id, instanceID: "i").error)
        note("leave", try broker.leave(group, memberID: "", instanceID: "i"))
        note("leave again", try broker.leave(group, memberID: "", instanceID: "i"))
    }

    func testAnswersAreThoseOfApacheKafka() throws {
        let address = try TestKafka.sharedBootstrapServers(name)
        let port = try XCTUnwrap(address.split(separator: ":").last.flatMap { UInt16($0) })
        let suffix = UUID().uuidString
        let broker = try EmbeddedBroker(BrokerConfiguration())
        defer { broker.stop() }
        let ours = try transcript(try RemoteDriver(port: broker.port), suffix: suffix)
        let theirs = try transcript(try RemoteDriver(port: port), suffix: suffix)
        XCTAssertEqual(ours.count, theirs.count)
        for (our, their) in zip(ours, theirs) { XCTAssertEqual(our, their) }
    }
}
