import EmbeddedBroker
import XCTest

final class TransactionTests: XCTestCase {
    private var broker: BrokerDriver!

    override func setUpWithError() throws {
        broker = try BrokerDriver()
        XCTAssertEqual(try broker.createTopic("t"), 0)
    }

    private func begin(_ id: String = "tx", timeoutMilliseconds: Int32 = 60_000) throws -> ProducerIdentity {
        let initialized = try broker.initProducer(id, timeoutMilliseconds: timeoutMilliseconds)
        XCTAssertEqual(initialized.error, 0)
        XCTAssertEqual(try broker.addPartition("t", to: id, initialized.producer), 0)
        return initialized.producer
    }

    private func batch(_ value: String, _ producer: ProducerIdentity, _ sequence: Int32) -> [UInt8] {
        Batches.batch([.init(value)], producer: producer, sequence: sequence, transactional: true)
    }

    func testOpenTransactionIsHiddenFromReadersOfCommittedRecords() throws {
        _ = try broker.produce(Batches.batch("before"), to: "t")
        let producer = try begin()
        XCTAssertEqual(try broker.produce(batch("a", producer, 0), to: "t").error, 0)
        _ = try broker.produce(Batches.batch("after"), to: "t")
        let committed = try broker.fetch("t")
        XCTAssertEqual(committed.lastStableOffset, 1)
        XCTAssertEqual(committed.highWatermark, 3)
        XCTAssertEqual(committed.baseOffsets, [0])
        XCTAssertEqual(try broker.fetch("t", committed: false).baseOffsets, [0, 1, 2])
        XCTAssertNil(try broker.fetch("t", committed: false).aborted)
    }

    func testCommitWakesReadersOfCommittedRecords() throws {
        let producer = try begin()
        broker.sendFetch("t", from: 0, committed: true, waitMilliseconds: 10_000)
        _ = try broker.produce(batch("a", producer, 0), to: "t")
        XCTAssertNil(try broker.takeFetched())
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        let fetched = try XCTUnwrap(try broker.takeFetched())
        XCTAssertEqual(fetched.baseOffsets, [0, 1], "the record and its marker")
        XCTAssertEqual(fetched.aborted, [])
        XCTAssertEqual(fetched.lastStableOffset, 2)
    }

    func testAbortedTransactionIsListedWhereverTheFetchBegins() throws {
        let producer = try begin()
        for sequence in Int32(0)..<3 { _ = try broker.produce(batch("a", producer, sequence), to: "t") }
        XCTAssertEqual(try broker.end("tx", producer, commit: false), 0)
        _ = try broker.produce(Batches.batch("after"), to: "t")
        let aborted = [BrokerDriver.ProducerRange(producerID: producer.id, firstOffset: 0)]
        XCTAssertEqual(try broker.fetch("t", from: 0).aborted, aborted)
        XCTAssertEqual(try broker.fetch("t", from: 2).aborted, aborted, "in its middle")
        XCTAssertEqual(try broker.fetch("t", from: 3).aborted, aborted, "at its marker")
        XCTAssertEqual(try broker.fetch("t", from: 4).aborted, [], "after it")
    }

    func testLastStableOffsetIsThatOfTheOldestOpenTransaction() throws {
        let first = try begin("one")
        let second = try begin("two")
        _ = try broker.produce(batch("a", first, 0), to: "t", as: "one")
        _ = try broker.produce(batch("b", second, 0), to: "t", as: "two")
        XCTAssertEqual(try broker.end("two", second, commit: true), 0)
        XCTAssertEqual(try broker.fetch("t").lastStableOffset, 0)
        XCTAssertEqual(try broker.end("one", first, commit: false), 0)
        let fetched = try broker.fetch("t")
        XCTAssertEqual(fetched.lastStableOffset, 4)
        XCTAssertEqual(fetched.aborted, [.init(producerID: first.id, firstOffset: 0)])
    }

    func testBatchOutsideATransactionIsStoredNowhere() throws {
        let initialized = try broker.initProducer("tx")
        XCTAssertEqual(try broker.produce(batch("a", initialized.producer, 0), to: "t").error, 48)
        XCTAssertEqual(try broker.produce(batch("a", .init(id: 99, epoch: 0), 0), to: "t").error, 49)
        XCTAssertEqual(try broker.produce(batch("a", initialized.producer, 0), to: "t", as: "other").error, 49)
        XCTAssertEqual(try broker.fetch("t", committed: false).highWatermark, 0)
    }

    func testLateBatchOfAnEndedTransactionIsRefused() throws {
        let producer = try begin()
        _ = try broker.produce(batch("a", producer, 0), to: "t")
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        XCTAssertEqual(try broker.produce(batch("b", producer, 1), to: "t").error, 48)
    }

    func testNewIncarnationAbortsAndFencesTheOld() throws {
        let old = try begin()
        _ = try broker.produce(batch("a", old, 0), to: "t")
        let new = try broker.initProducer("tx").producer
        XCTAssertEqual(new.id, old.id)
        XCTAssertEqual(new.epoch, old.epoch + 2, "one to fence, one for the new incarnation")
        XCTAssertEqual(try broker.fetch("t").aborted, [.init(producerID: old.id, firstOffset: 0)])
        XCTAssertEqual(try broker.produce(batch("b", old, 1), to: "t").error, 47)
        XCTAssertEqual(try broker.addPartition("t", to: "tx", old), 90)
        XCTAssertEqual(try broker.addOffsets(of: "g", to: "tx", old), 90)
        XCTAssertEqual(try broker.end("tx", old, commit: true), 90)
        XCTAssertEqual(try broker.addPartition("t", to: "tx", new), 0)
        XCTAssertEqual(try broker.produce(batch("c", new, 0), to: "t").error, 0)
    }

    func testTransactionOpenTooLongIsAbortedAndItsProducerFenced() throws {
        let producer = try begin(timeoutMilliseconds: 5_000)
        _ = try broker.produce(batch("a", producer, 0), to: "t")
        broker.advance(4_999)
        XCTAssertEqual(try broker.fetch("t").lastStableOffset, 0)
        broker.advance(1)
        XCTAssertEqual(try broker.fetch("t").lastStableOffset, 2)
        XCTAssertEqual(try broker.fetch("t").aborted?.count, 1)
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 90)
        XCTAssertEqual(try broker.produce(batch("b", producer, 1), to: "t").error, 47)
    }

    func testEndRepeatedAfterALostAnswer() throws {
        let producer = try begin()
        _ = try broker.produce(batch("a", producer, 0), to: "t")
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        XCTAssertEqual(try broker.end("tx", producer, commit: false), 48, "the opposite outcome")
        XCTAssertEqual(try broker.fetch("t").highWatermark, 2, "one marker only")
    }

    func testNothingToEnd() throws {
        let producer = try broker.initProducer("tx").producer
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 48)
        XCTAssertEqual(try broker.end("unknown", producer, commit: true), 49)
        XCTAssertEqual(try broker.end("tx", .init(id: producer.id + 1, epoch: 0), commit: true), 49)
    }

    func testTimeoutsOutsideTheBrokersRange() throws {
        XCTAssertEqual(try broker.initProducer("tx", timeoutMilliseconds: 900_001).error, 50)
        XCTAssertEqual(try broker.initProducer("tx", timeoutMilliseconds: 0).error, 50)
    }

    func testOffsetsBecomeVisibleWithTheCommit() throws {
        XCTAssertEqual(try broker.commitOffset(3, topic: "t", group: "g"), 0)
        let producer = try begin()
        XCTAssertEqual(try broker.addOffsets(of: "g", to: "tx", producer), 0)
        XCTAssertEqual(
            try broker.commitOffsetInTransaction(7, topic: "t", group: "g", transactionalID: "tx", producer), 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g"), .init(offset: 3, error: 0))
        XCTAssertEqual(
            try broker.fetchOffset(topic: "t", group: "g", requireStable: true), .init(offset: -1, error: 88))
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g", requireStable: true), .init(offset: 7, error: 0))
    }

    func testOffsetsAreForgottenWithTheAbort() throws {
        let producer = try begin()
        XCTAssertEqual(try broker.addOffsets(of: "g", to: "tx", producer), 0)
        XCTAssertEqual(
            try broker.commitOffsetInTransaction(7, topic: "t", group: "g", transactionalID: "tx", producer), 0)
        XCTAssertEqual(try broker.end("tx", producer, commit: false), 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g", requireStable: true), .init(offset: -1, error: 0))
    }

    func testOffsetsNeedTheGroupInTheTransaction() throws {
        let producer = try begin()
        XCTAssertEqual(
            try broker.commitOffsetInTransaction(7, topic: "t", group: "g", transactionalID: "tx", producer), 48)
    }

    func testLaterCommitOutsideTheTransactionStays() throws {
        let producer = try begin()
        XCTAssertEqual(try broker.addOffsets(of: "g", to: "tx", producer), 0)
        XCTAssertEqual(
            try broker.commitOffsetInTransaction(7, topic: "t", group: "g", transactionalID: "tx", producer), 0)
        XCTAssertEqual(try broker.commitOffset(9, topic: "t", group: "g"), 0)
        XCTAssertEqual(try broker.end("tx", producer, commit: true), 0)
        XCTAssertEqual(try broker.fetchOffset(topic: "t", group: "g"), .init(offset: 9, error: 0))
    }

    func testUsedUpEpochsBringANewProducerID() throws {
        var producer = try broker.initProducer("tx").producer
        let first = producer
        for _ in 0..<Int(Int16.max) - 1 { producer = try broker.initProducer("tx").producer }
        XCTAssertEqual(producer, .init(id: first.id, epoch: .max - 1))
        producer = try broker.initProducer("tx").producer
        XCTAssertNotEqual(producer.id, first.id)
        XCTAssertEqual(producer.epoch, 0)
    }
}
