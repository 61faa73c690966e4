import EmbeddedBroker
import Foundation
import Kafka
import XCTest

final class LagTests: XCTestCase {
    private func commit(_ broker: EmbeddedBroker, _ group: String, _ offsets: [TopicPartition: Int64]) throws {
        let admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", broker.bootstrapServers)]))
        let failures = try admin.setCommittedOffsets(
            of: group, offsets.mapValues { CommittedOffset(offset: $0) }, timeout: .seconds(10))
        XCTAssertEqual(failures, [:])
    }

    private func write(_ broker: EmbeddedBroker, _ topic: String, _ count: Int, partition: Int32 = 0) throws {
        let producer = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(producer.begin(), .completed)
        for number in 0..<count { try producer.send(topic, nil, Array("\(number)".utf8), partition: partition) }
        XCTAssertEqual(producer.commit(), .completed)
    }

    func testLagCountsRecordsUpToTheLastStableOffset() throws {
        let broker = try broker(["t": 2])
        try write(broker, "t", 10)
        try write(broker, "t", 500, partition: 1)
        let open = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(open.begin(), .completed)
        try open.send("t", nil, [1])
        open.flush()
        try commit(broker, "g", [TopicPartition("t", 0): 4, TopicPartition("t", 1): 100])
        let result = try Streamctl.run("lag", "g", "--output", "json", servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(
            result.lines,
            [
                #"{"group":"g","topic":"t","partition":0,"committed":4,"last_stable_offset":11,"lag":6,"member":null}"#,
                // Too many to look: the marker counts.
                #"{"group":"g","topic":"t","partition":1,"committed":100,"last_stable_offset":501,"lag":401,"member":null}"#,
            ])
        _ = open.abort()
    }

    func testWhoHasReadEverythingHasNoLagBehindMarkers() throws {
        let broker = try broker(["t": 1])
        try write(broker, "t", 3)
        let aborting = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(aborting.begin(), .completed)
        try aborting.send("t", nil, [1])
        aborting.flush()
        XCTAssertEqual(aborting.abort(), .completed)
        try commit(broker, "g", [TopicPartition("t", 0): 3])
        let result = try Streamctl.run("lag", "g", servers: broker.bootstrapServers)
        XCTAssertEqual(
            result.lines.map { $0.split(separator: " ").joined(separator: " ") },
            [
                "GROUP PARTITION COMMITTED STABLE END LAG MEMBER", "g t-0 3 6 0 -", "g total 0 0 members",
            ])
    }

    func testMembersAndPartitionsWithoutACommitAreShown() throws {
        let broker = try broker(["t": 1])
        try write(broker, "t", 3)
        let consumer = try KafkaConsumer(
            KafkaConfiguration(
                KafkaDefaults.consumer() + [
                    ("bootstrap.servers", broker.bootstrapServers), ("group.id", "g"), ("group.instance.id", "me"),
                ]))
        try consumer.subscribe(to: ["t"])
        try eventually("an assignment") {
            _ = try consumer.poll(timeout: .milliseconds(50))
            return try !consumer.assignment().isEmpty
        }
        let result = try Streamctl.run("lag", "--prefix", "g", "--output", "json", servers: broker.bootstrapServers)
        XCTAssertEqual(
            result.lines,
            [
                #"{"group":"g","topic":"t","partition":0,"committed":null,"last_stable_offset":4,"lag":3,"member":"me"}"#
            ])
        try consumer.close(timeout: .seconds(5))
    }

    func testWaitEndsOnceEverythingIsRead() throws {
        let broker = try broker(["t": 1])
        try write(broker, "t", 3)
        try commit(broker, "g", [TopicPartition("t", 0): 1])
        let short = try Streamctl.run("lag", "g", "--wait", "1s", servers: broker.bootstrapServers)
        XCTAssertEqual(short.code, 1)
        let waiting = try Streamctl(["lag", "g", "--wait", "60s"], servers: broker.bootstrapServers)
        try commit(broker, "g", [TopicPartition("t", 0): 3])
        XCTAssertEqual(try waiting.end().code, 0)
    }

    func testAGroupThatIsNotThereIsNamed() throws {
        let broker = try broker(["t": 1])
        let result = try Streamctl.run("lag", "nobody", servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 1)
        XCTAssertEqual(result.error, "there is no group nobody\n")
    }

    func testBrokersThatDoNotAnswerAreNamed() throws {
        let result = try Streamctl.run("topics", servers: "127.0.0.1:1")
        XCTAssertEqual(result.code, 1)
        XCTAssertTrue(result.error.contains("no answer from the brokers at 127.0.0.1:1"), result.error)
        XCTAssertTrue(result.error.contains("Connection refused"), result.error)
    }

    func testAWrongPropertyIsAWrongConfiguration() throws {
        let result = try Streamctl.run("topics", environment: ["KAFKA_CONFIG_NO_SUCH": "1"])
        XCTAssertEqual(result.code, 78)
        XCTAssertTrue(result.error.contains("no.such"), result.error)
    }
}
