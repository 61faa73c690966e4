import JSON
import StreamKit
import XCTest

final class ChangelogTests: XCTestCase {
    private func decode(_ key: [UInt8]?) throws -> String {
        func describe(_ item: Changelog.Item) -> String {
            switch item {
            case .entry(let key): "entry \([UInt8](key))"
            case .definition: "definition"
            case .bundle(let name): "bundle \(name.slot)"
            }
        }
        guard let key else { return describe(try Changelog.decode(nil)) }
        return try key.withUnsafeBytes { describe(try Changelog.decode($0)) }
    }

    func testWhatIsEncodedIsDecoded() throws {
        let buffer = OutputBuffer()
        buffer.append("what was there before" as StaticString)
        for key in [[], [0], [1, 2, 3], [UInt8](repeating: 255, count: 1000)] as [[UInt8]] {
            key.withUnsafeBytes { Changelog.encode($0, into: buffer) }
            XCTAssertEqual(buffer.bytes.first, Changelog.version)
            XCTAssertEqual(try decode([UInt8](buffer.bytes)), "entry \(key)")
        }
        XCTAssertEqual(try decode(Changelog.definitionKey), "definition")
    }

    func testADefinitionIsReadAsItIsWritten() {
        for format in ["", "count/1", "sum of a\nand b", "x\nchangelog=zz"] {
            for identity in [nil, 0, 0x9f3a, UInt64.max] as [UInt64?] {
                let definition = Changelog.Definition(format: format, identity: identity)
                XCTAssertEqual(Changelog.Definition(text: definition.text), definition)
            }
        }
        XCTAssertEqual(Changelog.Definition(format: "d/1", identity: 255).text, "d/1\nchangelog=ff")
    }

    func testWhatIsNotOursIsRefused() {
        for key in [nil, [], [1], [1, 2], [1, 255, 0]] as [[UInt8]?] {
            XCTAssertThrowsError(try decode(key)) { XCTAssertEqual($0 as? Changelog.Failure, .malformed) }
        }
        XCTAssertThrowsError(try decode([2, 0])) { XCTAssertEqual($0 as? Changelog.Failure, .newerVersion(2)) }
    }
}

final class CommitMetadataTests: XCTestCase {
    func testWhatIsWrittenIsRead() throws {
        let watermarks: [Int64] = [TaskTime.none, 0, -1, 1_736_782_245_123, .max, .min + 1]
        for watermark in watermarks {
            for transaction in [nil, 0, 1, 0x9f3a, UInt64.max] as [UInt64?] {
                let metadata = CommitMetadata(watermarkMilliseconds: watermark, transaction: transaction)
                XCTAssertEqual(try CommitMetadata(metadata.text), metadata)
                XCTAssertLessThan(metadata.text.utf8.count, 80)
            }
        }
        XCTAssertEqual(
            CommitMetadata(watermarkMilliseconds: 5, transaction: 255).text, "1;transaction=ff;watermark=5")
    }

    func testMetadataOfOtherProgramsSaysNothing() throws {
        for text in ["", ";", "mirror", "{\"a\":1}", "1", "1;", "1;;x=5;=", "01;later=7"] {
            let metadata = try CommitMetadata(text)
            XCTAssertEqual(metadata.watermarkMilliseconds, TaskTime.none, text)
            XCTAssertNil(metadata.transaction, text)
        }
    }

    func testWhatCannotBeReadIsNotGuessed() {
        XCTAssertThrowsError(try CommitMetadata("2;watermark=5")) {
            XCTAssertEqual($0 as? CommitMetadata.Failure, .newerVersion("2;watermark=5"))
        }
        for text in ["1;watermark=", "1;watermark=12x", "1;watermark=99999999999999999999", "1;transaction=xyz"] {
            XCTAssertThrowsError(try CommitMetadata(text)) {
                XCTAssertEqual($0 as? CommitMetadata.Failure, .malformed(text))
            }
        }
    }
}

final class TaskTimeTests: XCTestCase {
    private let now: Int64 = 1_736_782_245_000

    private func time() -> TaskTime {
        let time = TaskTime()
        _ = time.add(TopicPartition("a", 0), source: 0, watermark: TaskTime.none)
        _ = time.add(TopicPartition("b", 0), source: 1, watermark: 500)
        time.clock(nowMilliseconds: now)
        return time
    }

    func testAWatermarkIsTheGreatestEventTimeOfItsPartition() {
        let time = time()
        time.begin(0)
        XCTAssertEqual(time.currentPartition, TopicPartition("a", 0))
        for event in [100, 300, 200] as [Int64] { time.observe(eventTimeMilliseconds: event) }
        XCTAssertEqual(time.watermarkMilliseconds, 300)
        XCTAssertEqual(time.watermark(1), 500)
        XCTAssertEqual(time.leastWatermarkMilliseconds, 300)
    }

    func testAPartitionNotYetHeardOfHoldsTheLeastWatermark() {
        XCTAssertEqual(time().leastWatermarkMilliseconds, TaskTime.none)
        XCTAssertEqual(TaskTime().leastWatermarkMilliseconds, TaskTime.none)
    }

    func testAnEventTimeFarAheadOfTheClockMovesNothing() {
        let time = time()
        time.begin(1)
        time.observe(eventTimeMilliseconds: now + 3_600_001)
        time.observe(eventTimeMilliseconds: .max)
        XCTAssertEqual(time.watermarkMilliseconds, 500)
        time.observe(eventTimeMilliseconds: now + 3_600_000)
        XCTAssertEqual(time.watermarkMilliseconds, now + 3_600_000)
    }

    func testAnAbortTakesWatermarksBack() {
        let time = time()
        time.begin(1)
        time.observe(eventTimeMilliseconds: 600)
        time.aborted()
        XCTAssertEqual(time.watermark(1), 500)
        time.observe(eventTimeMilliseconds: 700)
        time.committed()
        time.observe(eventTimeMilliseconds: 800)
        time.aborted()
        XCTAssertEqual(time.watermark(1), 700)
    }

    func testAPartitionIsQuietFromItsEndOnUntilARecordComes() {
        let time = time()
        XCTAssertEqual(time.quietMilliseconds.map(\.milliseconds), [nil, nil])
        time.reachedEnd(0)
        time.clock(nowMilliseconds: now + 70)
        time.reachedEnd(0)
        XCTAssertEqual(time.quietMilliseconds.map(\.milliseconds), [70, nil])
        time.clock(nowMilliseconds: now - 70)
        XCTAssertEqual(time.quietMilliseconds.map(\.milliseconds), [0, nil])
        time.begin(0)
        XCTAssertEqual(time.quietMilliseconds.map(\.milliseconds), [nil, nil])
    }
}

final class IsolationTests: XCTestCase {
    private func consumed(_ entries: [(Int32, Int64, Int64)]) -> [(source: Int32, entry: OffsetLedger.Entry)] {
        var ledger = OffsetLedger()
        for (source, start, next) in entries {
            ledger.assign(source, position: start, committed: start)
            _ = ledger.note(source, offset: next - 1)
        }
        return ledger.pending
    }

    func testTheCulpritIsFoundAndForgottenOnceItIsDealtWith() {
        var isolation = Isolation()
        XCTAssertTrue(isolation.refused("too large", consumed: consumed([(0, 0, 3), (1, 5, 6)])))
        XCTAssertTrue(isolation.isActive)
        isolation.committed(consumed([(0, 0, 1)]))
        XCTAssertTrue(isolation.refused("too large", consumed: consumed([(0, 1, 2)])))
        XCTAssertEqual(isolation.reason(against: 0, 1), "too large")
        XCTAssertNil(isolation.reason(against: 1, 1))
        isolation.committed(consumed([(1, 5, 6)]))
        XCTAssertEqual(isolation.reason(against: 0, 1), "too large", "another partition's commit settles nothing")
        isolation.committed(consumed([(0, 1, 2)]))
        XCTAssertNil(isolation.reason(against: 0, 1))
        XCTAssertTrue(isolation.isActive)
        isolation.committed(consumed([(0, 2, 3)]))
        XCTAssertFalse(isolation.isActive)
    }

    func testARefusedDeadLetterCannotBeIsolated() {
        var isolation = Isolation()
        _ = isolation.refused("too large", consumed: consumed([(0, 0, 1)]))
        XCTAssertTrue(isolation.refused("too large", consumed: consumed([(0, 0, 1)])))
        XCTAssertFalse(isolation.refused("too large", consumed: consumed([(0, 0, 1)])))
    }

    func testWithoutAConsumedRecordNobodyIsToBlame() {
        var isolation = Isolation()
        XCTAssertFalse(isolation.refused("too large", consumed: []))
        XCTAssertFalse(isolation.isActive)
    }

    func testAPartitionThatGoesTakesItsIsolationAlong() {
        var isolation = Isolation()
        _ = isolation.refused("too large", consumed: consumed([(0, 0, 9), (1, 0, 9)]))
        isolation.found(0, 4, reason: "too large")
        isolation.revoked(0)
        XCTAssertNil(isolation.reason(against: 0, 4))
        XCTAssertTrue(isolation.isActive)
        isolation.revoked(1)
        XCTAssertFalse(isolation.isActive)
    }
}
