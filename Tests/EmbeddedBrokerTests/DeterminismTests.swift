import EmbeddedBroker
import XCTest

final class DeterminismTests: XCTestCase {
    /// A life with members, transactions and time-outs that end together.
    private func life() throws -> [[UInt8]] {
        let broker = try BrokerDriver()
        for number in 0..<5 { XCTAssertEqual(try broker.createTopic("t\(number)"), 0) }
        for number in 0..<5 {
            let id = "tx\(number)"
            let producer = try broker.initProducer(id, timeoutMilliseconds: 5_000).producer
            for topic in 0..<5 { XCTAssertEqual(try broker.addPartition("t\(topic)", to: id, producer), 0) }
            for topic in 0..<5 {
                let batch = Batches.batch(
                    [.init("\(number)")], producer: producer, sequence: 0, transactional: true)
                XCTAssertEqual(try broker.produce(batch, to: "t\(topic)").error, 0)
            }
        }
        for number in UInt64(0)..<5 {
            _ = try broker.sendDynamicJoin("g\(number)", on: ConnectionID(20 + number))
            broker.sendFetch(
                "t\(number)", from: 5, committed: false, waitMilliseconds: 60_000, on: ConnectionID(30 + number))
        }
        broker.advance(100_000)
        for number in 0..<5 { _ = try broker.fetch("t\(number)") }
        return broker.sent
    }

    func testSameInputGivesTheSameAnswersInTheSameOrder() throws {
        let first = try life()
        XCTAssertGreaterThan(first.count, 60)
        XCTAssertEqual(first, try life())
    }
}
