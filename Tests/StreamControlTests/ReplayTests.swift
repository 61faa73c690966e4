import EmbeddedBroker
import Foundation
import Kafka
import enum StreamKit.Murmur2
import XCTest

/// `streamctl dlq replay`: each record that dead letters hold goes back once.
final class ReplayTests: XCTestCase {
    private struct Record: Equatable {
        var partition: Int32
        var key: [UInt8]?
        var value: [UInt8]?
        var timestamp: Int64?
        var headers: [String] = []
    }

    private func read(_ broker: EmbeddedBroker, _ topic: String, partitions: Int32 = 2) throws -> [Record] {
        let consumer = try KafkaConsumer(
            KafkaConfiguration(
                KafkaDefaults.consumer() + [
                    ("bootstrap.servers", broker.bootstrapServers), ("group.id", UUID().uuidString),
                ]))
        try consumer.assign(
            Dictionary(uniqueKeysWithValues: (0..<partitions).map { (TopicPartition(topic, $0), .beginning) }))
        var records: [Record] = []
        var open = Set(0..<partitions)
        eventually("the end of \(topic)") {
            guard let batch = try? consumer.poll(timeout: .milliseconds(50)) else { return false }
            batch.forEach(
                record: { view in
                    var headers: [String] = []
                    view.headers?.forEach { name, value in
                        headers.append(
                            String(decoding: name, as: UTF8.self) + "="
                                + (value.map { String(decoding: $0, as: UTF8.self) } ?? "null"))
                    }
                    records.append(
                        Record(
                            partition: consumer.topicPartition(at: view.partitionIndex).partition,
                            key: view.key.map { [UInt8]($0) }, value: view.value.map { [UInt8]($0) },
                            timestamp: view.timestampMilliseconds, headers: headers))
                },
                event: { event in
                    if case .partitionEnd(let index, _) = event {
                        open.remove(consumer.topicPartition(at: index).partition)
                    }
                })
            return open.isEmpty
        }
        try consumer.close(timeout: .seconds(5))
        return records
    }

    private typealias Headers = [(name: String, value: [UInt8]?)]

    private func headers(_ topic: String = "in", partition: Int32 = 1, stage: String = "validator") -> Headers {
        [
            ("__streams.errors.topic", Array(topic.utf8)), ("__streams.errors.partition", Array("\(partition)".utf8)),
            ("__streams.errors.offset", Array("7".utf8)), ("__streams.errors.stage", Array(stage.utf8)),
            ("__connect.errors.topic", Array(topic.utf8)),
        ]
    }

    private func letter(_ reason: String, _ original: String, _ more: String = "") -> [UInt8] {
        Array(#"{"original_message":\#(original),"error_type":"\#(reason)","error_message":"m"\#(more)}"#.utf8)
    }

    private func write(_ broker: EmbeddedBroker, _ body: (TransactionalProducer) throws -> Void) throws {
        let producer = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(producer.begin(), .completed)
        try body(producer)
        XCTAssertEqual(producer.commit(), .completed)
    }

    private func replay(_ broker: EmbeddedBroker, _ arguments: String...) throws -> Streamctl.Result {
        try Streamctl.run(["dlq", "replay", "dlq"] + arguments, servers: broker.bootstrapServers)
    }

    func testRecordsGoBackAsTheyWereAndOnlyOnce() throws {
        let broker = try broker(["dlq": 2, "in": 2])
        let given = headers() + [("correlation-id", Array("c".utf8)), ("null", nil)]
        try write(broker) { producer in
            try producer.send("dlq", "k", letter("A", #""{\"x\":\"\u0000é\"}""#), timestamp: 5_000, headers: given)
            try producer.send(
                "dlq", nil, letter("B", #""/wA=""#, #","original_message_encoding":"base64""#), partition: 1,
                timestamp: 6_000, headers: headers(partition: 0))
            try producer.send("dlq", "k", letter("A", "null"), timestamp: 7_000, headers: headers())
            try producer.send("dlq", "k", letter("A", #""""#), timestamp: 8_000, headers: headers())
            // As Kafka Connect writes them: the record itself.
            try producer.send(
                "dlq", "c", Array("raw".utf8), timestamp: 9_000, headers: [("__connect.errors.topic", Array("in".utf8))]
            )
        }
        let expected = [
            Record(
                partition: 1, key: Array("k".utf8), value: Array("{\"x\":\"\0é\"}".utf8), timestamp: 5_000,
                headers: ["correlation-id=c", "null=null", "streamkit-replays=1"]),
            Record(partition: 0, key: nil, value: [0xFF, 0], timestamp: 6_000, headers: ["streamkit-replays=1"]),
            Record(partition: 1, key: Array("k".utf8), value: nil, timestamp: 7_000, headers: ["streamkit-replays=1"]),
            Record(partition: 1, key: Array("k".utf8), value: [], timestamp: 8_000, headers: ["streamkit-replays=1"]),
            Record(
                partition: 0, key: Array("c".utf8), value: Array("raw".utf8), timestamp: 9_000,
                headers: ["streamkit-replays=1"]),
        ]
        let first = try replay(broker, "--yes")
        XCTAssertEqual(first.code, 0, first.error)
        XCTAssertTrue(first.error.contains("5 records put back"), first.error)
        func sorted(_ records: [Record]) -> [Record] { records.sorted { $0.timestamp ?? 0 < $1.timestamp ?? 0 } }
        XCTAssertEqual(sorted(try read(broker, "in")), expected)
        let again = try replay(broker, "--yes")
        XCTAssertEqual(again.code, 0)
        XCTAssertEqual(again.error, "nothing to put back\n")
        XCTAssertEqual(sorted(try read(broker, "in")), expected)
        try write(broker) { try $0.send("dlq", "n", letter("A", #""new""#), timestamp: 10_000, headers: headers()) }
        XCTAssertTrue(try replay(broker, "--yes").error.contains("1 record put back"))
        XCTAssertEqual(try read(broker, "in").count, 6)
    }

    func testReasonsAndStagesArePutBackEachInItsTime() throws {
        let broker = try broker(["dlq": 2, "in": 2])
        try write(broker) { producer in
            for number in 0..<12 {
                try producer.send(
                    "dlq", nil, letter(["A", "B b/=", "C"][number % 3], "\"\(number)\""), partition: Int32(number % 2),
                    headers: headers(stage: number < 6 ? "validator" : "aggregator"))
            }
        }
        func values() throws -> [Int] {
            try read(broker, "in").compactMap { $0.value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } }.sorted()
        }
        XCTAssertTrue(
            try replay(broker, "--yes", "--reason", "B b/=", "--stage", "aggregator").error.contains("2 records"))
        XCTAssertEqual(try values(), [7, 10])
        XCTAssertTrue(try replay(broker, "--yes", "--reason", "B b/=", "--reason", "C").error.contains("6 records"))
        XCTAssertEqual(try values(), [1, 2, 4, 5, 7, 8, 10, 11])
        XCTAssertTrue(try replay(broker, "--yes").error.contains("4 records"))
        XCTAssertEqual(try values(), Array(0..<12))
        XCTAssertEqual(try replay(broker, "--yes").error, "nothing to put back\n")
    }

    func testADryRunSaysWhatWouldBeDoneAndDoesNothing() throws {
        let broker = try broker(["dlq": 1, "in": 2])
        try write(broker) { producer in
            for number in 0..<3 { try producer.send("dlq", "k", letter("A", "\"\(number)\""), headers: headers()) }
            try producer.send(
                "dlq", "k", letter("A", #""part""#, #","original_message_truncated":true"#), headers: headers())
            try producer.send("dlq", "k", letter("LATE", #""x""#, #","stands_for":{"topic":"t"}"#), headers: headers())
            try producer.send("dlq", "k", letter("A", #""x""#), headers: headers("gone"))
            try producer.send("dlq", "k", letter("A", #""x""#))
            try producer.send("dlq", "k", letter("A", #""x""#), headers: headers("dlq"))
        }
        let result = try replay(broker, "--dry-run")
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(result.lines, ["STAGE      REASON  TO  COUNT", "validator  A       in      3"])
        XCTAssertEqual(
            result.error,
            """
            left out, holding only a part of the record, which was too large: 1
            left out, not saying where they came from: 1
            left out, of gone, which does not exist: 1
            left out, of the dead letters' own topic: 1
            left out, standing for several records, which are in their topic still: 1

            """)
        XCTAssertEqual(try read(broker, "in"), [])
        let asked = try replay(broker)
        XCTAssertEqual(asked.code, 64)
        XCTAssertTrue(asked.error.contains("--yes"), asked.error)
        XCTAssertEqual(try read(broker, "in"), [])
    }

    func testWhatIsRefusedAgainAndAgainStaysInTheEnd() throws {
        let broker = try broker(["dlq": 1, "in": 1])
        for round in 1...4 {
            let replays: Headers = round == 1 ? [] : [("streamkit-replays", Array("\(round - 1)".utf8))]
            try write(broker) {
                try $0.send("dlq", "k", letter("A", "\"\(round)\""), headers: headers(partition: 0) + replays)
            }
            let result = try replay(broker, "--yes")
            XCTAssertEqual(
                result.error,
                round < 4 ? "1 record put back\n" : "left out, put back 3 times already: 1\nnothing to put back\n")
        }
        XCTAssertEqual(try read(broker, "in", partitions: 1).count, 3)
        XCTAssertTrue(try replay(broker, "--yes", "--times", "4").error.contains("1 record put back"))
        XCTAssertEqual(try read(broker, "in", partitions: 1).last?.headers, ["streamkit-replays=4"])
    }

    func testAnotherTopicMayBeNamed() throws {
        let broker = try broker(["dlq": 1, "in": 1, "repaired": 2])
        try write(broker) { producer in
            for key in ["a", "b", "c"] { try producer.send("dlq", key, letter("A", #""x""#), headers: headers()) }
        }
        XCTAssertEqual(try replay(broker, "--yes", "--to", "repaired").code, 0)
        let records = try read(broker, "repaired")
        XCTAssertEqual(Set(records.compactMap(\.key)), [Array("a".utf8), Array("b".utf8), Array("c".utf8)])
        for record in records {
            XCTAssertEqual(record.partition, (record.key ?? []).withUnsafeBytes { Murmur2.partition(of: $0, among: 2) })
        }
        XCTAssertEqual(try replay(broker, "--yes", "--to", "nowhere").error, "nothing to put back\n")
        XCTAssertEqual(try Streamctl.run("dlq", "replay", "no", "--yes", servers: broker.bootstrapServers).code, 1)
    }

    /// Killed at any moment and run again: every letter is there once.
    func testAReplayThatIsKilledGoesOnWithWhatIsLeft() throws {
        let broker = try broker(["dlq": 2, "in": 2])
        for part in 0..<6 {
            try write(broker) { producer in
                for number in 0..<1_000 {
                    try producer.send(
                        "dlq", nil, letter("A", "\"\(part * 1_000 + number)\""), partition: Int32(number % 2),
                        headers: headers(partition: Int32(number % 2)))
                }
            }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            let program = try Streamctl(["dlq", "replay", "dlq", "--yes"], servers: broker.bootstrapServers)
            usleep(UInt32.random(in: 50_000..<400_000, using: &random))
            program.signal(SIGKILL)
            _ = try program.end()
        }
        let last = try replay(broker, "--yes")
        XCTAssertEqual(last.code, 0, last.error)
        let values = try read(broker, "in").compactMap { $0.value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } }
        XCTAssertEqual(values.sorted(), Array(0..<6_000))
    }
}
