import EmbeddedBroker
import XCTest

final class IdempotenceTests: XCTestCase {
    private var broker: BrokerDriver!

    override func setUpWithError() throws {
        broker = try BrokerDriver()
        XCTAssertEqual(try broker.createTopic("t", settings: ["retention.ms": "-1"]), 0)
    }

    private func send(_ sequence: Int32, count: Int = 1, epoch: Int16 = 0) throws -> BrokerDriver.Produced {
        let records = (0..<count).map { Batches.Record("v\($0)") }
        return try broker.produce(
            Batches.batch(records, producer: .init(id: 5, epoch: epoch), sequence: sequence), to: "t")
    }

    func testLastFiveBatchesAreKnownAgain() throws {
        for sequence in Int32(0)..<6 { XCTAssertEqual(try send(sequence * 2, count: 2).error, 0) }
        for sequence in Int32(1)..<6 {
            XCTAssertEqual(
                try send(sequence * 2, count: 2), .init(error: 0, baseOffset: Int64(sequence) * 2), "sent again")
        }
        XCTAssertEqual(try send(0, count: 2).error, 45, "too old to be known")
        XCTAssertEqual(try broker.fetch("t").highWatermark, 12)
    }

    func testGapIsRefused() throws {
        XCTAssertEqual(try send(0).error, 0)
        XCTAssertEqual(try send(2).error, 45)
        XCTAssertEqual(try send(1).error, 0)
    }

    func testEpochs() throws {
        XCTAssertEqual(try send(0, epoch: 1).error, 0)
        XCTAssertEqual(try send(1, epoch: 0).error, 47, "a lower epoch is fenced")
        XCTAssertEqual(try send(1, epoch: 2).error, 45, "a higher one begins at 0")
        XCTAssertEqual(try send(0, epoch: 2).error, 0)
    }

    func testUnknownProducerMayBeginAnywhere() throws {
        XCTAssertEqual(try send(41).error, 0)
        XCTAssertEqual(try send(42).error, 0)
    }

    func testSequencesWrapToZero() throws {
        XCTAssertEqual(try send(.max - 1, count: 2).error, 0)
        XCTAssertEqual(try send(0).error, 0)
        XCTAssertEqual(try send(1).error, 0)
        XCTAssertEqual(try send(.max - 1, count: 2), .init(error: 0, baseOffset: 0))
    }

    /// What is known of a producer goes by the broker's clock: records of years ago are no reason to forget their writer.
    func testOldRecordTimesDoNotMakeAProducerForgotten() throws {
        let old = Batches.batch(
            [.init("a")], producer: .init(id: 5, epoch: 0), sequence: 0, baseTimestamp: 1_000_000_000_000)
        XCTAssertEqual(try broker.produce(old, to: "t").error, 0)
        broker.advance(3_600_000)
        XCTAssertEqual(try broker.produce(old, to: "t"), .init(error: 0, baseOffset: 0), "sent again")
        broker.advance(86_400_000)
        XCTAssertEqual(try send(7).error, 0, "forgotten after a day's silence")
    }

    func testProducerIDsAreGivenOutOnce() throws {
        let ids = try (0..<2_500).map { _ in try broker.initProducer(nil).producer.id }
        XCTAssertEqual(Set(ids).count, ids.count)
    }
}
