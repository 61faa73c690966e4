import EmbeddedBroker
import StreamKit
import TestSupport
import XCTest

/// What becomes of transactions whose coordinator falls silent in the middle of one.
final class SilentBrokerTests: XCTestCase {
    private enum Kind {
        static let endTransaction: Int16 = 26
        static let transactionOffsets: Int16 = 28
    }

    func testNothingIsLostOrDoubledThoughAnswersDoNotCome() throws {
        let broker = try EmbeddedBroker(BrokerConfiguration())
        defer { broker.stop() }
        let relay = try BrokerRelay(to: broker.port)
        let bench = try Bench(relay.bootstrapServers, partitions: 2)
        let thread = try bench.thread(
            instance: "one", isStatic: true, backends: MemoryStores(), recordsMax: 10, transactionTimeout: .seconds(2))
        try bench.fill(50, keys: 20)
        try bench.turn([thread], until: { _ in bench.committedAll })
        let losses: [(requests: Set<Int16>, answers: Set<Int16>)] = [
            ([Kind.endTransaction], []),  // not committed
            ([], [Kind.endTransaction]),  // committed, and nobody said so
            ([Kind.transactionOffsets], []), ([], [Kind.transactionOffsets]),
        ]
        for (number, loss) in losses.enumerated() {
            try bench.fill(50, keys: 20, from: 50 * (number + 1))
            relay.lose(requests: loss.requests, answersTo: loss.answers, times: 1)
            let began = ContinuousClock.now
            try bench.turn([thread], until: { _ in bench.committedAll })
            XCTAssertEqual(relay.lostCount, number + 1)
            XCTAssertEqual(thread.status.snapshot.producersRecreated, number + 1)
            XCTAssertLessThan(ContinuousClock.now - began, .seconds(30))
            try bench.assertEveryCountOnce()
        }
    }
}
