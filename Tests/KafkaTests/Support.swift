import Foundation
import Kafka
import TestSupport
import XCTest

/// A record as tests compare it.
struct Received: Equatable {
    var partition: Int32
    var offset: Int64
    var key: String?
    var value: String?
    var timestamp: Int64?
    var headers: [String] = []
}

func unique(_ name: String) -> String { "\(name)-\(UUID().uuidString.prefix(8).lowercased())" }

func consumerConfiguration(
    _ servers: String, _ extra: [(name: String, value: String)] = []
) throws -> KafkaConfiguration {
    try KafkaConfiguration(
        KafkaDefaults.consumer() + [("bootstrap.servers", servers), ("group.id", unique("group"))] + extra)
}

func makeProducer(
    _ servers: String, id: String = unique("producer"), _ extra: [(name: String, value: String)] = []
) throws -> TransactionalProducer {
    let producer = try TransactionalProducer(
        KafkaConfiguration(
            KafkaDefaults.producer() + [("bootstrap.servers", servers), ("transactional.id", id)] + extra))
    XCTAssertEqual(producer.initializeTransactions(timeout: .seconds(30)), .completed)
    return producer
}

func makeAdmin(_ servers: String) throws -> KafkaAdmin {
    try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", servers)]))
}

func createTopic(
    _ servers: String, _ name: String = unique("topic"), partitions: Int32 = 1, _ settings: [String: String] = [:]
) throws -> String {
    let failures = try makeAdmin(servers).createTopics(
        [NewTopic(name, partitions: partitions, configuration: settings)], timeout: .seconds(30))
    XCTAssertEqual(failures, [:])
    return name
}

extension TransactionalProducer {
    func produce(
        _ topic: String, _ key: String?, _ value: String?, partition: Int32 = 0, timestamp: Int64? = nil,
        headers: [(String, String?)] = []
    ) throws {
        let topic = try self.topic(topic)
        try withBytes(key) { key in
            try withBytes(value) { value in
                if headers.isEmpty {
                    try produce(
                        to: topic, partition: partition, key: key, value: value, timestampMilliseconds: timestamp)
                } else {
                    let outgoing = OutgoingHeaders()
                    for (name, value) in headers { withBytes(value) { outgoing.add(name, $0) } }
                    try produce(
                        to: topic, partition: partition, key: key, value: value, timestampMilliseconds: timestamp,
                        headers: outgoing)
                }
            }
        }
    }
}

func withBytes<Result>(_ text: String?, _ body: (UnsafeRawBufferPointer?) throws -> Result) rethrows -> Result {
    guard let text else { return try body(nil) }
    return try Array(text.utf8).withUnsafeBytes { try body($0) }
}

func text(_ bytes: UnsafeRawBufferPointer?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
}

extension KafkaConsumer {
    /// Polls until `done`, at most 30 s; what came is handed on record by record and event by event.
    func poll(
        until done: () -> Bool, record: (Received) -> Void = { _ in }, event: (ConsumerEvent) -> Void = { _ in }
    ) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !done() {
            guard ContinuousClock.now < deadline else { return XCTFail("nothing more came within 30 s") }
            let batch = try poll(timeout: .milliseconds(100))
            batch.forEach(
                record: { view in
                    var headers: [String] = []
                    view.headers?.forEach { name, value in
                        headers.append("\(text(name) ?? "")=\(text(value) ?? "null")")
                    }
                    record(
                        Received(
                            partition: topicPartition(at: view.partitionIndex).partition, offset: view.offset,
                            key: text(view.key), value: text(view.value), timestamp: view.timestampMilliseconds,
                            headers: headers))
                }, event: event)
        }
    }
}

/// Waits until every partition's transactions are finished (a commit is answered before its markers are written) and,
/// where they are given, until the partitions end there.
func settle(_ servers: String, _ topic: String, partitions: Int32 = 1, ends: [Int32: Int64] = [:]) throws {
    let admin = try makeAdmin(servers)
    let all = (0..<partitions).map { TopicPartition(topic, $0) }
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
        let stable = try admin.offsets(.latestCommitted, of: all, timeout: .seconds(10))
        let isThere = ends.allSatisfy { stable[TopicPartition(topic, $0.key)] == $0.value }
        if try isThere && admin.offsets(.latest, of: all, timeout: .seconds(10)) == stable { return }
        guard ContinuousClock.now < deadline else { return XCTFail("a transaction of \(topic) stays open") }
    }
}

/// Everything that readers of this isolation level see in a topic, up to the ends of its partitions.
func readAll(
    _ servers: String, _ topic: String, partitions: Int32 = 1, isolation: String = "read_committed",
    settled: Bool = true
) throws -> [Received] {
    if settled { try settle(servers, topic, partitions: partitions) }
    let consumer = try KafkaConsumer(consumerConfiguration(servers, [("isolation.level", isolation)]))
    var positions: [TopicPartition: ReadPosition] = [:]
    for partition in 0..<partitions { positions[TopicPartition(topic, partition)] = .beginning }
    try consumer.assign(positions)
    var (received, ends): ([Received], Set<Int>) = ([], [])
    try consumer.poll(
        until: { ends.count == Int(partitions) }, record: { received.append($0) },
        event: { if case .partitionEnd(let index, _) = $0 { ends.insert(index) } else { XCTFail("\($0)") } })
    try consumer.close(timeout: .seconds(5))
    return received
}
