import EmbeddedBroker
import Foundation
import XCTest

/// What a data directory brings back. A driver that is let go is like a broker that was killed: nothing is written at the end.
final class RecoveryTests: XCTestCase {
    private var directory: URL!

    override func setUp() {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("broker-\(UUID().uuidString)")
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: directory) }

    private func start(_ path: URL? = nil) throws -> BrokerDriver {
        let path = path ?? directory.appendingPathComponent("data")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return try BrokerDriver { $0.dataDirectory = path.path }
    }

    private func copy(_ name: String) throws -> URL {
        let target = directory.appendingPathComponent(name)
        try? FileManager.default.removeItem(at: target)
        try FileManager.default.copyItem(at: directory.appendingPathComponent("data"), to: target)
        return target
    }

    /// The only partition's only segment.
    private func segment(in data: URL) throws -> URL {
        let logs = data.appendingPathComponent("logs")
        let folder = try XCTUnwrap(try FileManager.default.contentsOfDirectory(atPath: logs.path).first)
        let files = try FileManager.default.contentsOfDirectory(atPath: logs.appendingPathComponent(folder).path)
        return logs.appendingPathComponent(folder).appendingPathComponent(try XCTUnwrap(files.first))
    }

    private func size(_ file: URL) throws -> Int {
        try XCTUnwrap(try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int)
    }

    private func cut(_ file: URL, to byteCount: Int) throws {
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: UInt64(byteCount))
        try handle.close()
    }

    private func transactionalBatch(_ value: String, _ producer: ProducerIdentity, _ sequence: Int32) -> [UInt8] {
        Batches.batch([.init(value)], producer: producer, sequence: sequence, transactional: true)
    }

    func testDirectoryOfARunningBrokerIsRefused() throws {
        let running = try start()
        try withExtendedLifetime(running) {
            XCTAssertThrowsError(try start()) { error in XCTAssertTrue("\(error)".contains("in use"), "\(error)") }
        }
    }

    func testWhatWasAcknowledgedIsThereAfterARestart() throws {
        var before: [UInt8] = []
        var firstID: Int64 = 0
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t", settings: ["max.message.bytes": "500"]), 0)
            XCTAssertEqual(try broker.createTopic("deleted"), 0)
            _ = try broker.produce(Batches.batch("a", "b"), to: "t")
            _ = try broker.produce(Batches.batch("c"), to: "t")
            _ = try broker.produce(Batches.batch("x"), to: "deleted")
            XCTAssertEqual(try broker.commitOffset(2, topic: "t", group: "g"), 0)
            XCTAssertEqual(try broker.deleteTopic("deleted"), 0)
            before = try broker.fetch("t").records
            firstID = try broker.initProducer(nil).producer.id
        }
        let broker = try start()
        XCTAssertEqual(try broker.fetch("t").records, before)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g"), .init(offset: 2, error: 0))
        XCTAssertEqual(try broker.produce(Batches.batch(String(repeating: "x", count: 600)), to: "t").error, 10)
        XCTAssertEqual(try broker.produce(Batches.batch("d"), to: "t"), .init(error: 0, baseOffset: 3))
        XCTAssertEqual(try broker.produce(Batches.batch("d"), to: "deleted").error, 3)
        XCTAssertGreaterThan(try broker.initProducer(nil).producer.id, firstID, "never given out twice")
    }

    func testOpenTransactionGoesOn() throws {
        var producer = ProducerIdentity(id: -1, epoch: -1)
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            producer = try broker.initProducer("tx").producer
            XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
            XCTAssertEqual(try broker.produce(transactionalBatch("a", producer, 0), to: "t").error, 0)
            XCTAssertEqual(try broker.addOffsets(of: "g", to: "tx", producer), 0)
            XCTAssertEqual(
                try broker.commitOffsetInTransaction(7, topic: "t", group: "g", transactionalID: "tx", producer), 0)
        }
        let broker = try start()
        XCTAssertEqual(try broker.fetch("t").lastStableOffset, 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g", requireStable: true).error, 88)
        XCTAssertEqual(
            try broker.produce(transactionalBatch("a", producer, 0), to: "t"), .init(error: 0, baseOffset: 0),
            "sent again")
        XCTAssertEqual(try broker.produce(transactionalBatch("b", producer, 1), to: "t").error, 0)
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        XCTAssertEqual(try broker.fetch("t").baseOffsets, [0, 1, 2])
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g", requireStable: true), .init(offset: 7, error: 0))
    }

    func testMembersOfAGroupGoOnUndisturbed() throws {
        var member = BrokerDriver.Member(id: "", generation: 0)
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            member = try broker.joinAndSync("g", sessionTimeoutMilliseconds: 10_000)
        }
        let broker = try start()
        XCTAssertEqual(try broker.heartbeat("g", member), 0)
        XCTAssertEqual(
            try broker.commitOffset(1, topic: "t", group: "g", generation: member.generation, memberID: member.id), 0)
        XCTAssertEqual(try broker.commitOffset(1, topic: "t", group: "g"), 25, "others are kept out")
        broker.sendSync("g", member, on: ConnectionID(1))
        XCTAssertEqual(try broker.takeSynced(ConnectionID(1))?.assignment, Array("all".utf8))
        broker.advance(10_000)
        XCTAssertEqual(try broker.heartbeat("g", member), 25, "its session ends as any other")
        let next = try broker.joinAndSync("g", sessionTimeoutMilliseconds: 10_000)
        XCTAssertGreaterThan(next.generation, member.generation)
    }

    func testTransactionsTimeRunsOnOverARestart() throws {
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            let producer = try broker.initProducer("tx", timeoutMilliseconds: 5_000).producer
            XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
            XCTAssertEqual(try broker.produce(transactionalBatch("a", producer, 0), to: "t").error, 0)
        }
        let broker = try start()
        broker.advance(5_000)
        let fetched = try broker.fetch("t")
        XCTAssertEqual(fetched.lastStableOffset, 2)
        XCTAssertEqual(fetched.aborted?.count, 1)
    }

    func testAbortedTransactionsStayHidden() throws {
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            let producer = try broker.initProducer("tx").producer
            XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
            XCTAssertEqual(try broker.produce(transactionalBatch("a", producer, 0), to: "t").error, 0)
            XCTAssertEqual(try broker.end("tx", producer, commit: false), 0)
        }
        XCTAssertEqual(try start().fetch("t").aborted, [.init(producerID: 0, firstOffset: 0)])
    }

    /// Killed between the decision and its markers: the decision stands, whatever of its consequences was written.
    func testDecidedTransactionIsCompleted() throws {
        let journal = directory.appendingPathComponent("data/journal")
        var journalSize = 0
        var logSize = 0
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            let producer = try broker.initProducer("tx").producer
            XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
            XCTAssertEqual(try broker.produce(transactionalBatch("a", producer, 0), to: "t").error, 0)
            XCTAssertEqual(try broker.addOffsets(of: "g", to: "tx", producer), 0)
            XCTAssertEqual(
                try broker.commitOffsetInTransaction(7, topic: "t", group: "g", transactionalID: "tx", producer), 0)
            journalSize = try size(journal)
            logSize = try size(segment(in: directory.appendingPathComponent("data")))
            XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        }
        let length = try Data(contentsOf: journal)[journalSize..<journalSize + 4].reduce(0) { $0 << 8 | Int($1) }
        for (name, keepsMarker) in [("without-marker", false), ("with-marker", true)] {
            let data = try copy(name)
            try cut(data.appendingPathComponent("journal"), to: journalSize + 8 + length)
            if !keepsMarker { try cut(segment(in: data), to: logSize) }
            let broker = try start(data)
            let fetched = try broker.fetch("t")
            XCTAssertEqual(fetched.baseOffsets, [0, 1], name)
            XCTAssertEqual(fetched.lastStableOffset, 2, name)
            XCTAssertEqual(fetched.aborted, [], name)
            XCTAssertEqual(
                try broker.fetchOffset(topic: "t", group: "g", requireStable: true), .init(offset: 7, error: 0), name)
        }
    }

    func testTornBatchIsCutWhereverTheWriteEnded() throws {
        var sizes: [Int] = []
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            for value in ["first", "second"] {
                XCTAssertEqual(try broker.produce(Batches.batch(value), to: "t").error, 0)
                sizes.append(try size(segment(in: directory.appendingPathComponent("data"))))
            }
        }
        for length in sizes[0]..<sizes[1] {
            let data = try copy("torn")
            try cut(segment(in: data), to: length)
            let broker = try start(data)
            XCTAssertEqual(try broker.fetch("t").baseOffsets, [0], "cut at \(length)")
            XCTAssertEqual(try broker.produce(Batches.batch("again"), to: "t").baseOffset, 1)
            XCTAssertEqual(try broker.fetch("t").baseOffsets, [0, 1])
        }
    }

    func testTornJournalEntryIsCutWhereverTheWriteEnded() throws {
        let journal = directory.appendingPathComponent("data/journal")
        var sizes: [Int] = []
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            for offset in Int64(1)...2 {
                XCTAssertEqual(try broker.commitOffset(offset, topic: "t", group: "g"), 0)
                sizes.append(try size(journal))
            }
        }
        for length in sizes[0]..<sizes[1] {
            let data = try copy("torn")
            try cut(data.appendingPathComponent("journal"), to: length)
            let broker = try start(data)
            XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g").offset, 1, "cut at \(length)")
            XCTAssertEqual(try broker.commitOffset(3, topic: "t", group: "g"), 0)
        }
    }

    func testDamageInTheMiddleOfTheJournalStopsTheStart() throws {
        let journal = directory.appendingPathComponent("data/journal")
        var intact = 0
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            intact = try size(journal)
            for offset in Int64(1)...3 { XCTAssertEqual(try broker.commitOffset(offset, topic: "t", group: "g"), 0) }
        }
        var bytes = try Data(contentsOf: journal)
        bytes[intact + 12] ^= 1
        try bytes.write(to: journal)
        XCTAssertThrowsError(try start()) { error in
            XCTAssertTrue("\(error)".contains("damaged at byte \(intact)"), "\(error)")
        }
        XCTAssertEqual(try Data(contentsOf: journal), bytes, "nothing is cut")
    }

    func testDeletedRecordsStayDeleted() throws {
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t", settings: ["segment.bytes": "100"]), 0)
            for value in ["a", "b", "c", "d"] { _ = try broker.produce(Batches.batch(value), to: "t") }
            XCTAssertEqual(try broker.deleteRecords(of: "t", before: 3), 0)
            XCTAssertEqual(try broker.fetch("t", from: 2).error, 1)
        }
        let broker = try start()
        XCTAssertEqual(try broker.fetch("t", from: 2).error, 1)
        XCTAssertEqual(try broker.fetch("t", from: 3).baseOffsets, [3])
        XCTAssertEqual(try broker.deleteRecords(of: "t", before: -1), 0)
        let again = try broker.produce(Batches.batch("e"), to: "t")
        XCTAssertEqual(again.baseOffset, 4, "offsets are never given twice")
    }

    /// A machine that dies can lose records although it kept the word that they were deleted.
    func testFilesThatEndBeforeTheLogsStartAreNoTrap() throws {
        var lost = directory.appendingPathComponent("data")
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            for value in ["a", "b", "c"] { _ = try broker.produce(Batches.batch(value), to: "t") }
            lost = try copy("lost")
            XCTAssertEqual(try broker.deleteRecords(of: "t", before: 3), 0)
        }
        let journal = lost.appendingPathComponent("journal")
        try FileManager.default.removeItem(at: journal)
        try FileManager.default.copyItem(
            at: directory.appendingPathComponent("data").appendingPathComponent("journal"), to: journal)
        try cut(try segment(in: lost), to: Batches.batch("a").count)
        let broker = try start(lost)
        XCTAssertEqual(try broker.fetch("t", from: 0).error, 1)
        XCTAssertEqual(try broker.fetch("t", from: 3).error, 0)
        XCTAssertEqual(try broker.produce(Batches.batch("d"), to: "t"), .init(error: 0, baseOffset: 3))
    }

    func testJournalIsRewrittenWhenItHasGrown() throws {
        let journal = directory.appendingPathComponent("data/journal")
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t"), 0)
            let producer = try broker.initProducer("tx").producer
            XCTAssertEqual(try broker.addPartition("t", to: "tx", producer), 0)
            XCTAssertEqual(try broker.produce(transactionalBatch("a", producer, 0), to: "t").error, 0)
            for offset in Int64(0)..<100_000 {
                XCTAssertEqual(try broker.commitOffset(offset, topic: "t", group: "g"), 0)
            }
            XCTAssertGreaterThan(try size(journal), 4 << 20)
            broker.advance(10_000)
            XCTAssertLessThan(try size(journal), 1_000)
            XCTAssertEqual(try broker.commitOffset(5, topic: "t", group: "other"), 0)
        }
        let broker = try start()
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g").offset, 99_999)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "other").offset, 5)
        XCTAssertEqual(try broker.end("tx", .init(id: 0, epoch: 0), commit: true), 0)
        XCTAssertEqual(try broker.fetch("t").lastStableOffset, 2)
    }

    func testCompactedLogIsReadAgain() throws {
        var before: [UInt8] = []
        do {
            let broker = try start()
            XCTAssertEqual(
                try broker.createTopic("t", settings: ["cleanup.policy": "compact", "segment.bytes": "2000"]), 0)
            for number in 0..<200 {
                let batch = Batches.batch([.init("v\(number)", key: "k\(number % 3)")])
                XCTAssertEqual(try broker.produce(batch, to: "t").error, 0)
            }
            broker.advance(10_000)
            before = try broker.fetch("t").records
            XCTAssertLessThan(before.count, 4_000)
        }
        let broker = try start()
        XCTAssertEqual(try broker.fetch("t").records, before)
        XCTAssertEqual(try broker.produce(Batches.batch([.init("w", key: "k0")]), to: "t").baseOffset, 200)
    }

    func testDamageInTheMiddleStopsTheStart() throws {
        do {
            let broker = try start()
            XCTAssertEqual(try broker.createTopic("t", settings: ["segment.bytes": "100"]), 0)
            for value in ["a", "b", "c"] { _ = try broker.produce(Batches.batch(value), to: "t") }
        }
        let logs = directory.appendingPathComponent("data/logs")
        let folder = try XCTUnwrap(try FileManager.default.contentsOfDirectory(atPath: logs.path).first)
        try cut(logs.appendingPathComponent("\(folder)/00000000000000000000.log"), to: 20)
        XCTAssertThrowsError(try start()) { error in
            XCTAssertTrue("\(error)".contains("damaged at byte 0"), "\(error)")
        }
    }
}
