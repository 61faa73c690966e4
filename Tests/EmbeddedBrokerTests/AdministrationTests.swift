import EmbeddedBroker
import XCTest

final class AdministrationTests: XCTestCase {
    private var broker: BrokerDriver!

    override func setUpWithError() throws {
        broker = try BrokerDriver()
        XCTAssertEqual(try broker.createTopic("t"), 0)
    }

    // MARK: - Topics

    func testTopicsThatCannotBeCreated() throws {
        XCTAssertEqual(try broker.createTopic("t"), 36)
        for name in ["", ".", "..", "a/b", "ü", String(repeating: "x", count: 250)] {
            XCTAssertEqual(try broker.createTopic(name), 17, name)
        }
        XCTAssertEqual(try broker.createTopic("none", partitions: 0), 37)
        XCTAssertEqual(try broker.createTopic("many", partitions: .max), 37)
        XCTAssertEqual(try broker.createTopic("u", settings: ["no.such": "1"]), 40)
        XCTAssertEqual(try broker.createTopic("u", settings: ["retention.ms": "soon"]), 40)
        XCTAssertEqual(try broker.createTopic("u", settings: ["cleanup.policy": "shred"]), 40)
        XCTAssertEqual(try broker.deleteTopic("u"), 3)
    }

    func testDeletedTopicTakesItsOffsetsAlong() throws {
        XCTAssertEqual(try broker.commitOffset(4, topic: "t", group: "g"), 0)
        broker.sendFetch("t", from: 0, committed: true, waitMilliseconds: 10_000)
        XCTAssertEqual(try broker.deleteTopic("t"), 0)
        XCTAssertEqual(try broker.takeFetched()?.error, 3, "a waiting fetch learns of it")
        XCTAssertEqual(try broker.createTopic("t"), 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g"), .init(offset: -1, error: 0))
        XCTAssertEqual(try broker.fetch("t").highWatermark, 0)
    }

    func testDeleteRecords() throws {
        for value in ["a", "b", "c"] { _ = try broker.produce(Batches.batch(value), to: "t") }
        XCTAssertEqual(try broker.deleteRecords(of: "t", before: 4), 1)
        XCTAssertEqual(try broker.deleteRecords(of: "t", before: 2), 0)
        XCTAssertEqual(try broker.fetch("t", from: 1).error, 1)
        XCTAssertEqual(try broker.listOffset("t", timestamp: -2), .init(error: 0, timestamp: -1, offset: 2))
        XCTAssertEqual(try broker.createTopic("compacted", settings: ["cleanup.policy": "compact"]), 0)
        XCTAssertEqual(try broker.deleteRecords(of: "compacted", before: -1), 44)
    }

    func testTopicsGrowAndNeverShrink() throws {
        XCTAssertEqual(try broker.growTopic("t", to: 3), 0)
        XCTAssertEqual(try broker.produce(Batches.batch("a"), to: "t", partition: 2).error, 0)
        XCTAssertEqual(try broker.growTopic("t", to: 3), 37)
        XCTAssertEqual(try broker.growTopic("t", to: 2), 37)
        XCTAssertEqual(try broker.growTopic("none", to: 2), 3)
    }

    func testNoRequestMakesMorePartitionsThanThereIsMemory() throws {
        for number in 0..<9 { XCTAssertEqual(try broker.createTopic("many\(number)", partitions: 10_000), 0) }
        XCTAssertEqual(try broker.createTopic("last", partitions: 10_000), 44)
        XCTAssertEqual(try broker.growTopic("t", to: 10_000), 0)
        XCTAssertEqual(try broker.createTopic("one-more"), 44)
        XCTAssertEqual(try broker.deleteTopic("many0"), 0)
        XCTAssertEqual(try broker.createTopic("one-more"), 0)
    }

    func testSettingsAreAlteredOneByOne() throws {
        XCTAssertEqual(try broker.settings(of: "t")?["retention.ms"], "604800000")
        XCTAssertEqual(try broker.alterSetting("t", "retention.ms", operation: 0, "5"), 0)
        XCTAssertEqual(try broker.alterSetting("t", "cleanup.policy", operation: 2, "compact"), 0)
        XCTAssertEqual(try broker.settings(of: "t")?["retention.ms"], "5")
        XCTAssertEqual(try broker.settings(of: "t")?["cleanup.policy"], "delete,compact")
        XCTAssertEqual(try broker.alterSetting("t", "cleanup.policy", operation: 3, "delete"), 0)
        XCTAssertEqual(try broker.settings(of: "t")?["cleanup.policy"], "compact")
        XCTAssertEqual(try broker.alterSetting("t", "retention.ms", operation: 1, nil), 0)
        XCTAssertEqual(try broker.settings(of: "t")?["retention.ms"], "604800000")
        XCTAssertEqual(try broker.alterSetting("t", "retention.ms", operation: 0, "soon"), 40)
        XCTAssertEqual(try broker.alterSetting("t", "no.such", operation: 0, "1"), 40)
        XCTAssertEqual(try broker.alterSetting("t", "retention.ms", operation: 2, "1"), 40, "no list")
        XCTAssertEqual(try broker.alterSetting("none", "retention.ms", operation: 0, "1"), 3)
        XCTAssertNil(try broker.settings(of: "none"))
    }

    // MARK: - Groups

    func testGroupsAreListedDescribedAndDeleted() throws {
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "idle"), 0)
        let member = try broker.joinAndSync("busy", sessionTimeoutMilliseconds: 10_000)
        XCTAssertEqual(try broker.listGroups(), ["busy", "idle"])
        XCTAssertEqual(
            try broker.describeGroups(["busy", "idle", "none", "busy"]),
            ["busy Stable 1", "idle Empty 0", "none Dead 0"])
        XCTAssertEqual(try broker.deleteGroup("busy"), 68)
        XCTAssertEqual(try broker.deleteGroup("none"), 69)
        XCTAssertEqual(try broker.deleteGroup("idle"), 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "idle"), .init(offset: -1, error: 0))
        XCTAssertEqual(try broker.leave("busy", memberID: member.id), 0)
        XCTAssertEqual(try broker.deleteGroup("busy"), 0)
        XCTAssertEqual(try broker.listGroups(), [])
    }

    func testOffsetsAreDeletedUnlessTheirTopicIsSubscribed() throws {
        XCTAssertEqual(try broker.createTopic("u"), 0)
        let member = try broker.joinAndSync("g", sessionTimeoutMilliseconds: 10_000)
        for topic in ["t", "u"] {
            XCTAssertEqual(
                try broker.commitOffset(
                    3, topic: topic, group: "g", generation: member.generation, memberID: member.id), 0)
        }
        XCTAssertEqual(try broker.deleteOffset("t", of: "g"), 86)
        XCTAssertEqual(try broker.deleteOffset("u", of: "g"), 0)
        XCTAssertEqual(try broker.deleteOffset("u", of: "none"), 69)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g").offset, 3)
        XCTAssertEqual(try broker.fetchOffset(topic: "u", group: "g").offset, -1)
    }

    // MARK: - Offsets by time

    func testOffsetsByTime() throws {
        let base = Batches.baseTimestamp - 1_000
        let first = Batches.batch(
            [.init("a", timestampDelta: 0), .init("b", timestampDelta: 20), .init("c", timestampDelta: 10)],
            baseTimestamp: base)
        _ = try broker.produce(first, to: "t")
        _ = try broker.produce(Batches.batch([.init("d")], baseTimestamp: base + 15), to: "t")
        typealias Listed = BrokerDriver.ListedOffset
        XCTAssertEqual(try broker.listOffset("t", timestamp: -2), Listed(error: 0, timestamp: -1, offset: 0))
        XCTAssertEqual(try broker.listOffset("t", timestamp: -1), Listed(error: 0, timestamp: -1, offset: 4))
        XCTAssertEqual(try broker.listOffset("t", timestamp: 0), Listed(error: 0, timestamp: base, offset: 0))
        XCTAssertEqual(
            try broker.listOffset("t", timestamp: base + 5), Listed(error: 0, timestamp: base + 20, offset: 1))
        XCTAssertEqual(try broker.listOffset("t", timestamp: base + 21), Listed(error: 0, timestamp: -1, offset: -1))
        XCTAssertEqual(try broker.listOffset("u", timestamp: -1).error, 3)
    }

    func testOffsetsByTimeOverManyBatches() throws {
        for number in Int64(0)..<500 {
            let batch = Batches.batch(
                [.init(String(repeating: "x", count: 300))], baseTimestamp: Batches.baseTimestamp - 1_000 + number)
            _ = try broker.produce(batch, to: "t")
        }
        for number in stride(from: Int64(0), to: 500, by: 7) {
            let timestamp = Batches.baseTimestamp - 1_000 + number
            XCTAssertEqual(
                try broker.listOffset("t", timestamp: timestamp), .init(error: 0, timestamp: timestamp, offset: number))
        }
    }

    func testOffsetsByTimeInABatchWhoseBeginningIsDeleted() throws {
        let base = Batches.baseTimestamp - 1_000
        let records = [20, 10, 30].map { Batches.Record("a", timestampDelta: $0) }
        _ = try broker.produce(Batches.batch(records, baseTimestamp: base), to: "t")
        XCTAssertEqual(try broker.deleteRecords(of: "t", before: 1), 0)
        XCTAssertEqual(
            try broker.listOffset("t", timestamp: base + 15), .init(error: 0, timestamp: base + 30, offset: 2))
        XCTAssertEqual(try broker.listOffset("t", timestamp: 0), .init(error: 0, timestamp: base + 10, offset: 1))
    }

    /// Compressed batches stay packed: what is found may come before the record asked for, never after it.
    func testOffsetsByTimeInACompressedBatchSkipNoRecord() throws {
        let base: Int64 = 0x18b_cfe5_6800
        _ = try broker.produce(Batches.batch([.init("a")], baseTimestamp: base - 10), to: "t")
        XCTAssertEqual(try broker.produce(Batches.gzip, to: "t").baseOffset, 1)
        _ = try broker.produce(Batches.batch([.init("d")], baseTimestamp: base + 10), to: "t")
        for delta in Int64(0)...2 {
            let found = try broker.listOffset("t", timestamp: base + delta).offset
            XCTAssertTrue((1...1 + delta).contains(found), "\(found)")
        }
        XCTAssertEqual(try broker.listOffset("t", timestamp: base - 5).offset, 1)
        XCTAssertEqual(try broker.listOffset("t", timestamp: base + 3).offset, 4)
        XCTAssertEqual(try broker.deleteRecords(of: "t", before: 2), 0)
        XCTAssertEqual(try broker.listOffset("t", timestamp: base).offset, 2)
    }

    func testEndForReadersOfCommittedRecordsIsTheLastStableOffset() throws {
        _ = try broker.produce(Batches.batch("a"), to: "t")
        let producer = try broker.initProducer("tx").producer
        XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
        let open = Batches.batch([.init("b")], producer: producer, sequence: 0, transactional: true)
        _ = try broker.produce(open, to: "t")
        XCTAssertEqual(try broker.listOffset("t", timestamp: -1, committed: true).offset, 1)
        XCTAssertEqual(try broker.listOffset("t", timestamp: -1, committed: false).offset, 2)
    }

    // MARK: - Bytes as Apache Kafka writes them

    /// Batches that Apache Kafka 4.3 stored for a Java producer: plain, gzip, and with a producer id.
    func testBatchesOfARealProducerAreTakenAsTheyAre() throws {
        let batches = [
            "0000000000000000 00000046 00000000 02 e1b0c686 0000 00000000 0000018bcfe56800 0000018bcfe56800"
                + "ffffffffffffffff ffff ffffffff 00000001 28 00 00 00 04 6b31 0a 68656c6c6f 04 02 68 02 78 02 6e 01",
            "0000000000000001 00000041 00000000 02 9e8191fb 0000 00000001 0000018bcfe56800 0000018bcfe56805"
                + "0000000000000087 0000 00000000 00000002 0e 00 00 00 01 02 61 00 0e 00 0a 02 02 6b 01 00",
        ].map(Batches.bytes)
        for batch in [batches[0], Batches.gzip, batches[1]] {
            XCTAssertEqual(try broker.produce(batch, to: "t").error, 0)
        }
        let stored = try broker.fetch("t")
        XCTAssertEqual(stored.baseOffsets, [0, 1, 4])
        XCTAssertEqual(Array(stored.records.suffix(batches[1].count - 8)), Array(batches[1][8...]))
    }

    func testMarkerIsApacheKafkasByteForByte() throws {
        _ = try broker.produce(Batches.batch("c"), to: "t")
        broker.advance(0x1a1_fdd8_88d2 - broker.now.wallMilliseconds)
        // WriteTxnMarkers 1, which is flexible: a commit of producer 155, epoch 1, by a coordinator of epoch 0.
        broker.send(27, 1, on: ConnectionID(1)) { body in
            var flexible = WireWriter(flexible: true)
            flexible.noTaggedFields()
            flexible.structures([true]) { body, committed in
                body.int64(155)
                body.int16(1)
                body.bool(committed)
                body.structures(["t"]) { body, topic in
                    body.string(topic)
                    body.array([Int32(0)]) { $0.int32($1) }
                }
                body.int32(0)
            }
            flexible.noTaggedFields()
            for byte in flexible.written { body.int8(Int8(bitPattern: byte)) }
        }
        let marker = Batches.bytes(
            "0000000000000001 00000042 00000000 02 7ae74024 0030 00000000 000001a1fdd888d2 000001a1fdd888d2"
                + "000000000000009b 0001 ffffffff 00000001 20 00 00 00 08 0000 0001 0c 0000 00000000 00")
        XCTAssertEqual(try broker.fetch("t", from: 1).records, marker)
    }
}
