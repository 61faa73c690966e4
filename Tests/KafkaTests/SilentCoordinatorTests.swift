import EmbeddedBroker
import Kafka
import TestSupport
import XCTest

/// No call of a transaction waits for ever for a coordinator that says nothing.
final class SilentCoordinatorTests: XCTestCase {
    private let transactionTimeout = Duration.seconds(2)
    private let endTransaction: Int16 = 26
    private let findCoordinator: Int16 = 10
    private let addOffsets: Int16 = 25

    private func through(_ body: (BrokerRelay, _ topic: String, _ servers: String) throws -> Void) throws {
        let broker = try EmbeddedBroker(BrokerConfiguration())
        defer { broker.stop() }
        let relay = try BrokerRelay(to: broker.port)
        try body(relay, createTopic(broker.bootstrapServers), broker.bootstrapServers)
    }

    private func producer(_ relay: BrokerRelay) throws -> TransactionalProducer {
        try makeProducer(
            relay.bootstrapServers, id: "silent",
            [("transaction.timeout.ms", "\(transactionTimeout / .milliseconds(1))")])
    }

    /// A call comes back soon after the transaction's time-out, and says that it knows nothing.
    private func assertGivesUp(_ call: () -> TransactionOutcome, line: UInt = #line) {
        let began = ContinuousClock.now
        guard case .ambiguous(let error) = call() else { return XCTFail("it is not known what came of it", line: line) }
        XCTAssertTrue(error.code.leavesOutcomeUnknown, "\(error)", line: line)
        XCTAssertLessThan(ContinuousClock.now - began, .seconds(20), line: line)
    }

    func testACommitThatIsNotAnsweredEndsWithTheTransactionsTimeOut() throws {
        try through { relay, topic, servers in
            for answerOnly in [false, true] {
                let silent = try producer(relay)
                XCTAssertEqual(silent.begin(), .completed)
                try silent.produce(topic, nil, "\(answerOnly)")
                silent.flush()
                relay.lose(
                    requests: answerOnly ? [] : [endTransaction], answersTo: answerOnly ? [endTransaction] : [])
                assertGivesUp(silent.commit)
                XCTAssertGreaterThan(relay.lostCount, 0)
                relay.lose()
                // A new one settles what was left.
                let successor = try producer(relay)
                XCTAssertEqual(successor.begin(), .completed)
                try successor.produce(topic, nil, "after")
                XCTAssertEqual(successor.commit(), .completed)
            }
            XCTAssertEqual(
                try readAll(servers, topic).map(\.value), ["after", "true", "after"])
        }
    }

    func testAnAbortThatIsNotAnsweredEndsWithTheTransactionsTimeOut() throws {
        try through { relay, topic, _ in
            let silent = try producer(relay)
            XCTAssertEqual(silent.begin(), .completed)
            try silent.produce(topic, nil, "open")
            silent.flush()
            relay.lose(requests: [endTransaction])
            assertGivesUp(silent.abort)
        }
    }

    /// Of the first librdkafka tells; for the answer to the second it waits for ever.
    func testOffsetsThatAreNotAnsweredEndWithTheTransactionsTimeOut() throws {
        for request in [addOffsets, findCoordinator] {
            try through { relay, topic, servers in
                let consumer = try KafkaConsumer(consumerConfiguration(servers))
                let offsets = [TopicPartition(topic, 0): CommittedOffset(offset: 1)]
                let silent = try producer(relay)
                XCTAssertEqual(silent.begin(), .completed)
                relay.lose(requests: [request])
                assertGivesUp { (try? silent.send(offsets: offsets, of: consumer.groupMetadata())) ?? .completed }
                XCTAssertGreaterThan(relay.lostCount, 0)
                relay.lose()
                let successor = try producer(relay)
                XCTAssertEqual(successor.begin(), .completed)
                XCTAssertEqual(try successor.send(offsets: offsets, of: consumer.groupMetadata()), .completed)
                XCTAssertEqual(successor.commit(), .completed)
                XCTAssertEqual(try consumer.committed([TopicPartition(topic, 0)], timeout: .seconds(10)), offsets)
            }
        }
    }

    func testAProducerThatIsStuckIsAskedNothingMore() throws {
        try through { relay, topic, servers in
            let consumer = try KafkaConsumer(consumerConfiguration(servers))
            let offsets = [TopicPartition(topic, 0): CommittedOffset(offset: 1)]
            let silent = try producer(relay)
            XCTAssertEqual(silent.begin(), .completed)
            relay.lose(requests: [findCoordinator])
            assertGivesUp { (try? silent.send(offsets: offsets, of: consumer.groupMetadata())) ?? .completed }
            let began = ContinuousClock.now
            assertGivesUp { (try? silent.send(offsets: offsets, of: consumer.groupMetadata())) ?? .completed }
            XCTAssertLessThan(ContinuousClock.now - began, .seconds(1))
        }
    }
}
