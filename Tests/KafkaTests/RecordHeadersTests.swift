import Kafka
import TestSupport
import XCTest

/// Whether a record has headers is read off its own bytes where they tell; whatever they look like, the answer must be right.
final class RecordHeadersTests: XCTestCase {
    /// Lengths around those where the length's own form grows, values that look like lengths, keys and none.
    private static let values: [String] =
        [0, 1, 2, 63, 64, 65, 127, 128, 200, 8_191, 8_192, 300_000].flatMap { count in
            ["x", "\u{0}", "\u{1}", "\u{2}"].map { String(repeating: $0, count: count) }
        }

    func testARecordHasHeadersIfAndOnlyIfItWasSentWithSome() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            let topic = try createTopic(servers, "headers-\(codec)-\(unique("t"))")
            let producer = try makeProducer(servers, [("compression.type", codec)])
            XCTAssertEqual(producer.begin(), .completed)
            var expected: [Int64: [String]] = [:]
            var offset: Int64 = 0
            for (index, value) in (Self.values.map { $0 as String? } + [nil, nil, nil, nil]).enumerated() {
                let headers: [(String, String?)] = index % 3 == 0 ? [("number", "\(index)"), ("null", nil)] : []
                try producer.produce(topic, index % 2 == 0 ? "key-\(index)" : nil, value, headers: headers)
                expected[offset] = headers.map { "\($0.0)=\($0.1 ?? "null")" }
                offset += 1
            }
            XCTAssertEqual(producer.commit(), .completed)
            let received = try readAll(servers, topic)
            XCTAssertEqual(received.map(\.value), Self.values.map { $0 as String? } + [nil, nil, nil, nil], codec)
            for record in received {
                XCTAssertEqual(record.headers, expected[record.offset], "\(codec) \(record.offset)")
            }
        }
    }

    func testARecordWithoutHeadersIsKnownToHaveNoneWithoutReadingThem() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        for value in Self.values where !value.isEmpty { try producer.produce(topic, "k", value) }
        try producer.produce(topic, "k", "with", headers: [("a", "b")])
        XCTAssertEqual(producer.commit(), .completed)
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        try consumer.assign([TopicPartition(topic, 0): .beginning])
        var (without, with) = (0, 0)
        while with == 0 {
            let batch = try consumer.poll(timeout: .milliseconds(100))
            batch.forEach(record: { if $0.headers == nil { without += 1 } else { with += 1 } }, event: { _ in })
        }
        XCTAssertEqual(without, Self.values.count { !$0.isEmpty })
        XCTAssertEqual(with, 1)
        try consumer.close(timeout: .seconds(5))
    }
}
