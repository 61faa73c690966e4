import EmbeddedBroker
import XCTest

final class CompactionTests: XCTestCase {
    private func compactedBroker(_ settings: [String: String] = [:]) throws -> BrokerDriver {
        let broker = try BrokerDriver()
        XCTAssertEqual(
            try broker.createTopic("t", settings: settings.merging(["cleanup.policy": "compact"]) { old, _ in old }), 0)
        return broker
    }

    /// Every record that is left, by offset.
    private func contents(_ broker: BrokerDriver) throws -> [Int64: Batches.Decoded] {
        var all: [Int64: Batches.Decoded] = [:]
        var offset: Int64 = 0
        while true {
            let fetched = try broker.fetch("t", from: offset)
            XCTAssertEqual(fetched.error, 0)
            let batches = Batches.decode(fetched.records)
            guard let last = batches.last else { return all }
            for batch in batches {
                XCTAssertTrue(batch.isIntact, "checksum of the batch at \(batch.baseOffset)")
                for record in batch.records { all[record.offset] = record }
            }
            offset = last.lastOffset + 1
        }
    }

    private func fill(_ broker: BrokerDriver, rounds: Int) throws {
        let padding = String(repeating: "x", count: 400)
        for round in 0..<rounds {
            let records = (0..<10).map { Batches.Record("\(round)-\(padding)", key: "k\($0)") }
            XCTAssertEqual(try broker.produce(Batches.batch(records), to: "t").error, 0)
        }
    }

    func testOnlyTheLatestRecordOfAKeyStaysUnderItsOffset() throws {
        let broker = try compactedBroker()
        XCTAssertEqual(try broker.produce(Batches.batch([.init("only", key: "once")]), to: "t").error, 0)
        try fill(broker, rounds: 100)
        broker.advance(10_000)
        let left = try contents(broker)
        XCTAssertLessThan(left.count, 900)
        XCTAssertEqual(left[0]?.value, "only")
        XCTAssertNil(left[1], "superseded")
        for offset in Int64(991)...1_000 { XCTAssertNotNil(left[offset], "the latest of its key") }
        XCTAssertEqual(try broker.fetch("t", from: 1).highWatermark, 1_001)
    }

    /// A batch that ends before the offset asked for would be fetched again and again by a client with small limits.
    func testEveryFetchGoesOnFromItsOffset() throws {
        let broker = try compactedBroker()
        XCTAssertEqual(try broker.produce(Batches.batch([.init("only", key: "once")]), to: "t").error, 0)
        try fill(broker, rounds: 300)
        broker.advance(10_000)
        let end = try broker.fetch("t").highWatermark
        var gaps = 0
        for offset in 0..<end {
            let fetched = try broker.fetch("t", from: offset, maximumBytes: 1)
            let batch = try XCTUnwrap(Batches.decode(fetched.records).first)
            XCTAssertGreaterThanOrEqual(batch.lastOffset, offset)
            if batch.baseOffset > offset { gaps += 1 }
        }
        XCTAssertGreaterThan(gaps, 0)
    }

    func testTombstonesGoAfterTheirTime() throws {
        let broker = try compactedBroker(["delete.retention.ms": "60000"])
        XCTAssertEqual(try broker.produce(Batches.batch([.init(nil, key: "gone")]), to: "t").error, 0)
        try fill(broker, rounds: 100)
        broker.advance(10_000)
        XCTAssertNotNil(try contents(broker)[0], "readers must still learn of it")
        try fill(broker, rounds: 500)
        broker.advance(100_000)
        XCTAssertNil(try contents(broker)[0])
    }

    func testTombstoneStaysAsLongAsReadersMayNeedItWhateverItsTimestamp() throws {
        let broker = try compactedBroker(["delete.retention.ms": "60000"])
        let tombstone = Batches.batch([.init(nil, key: "gone")], baseTimestamp: 1_000)
        XCTAssertEqual(try broker.produce(tombstone, to: "t").error, 0)
        try fill(broker, rounds: 100)
        broker.advance(10_000)
        XCTAssertNotNil(try contents(broker)[0])
    }

    /// A compressed batch is not opened and stays whole: without the tombstone, what it holds of the key would be back.
    func testTombstoneAfterACompressedBatchStays() throws {
        let broker = try compactedBroker(["delete.retention.ms": "60000"])
        XCTAssertEqual(try broker.produce(Batches.batch([.init(nil, key: "first")]), to: "t").error, 0)
        XCTAssertEqual(try broker.produce(Batches.gzip, to: "t").error, 0)
        XCTAssertEqual(try broker.produce(Batches.batch([.init(nil, key: "gone")]), to: "t").baseOffset, 4)
        try fill(broker, rounds: 600)
        broker.advance(100_000)
        var seen: [Int64] = []
        var offset: Int64 = 0
        while offset < 5 {
            let fetched = try broker.fetch("t", from: offset, maximumBytes: 1)
            let batch = try XCTUnwrap(fetched.baseOffsets.first)
            if batch < 5 { seen.append(batch) }
            offset = batch == 1 ? 4 : batch + 1
        }
        XCTAssertEqual(seen, [1, 4], "what precedes the compressed batch went")
    }

    func testAbortedRecordsGoAndOpenTransactionsAreLeftAlone() throws {
        let broker = try compactedBroker()
        let producer = try broker.initProducer("tx").producer
        XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
        let aborted = Batches.batch([.init("aborted", key: "a")], producer: producer, sequence: 0, transactional: true)
        XCTAssertEqual(try broker.produce(aborted, to: "t").error, 0)
        let repeated = Batches.batch([.init("aborted", key: "b")], producer: producer, sequence: 1, transactional: true)
        XCTAssertEqual(try broker.produce(repeated, to: "t").error, 0)
        XCTAssertEqual(try broker.end("tx", producer, commit: false), 0)
        try fill(broker, rounds: 100)
        broker.advance(10_000)
        let left = try contents(broker)
        XCTAssertNil(left[0])
        XCTAssertNil(left[1])
        XCTAssertEqual(
            try broker.produce(repeated, to: "t"), .init(error: 0, baseOffset: 1), "its last sequence is still known")

        XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
        let open = Batches.batch([.init("open", key: "k0")], producer: producer, sequence: 2, transactional: true)
        let openOffset = try broker.produce(open, to: "t").baseOffset
        try fill(broker, rounds: 200)
        broker.advance(10_000)
        let all = try broker.fetch("t", from: openOffset, committed: false, maximumBytes: 1 << 20)
        XCTAssertEqual(all.baseOffsets.prefix(2), [openOffset, openOffset + 1])
    }
}
