import StreamKit
import XCTest

final class OffsetLedgerTests: XCTestCase {
    private func ledger(_ positions: [(Int32, Int64, Int64?)]) -> OffsetLedger {
        var ledger = OffsetLedger()
        for (source, position, committed) in positions {
            ledger.assign(source, position: position, committed: committed)
        }
        return ledger
    }

    func testEachRecordIsTakenOnceAndInOrder() {
        var ledger = ledger([(0, 5, 5)])
        XCTAssertFalse(ledger.note(0, offset: 4), "before the position")
        XCTAssertTrue(ledger.note(0, offset: 5))
        XCTAssertFalse(ledger.note(0, offset: 5), "twice")
        XCTAssertTrue(ledger.note(0, offset: 9), "gaps of control records")
        XCTAssertFalse(ledger.note(1, offset: 0), "not ours")
        XCTAssertFalse(ledger.note(7, offset: 0), "not known")
        XCTAssertFalse(ledger.note(0, offset: .max), "no offset after it")
        XCTAssertEqual(ledger[0]?.next, 10)
        XCTAssertEqual(ledger[0]?.start, 5)
        XCTAssertNil(ledger[1])
        XCTAssertNil(ledger[-1])
    }

    func testCommitAndRewind() {
        var ledger = ledger([(0, 5, nil), (2, 0, 0)])
        _ = ledger.note(0, offset: 5)
        XCTAssertEqual(ledger.pending.map(\.source), [0])
        ledger.rewind()
        XCTAssertEqual(ledger[0]?.next, 5)
        XCTAssertTrue(ledger.note(0, offset: 5))
        ledger.commit()
        XCTAssertEqual(ledger[0]?.start, 6)
        XCTAssertEqual(ledger[0]?.committed, 6)
        XCTAssertEqual(ledger[2]?.committed, 0)
        XCTAssertEqual(ledger.pending.count, 0)
        ledger.revoke(0)
        ledger.revoke(9)
        XCTAssertEqual(ledger.assigned.map(\.source), [2])
    }

    func testWithoutConsumedRecordsEveryPartitionIsCommittedAsItStands() {
        var ledger = ledger([(0, 5, nil), (2, 1, 1)])
        XCTAssertEqual(ledger.toCommit.map(\.entry.next), [5, 1])
        _ = ledger.note(2, offset: 1)
        XCTAssertEqual(ledger.toCommit.map(\.source), [2])
        ledger.commit()
        XCTAssertNil(ledger[0]?.committed ?? nil)
        ledger.commit()
        XCTAssertEqual(ledger[0]?.committed, 5)
    }

    func testWhatTheCommittedOffsetsTell() {
        func settle(_ found: [Int32: OffsetLedger.Committed]) -> OffsetLedger.Settlement {
            var ledger = ledger([(0, 5, 5), (1, 0, nil), (2, 7, 3)])
            for (source, offset) in [(0, 5), (1, 3), (2, 7)] as [(Int32, Int64)] {
                _ = ledger.note(source, offset: offset)
            }
            return ledger.settlement { found[$0] }
        }
        func ours(_ offset: Int64) -> OffsetLedger.Committed {
            OffsetLedger.Committed(offset: offset, isOfThisTransaction: true)
        }
        func other(_ offset: Int64) -> OffsetLedger.Committed {
            OffsetLedger.Committed(offset: offset, isOfThisTransaction: false)
        }
        XCTAssertEqual(settle([0: ours(6), 1: ours(4), 2: ours(8)]), .committed)
        // Not begun from the committed offset: a first start, and after lost offsets.
        XCTAssertEqual(settle([0: other(5), 2: other(3)]), .notCommitted)
        XCTAssertEqual(settle([0: other(6), 1: other(4), 2: other(8)]), .foreign, "the same offsets of somebody else")
        XCTAssertEqual(settle([0: other(9), 1: ours(4), 2: ours(8)]), .foreign)
        XCTAssertEqual(settle([0: ours(6), 2: other(3)]), .foreign, "half of it")
        XCTAssertEqual(settle([1: ours(4), 2: ours(8)]), .foreign, "an offset that is gone")
    }

    func testATransactionThatTimeCausedIsSettledByItsNumberAlone() {
        let ledger = ledger([(0, 5, 5), (1, 0, nil)])
        let found: [Int32: OffsetLedger.Committed] = [
            0: OffsetLedger.Committed(offset: 5, isOfThisTransaction: true),
            1: OffsetLedger.Committed(offset: 0, isOfThisTransaction: true),
        ]
        XCTAssertEqual(ledger.settlement { found[$0] }, .committed)
        let before = OffsetLedger.Committed(offset: 5, isOfThisTransaction: false)
        XCTAssertEqual(ledger.settlement { $0 == 0 ? before : nil }, .notCommitted)
        XCTAssertEqual(OffsetLedger().settlement { _ in nil }, .notCommitted)
    }
}

final class CommitPolicyTests: XCTestCase {
    func testATransactionIsCommittedAfterTheIntervalWhileRecordsCome() {
        var policy = CommitPolicy(intervalMilliseconds: 100, whenDrainedMilliseconds: 10)
        XCTAssertFalse(policy.isDue(now: 1_000_000))
        policy.polled(5, drained: false, now: 1000)
        policy.polled(5, drained: false, now: 1050)
        XCTAssertFalse(policy.isDue(now: 1099))
        XCTAssertTrue(policy.isDue(now: 1100))
        policy.closed()
        XCTAssertFalse(policy.isDue(now: 2000))
    }

    func testADrainedInputIsCommittedSooner() {
        var policy = CommitPolicy(intervalMilliseconds: 100, whenDrainedMilliseconds: 10)
        policy.polled(5, drained: false, now: 1000)
        policy.polled(0, drained: true, now: 1005)
        XCTAssertFalse(policy.isDue(now: 1009))
        XCTAssertTrue(policy.isDue(now: 1010))
    }

    func testWhenDrainedIsNeverLaterThanTheInterval() {
        let policy = CommitPolicy(intervalMilliseconds: 100, whenDrainedMilliseconds: 500)
        XCTAssertEqual(policy.whenDrainedMilliseconds, 100)
    }

    func testAFullTransactionIsCommittedAtOnce() {
        var policy = CommitPolicy(intervalMilliseconds: 100, whenDrainedMilliseconds: 100, records: 10)
        policy.polled(9, drained: false, now: 1000)
        XCTAssertFalse(policy.isDue(now: 1000))
        policy.polled(1, drained: false, now: 1000)
        XCTAssertTrue(policy.isDue(now: 1000))
    }

    func testAPollWaitsUntilTheCommitIsDueAndNoLonger() {
        var policy = CommitPolicy(intervalMilliseconds: 100, whenDrainedMilliseconds: 30)
        XCTAssertEqual(policy.pollTimeout(now: 1000, idle: 80), 80)
        policy.polled(1, drained: true, now: 1000)
        XCTAssertEqual(policy.pollTimeout(now: 1010, idle: 80), 20)
        XCTAssertEqual(policy.pollTimeout(now: 1100, idle: 80), 0)
        policy.polled(0, drained: true, now: 1100)
        XCTAssertTrue(policy.isDue(now: 1100))
    }

    func testWhatTimeOpensIsCommittedToo() {
        var policy = CommitPolicy(intervalMilliseconds: 100, whenDrainedMilliseconds: 30)
        policy.opened(now: 1000)
        policy.opened(now: 1020)
        XCTAssertTrue(policy.isDue(now: 1030))
    }
}
