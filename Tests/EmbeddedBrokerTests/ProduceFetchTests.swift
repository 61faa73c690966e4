import EmbeddedBroker
import XCTest

final class ProduceFetchTests: XCTestCase {
    private func broker(_ settings: [String: String] = [:]) throws -> BrokerDriver {
        let broker = try BrokerDriver()
        XCTAssertEqual(try broker.createTopic("t", settings: settings), 0)
        return broker
    }

    func testBatchesAreReturnedAsTheyCameUnderTheirOffsets() throws {
        let broker = try broker()
        let first = Batches.batch("a", "b")
        let second = Batches.batch("c")
        XCTAssertEqual(try broker.produce(first, to: "t"), .init(error: 0, baseOffset: 0))
        XCTAssertEqual(try broker.produce(second, to: "t"), .init(error: 0, baseOffset: 2))
        let fetched = try broker.fetch("t")
        XCTAssertEqual(fetched.highWatermark, 3)
        XCTAssertEqual(fetched.lastStableOffset, 3)
        XCTAssertEqual(fetched.baseOffsets, [0, 2])
        XCTAssertEqual(Array(fetched.records[16..<first.count]), Array(first[16...]), "all but offset and epoch")
        XCTAssertEqual(Array(fetched.records[(first.count + 16)...]), Array(second[16...]))
    }

    func testFetchFromTheMiddleOfABatchReturnsItWhole() throws {
        let broker = try broker()
        _ = try broker.produce(Batches.batch("a", "b", "c"), to: "t")
        _ = try broker.produce(Batches.batch("d"), to: "t")
        XCTAssertEqual(try broker.fetch("t", from: 1).baseOffsets, [0, 3])
        XCTAssertEqual(try broker.fetch("t", from: 3).baseOffsets, [3])
    }

    func testFirstBatchIsReturnedWholeWhateverTheLimit() throws {
        let broker = try broker()
        let large = Batches.batch(String(repeating: "x", count: 5_000))
        _ = try broker.produce(large, to: "t")
        _ = try broker.produce(Batches.batch("small"), to: "t")
        XCTAssertEqual(try broker.fetch("t", maximumBytes: 10).records.count, large.count)
    }

    func testLimitEndsAtABatchBoundary() throws {
        let broker = try broker()
        let batch = Batches.batch(String(repeating: "x", count: 100))
        for _ in 0..<200 { _ = try broker.produce(batch, to: "t") }
        let fetched = try broker.fetch("t", maximumBytes: Int32(batch.count * 70 + 5))
        XCTAssertEqual(fetched.records.count, batch.count * 70)
        XCTAssertEqual(fetched.baseOffsets, Array(0..<70))
        XCTAssertEqual(try broker.fetch("t", from: 150).baseOffsets, Array(150..<200))
    }

    func testReadsGoOnOverManySegments() throws {
        let broker = try broker()
        let batch = Batches.batch(String(repeating: "x", count: 9_000))
        for _ in 0..<40 { _ = try broker.produce(batch, to: "t") }
        XCTAssertEqual(try broker.fetch("t").baseOffsets, Array(0..<40))
        for offset in Int64(0)..<40 {
            XCTAssertEqual(try broker.fetch("t", from: offset).baseOffsets.first, offset)
        }
    }

    func testOffsetsOutsideTheLogAreErrorsAndItsEndIsEmpty() throws {
        let broker = try broker()
        _ = try broker.produce(Batches.batch("a"), to: "t")
        XCTAssertEqual(try broker.fetch("t", from: 2).error, 1)
        XCTAssertEqual(try broker.fetch("t", from: -1).error, 1)
        let atEnd = try broker.fetch("t", from: 1)
        XCTAssertEqual(atEnd.error, 0)
        XCTAssertEqual(atEnd.records, [])
    }

    /// From version 13 on topics are named by their id alone.
    func testFetchByTopicIDInEveryNewerVersion() throws {
        let broker = try broker()
        let topic = try broker.topicID("t")
        XCTAssertEqual(try broker.produce(Batches.batch("a", "b"), to: "t").error, 0)
        for version in Int16(13)...18 {
            broker.sendFetch(topic, version: version, from: 0, waitMilliseconds: 0)
            let fetched = try XCTUnwrap(try broker.takeFetchedByID(topic))
            XCTAssertEqual(fetched.error, 0)
            XCTAssertEqual(fetched.highWatermark, 2)
            XCTAssertEqual(fetched.baseOffsets, [0])
        }
        let unknown = UUID128(high: 1, low: 2)
        broker.sendFetch(unknown, version: 18, from: 0, waitMilliseconds: 1_000)
        XCTAssertEqual(try broker.takeFetchedByID(unknown)?.error, 100, "at once")
        broker.sendFetch(topic, version: 18, from: 2, waitMilliseconds: 1_000)
        XCTAssertNil(try broker.takeFetchedByID(topic))
        XCTAssertEqual(try broker.produce(Batches.batch("c"), to: "t").error, 0)
        XCTAssertEqual(try broker.takeFetchedByID(topic)?.baseOffsets, [2])
        broker.sendFetch(topic, version: 18, from: 3, waitMilliseconds: 1_000)
        XCTAssertEqual(try broker.deleteTopic("t"), 0)
        XCTAssertEqual(try broker.takeFetchedByID(topic)?.error, 100)
    }

    func testWaitingFetchIsAnsweredWhenARecordArrives() throws {
        let broker = try broker()
        broker.sendFetch("t", from: 0, committed: true, waitMilliseconds: 500)
        XCTAssertNil(try broker.takeFetched())
        broker.advance(100)
        XCTAssertNil(try broker.takeFetched())
        _ = try broker.produce(Batches.batch("a"), to: "t")
        XCTAssertEqual(try broker.takeFetched()?.baseOffsets, [0])
    }

    func testWaitingFetchEndsWithTheClientsPatience() throws {
        let broker = try broker()
        broker.sendFetch("t", from: 0, committed: true, waitMilliseconds: 500)
        broker.advance(499)
        XCTAssertNil(try broker.takeFetched())
        broker.advance(1)
        XCTAssertEqual(try broker.takeFetched()?.records, [])
    }

    func testWaitingFetchCollectsTheBytesItAsksFor() throws {
        let broker = try broker()
        let batch = Batches.batch("a")
        broker.sendFetch("t", from: 0, committed: true, waitMilliseconds: 500, minimumBytes: Int32(batch.count + 1))
        _ = try broker.produce(batch, to: "t")
        XCTAssertNil(try broker.takeFetched())
        _ = try broker.produce(batch, to: "t")
        XCTAssertEqual(try broker.takeFetched()?.baseOffsets, [0, 1])
    }

    func testFetchOfAClosedConnectionIsForgotten() throws {
        let broker = try broker()
        broker.sendFetch("t", from: 0, committed: true, waitMilliseconds: 500)
        broker.core.close(ConnectionID(3))
        _ = try broker.produce(Batches.batch("a"), to: "t")
        XCTAssertNil(try broker.takeFetched())
    }

    func testDamagedAndImpossibleBatchesAreRefused() throws {
        let broker = try broker(["max.message.bytes": "1000"])
        var damaged = Batches.batch("a")
        damaged[damaged.count - 1] ^= 1
        XCTAssertEqual(try broker.produce(damaged, to: "t").error, 2)
        XCTAssertEqual(try broker.produce(Array(damaged[..<30]), to: "t").error, 87)
        XCTAssertEqual(try broker.produce(Array(Batches.batch("abc").dropLast()), to: "t").error, 87)
        XCTAssertEqual(try broker.produce(Batches.batch("a") + Batches.batch("b"), to: "t").error, 87)
        XCTAssertEqual(try broker.produce(Batches.batch([.init("a")], control: true), to: "t").error, 87)
        XCTAssertEqual(try broker.produce(Batches.batch(String(repeating: "x", count: 1_000)), to: "t").error, 10)
        XCTAssertEqual(try broker.produce(Batches.batch("a"), to: "other").error, 3)
        XCTAssertEqual(try broker.produce(Batches.batch("a"), to: "t", partition: 1).error, 3)
        XCTAssertEqual(try broker.produce(Batches.batch("a"), to: "t", acks: 2).error, 21)
        let ahead = Batches.batch([.init("a")], baseTimestamp: Batches.baseTimestamp + 3_600_001)
        XCTAssertEqual(try broker.produce(ahead, to: "t").error, 32)
        XCTAssertEqual(try broker.fetch("t").highWatermark, 0)
    }

    /// A consumer that meets such a record stops for ever, and every other consumer of the partition with it.
    func testRecordsThatNobodyCouldReadAreRefused() throws {
        let broker = try broker()
        let sound = Batches.batch([.init("a"), .init("b", key: "k")])
        XCTAssertEqual(sound.suffix(9), [0x10, 0, 0, 2, 2, 0x6b, 2, 0x62, 0], "the record that is altered")
        let last = sound.count - 1
        let malformed: [(String, [UInt8])] = [
            ("length", Batches.altered(sound) { $0[61] = 0x40 }),
            ("offset", Batches.altered(sound) { $0[last - 5] = 4 }),
            ("key", Batches.altered(sound) { $0[last - 4] = 0x40 }),
            ("value", Batches.altered(sound) { $0[last - 2] = 0x40 }),
            ("headers", Batches.altered(sound) { $0[last] = 2 }),
            ("count", Batches.altered(sound) { ($0[26], $0[60]) = (2, 3) }),
            ("more", Batches.altered(sound) { ($0[26], $0[60]) = (0, 1) }),
        ]
        for (what, batch) in malformed {
            XCTAssertEqual(try broker.produce(batch, to: "t").error, 87, what)
        }
        XCTAssertEqual(try broker.produce(Batches.altered(sound) { _ in }, to: "t"), .init(error: 0, baseOffset: 0))
    }

    func testCompactedTopicNeedsKeys() throws {
        let broker = try broker(["cleanup.policy": "compact"])
        XCTAssertEqual(try broker.produce(Batches.batch("a"), to: "t").error, 87)
        XCTAssertEqual(try broker.produce(Batches.batch([.init("a", key: "k")]), to: "t").error, 0)
    }

    func testProduceWithoutAcknowledgementIsNotAnswered() throws {
        let broker = try broker()
        broker.send(0, 7, on: ConnectionID(2)) { body in
            body.nullableString(nil)
            body.int16(0)
            body.int32(1_000)
            body.array(["t"]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.bytes(Batches.batch("a"))
                }
            }
        }
        XCTAssertNil(broker.takeAnswer(ConnectionID(2)))
        XCTAssertEqual(try broker.fetch("t").highWatermark, 1)
    }

    func testAppendTimeReplacesTheRecordsOwn() throws {
        let broker = try broker(["message.timestamp.type": "LogAppendTime"])
        XCTAssertEqual(try broker.produce(Batches.batch([.init("a")], baseTimestamp: 5), to: "t").error, 0)
        let stored = try broker.fetch("t").records
        XCTAssertEqual(stored[22] & 0x08, 0x08)
        XCTAssertEqual(stored[35..<43].reduce(0) { $0 << 8 | Int64($1) }, broker.now.wallMilliseconds)
        let checksum = stored[21...].withUnsafeBytes { CRC32C.checksum($0) }
        XCTAssertEqual(stored[17..<21].reduce(0) { $0 << 8 | UInt32($1) }, checksum)
    }

    func testRetentionByTimeDeletesWhatIsOld() throws {
        let broker = try broker(["retention.ms": "1000"])
        _ = try broker.produce(Batches.batch("a"), to: "t")
        broker.advance(300_000)
        XCTAssertEqual(try broker.fetch("t", from: 0).error, 1)
        XCTAssertEqual(try broker.produce(Batches.batch([.init("b")]), to: "t").baseOffset, 1)
    }

    func testRetentionBySizeKeepsTheNewest() throws {
        let broker = try broker(["retention.bytes": "100000"])
        let batch = Batches.batch([.init(String(repeating: "x", count: 1_000))])
        for _ in 0..<500 { _ = try broker.produce(batch, to: "t") }
        broker.advance(300_000)
        let start = try broker.listOffset("t", timestamp: -2).offset
        XCTAssertGreaterThan(start, 0)
        XCTAssertLessThanOrEqual(start, 500 - 100_000 / Int64(batch.count), "no more than the surplus goes")
        XCTAssertEqual(try broker.fetch("t", from: start).baseOffsets.first, start)
    }
}
