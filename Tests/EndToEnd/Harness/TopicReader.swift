import Foundation
import Kafka

/// Reads topics from their beginning, committed records only, and keeps what it read.
final class TopicReader {
    private let consumer: KafkaConsumer
    private let admin: KafkaAdmin
    private let partitions: [TopicPartition]
    private(set) var records: [String: [TopicRecord]] = [:]
    /// By partition: the next offset to come.
    private var positions: [TopicPartition: Int64] = [:]
    /// By partition: the offset of the last record.
    private(set) var lastOffsets: [TopicPartition: Int64] = [:]

    init(_ servers: String, topics: [String: Int32]) throws {
        partitions = topics.flatMap { topic, count in (0..<count).map { TopicPartition(topic, $0) } }
        admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", servers)]))
        consumer = try KafkaConsumer(
            KafkaConfiguration(
                KafkaDefaults.consumer() + [
                    ("bootstrap.servers", servers), ("group.id", "reader-\(UUID().uuidString)"),
                    // Records of repartition topics are deleted once they were used.
                    ("auto.offset.reset", "earliest"),
                ]))
        try consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }))
    }

    deinit { _ = try? consumer.close(timeout: .seconds(2)) }

    /// Reads on to where the partitions end now.
    func readToEnd() throws {
        let ends = try patiently { try admin.offsets(.latestCommitted, of: partitions, timeout: .seconds(20)) }
        let deadline = Date() + 60
        while !partitions.allSatisfy({ positions[$0, default: 0] >= ends[$0, default: 0] }) {
            if Date() > deadline {
                let behind = partitions.filter { positions[$0, default: 0] < ends[$0, default: 0] }
                throw HarnessError("not read to their ends within 60 s: \(behind)")
            }
            let batch = try consumer.poll(timeout: .milliseconds(100))
            batch.forEach(
                record: { view in take(view) },
                event: { event in
                    if case .partitionEnd(let index, let offset) = event {
                        positions[consumer.topicPartition(at: index)] = offset
                    }
                })
        }
    }

    private func take(_ view: ConsumedRecord) {
        let place = consumer.topicPartition(at: view.partitionIndex)
        var headers: [(name: String, value: String)] = []
        view.headers?.forEach { name, value in
            headers.append(
                (String(decoding: name, as: UTF8.self), value.map { String(decoding: $0, as: UTF8.self) } ?? ""))
        }
        records[place.topic, default: []].append(
            TopicRecord(
                partition: place.partition, offset: view.offset,
                timestampMilliseconds: view.timestampMilliseconds ?? -1, key: view.key.map { [UInt8]($0) },
                value: view.value.map { [UInt8]($0) }, headers: headers))
        positions[place] = max(positions[place, default: 0], view.offset + 1)
        lastOffsets[place] = max(lastOffsets[place, default: -1], view.offset)
    }
}

/// Asks again for as long as a broker may take to come back.
func patiently<Answer>(_ ask: () throws -> Answer) throws -> Answer {
    let deadline = Date() + 60
    while true {
        do {
            return try ask()
        } catch  where Date() < deadline {
            usleep(100_000)
        }
    }
}

/// Writes raw records in transactions, so that a test knows what is there whatever becomes of the broker.
final class RawWriter {
    private let servers: String
    private let identifier = "writer-\(UUID().uuidString)"
    private var producer: TransactionalProducer?

    private let properties: [(name: String, value: String)]

    init(_ servers: String, _ properties: [(name: String, value: String)] = []) {
        self.servers = servers
        self.properties = properties
    }

    /// All of the records or, where the broker went away, all of them again: a transaction that was not committed left nothing.
    func write(_ records: [RawRecord], to topic: String) throws {
        let deadline = Date() + 120
        while true {
            do {
                return try writeOnce(records, to: topic)
            } catch  where Date() < deadline {
                // An answer that was lost may stand for a commit: whether one record is there tells for all.
                producer = nil
                usleep(200_000)
                if let first = records.first, try isWritten(first, topic) { return }
            }
        }
    }

    private func writeOnce(_ records: [RawRecord], to name: String) throws {
        let producer = try self.producer ?? open()
        self.producer = producer
        try expect(producer.begin())
        let topic = try producer.topic(name)
        for record in records {
            try withBytes(record.key) { key in
                try withBytes(record.value) { value in
                    if record.headers.isEmpty {
                        try producer.produce(
                            to: topic, partition: record.partition, key: key, value: value,
                            timestampMilliseconds: record.timestampMilliseconds)
                    } else {
                        let headers = OutgoingHeaders()
                        for header in record.headers {
                            withBytes([UInt8](header.value.utf8)) { headers.add(header.name, $0) }
                        }
                        try producer.produce(
                            to: topic, partition: record.partition, key: key, value: value,
                            timestampMilliseconds: record.timestampMilliseconds, headers: headers)
                    }
                }
            }
        }
        try expect(producer.commit())
    }

    private func open() throws -> TransactionalProducer {
        let producer = try TransactionalProducer(
            KafkaConfiguration(
                KafkaDefaults.producer() + [("bootstrap.servers", servers), ("transactional.id", identifier)]
                    + properties))
        try expect(producer.initializeTransactions(timeout: .seconds(30)))
        return producer
    }

    private func isWritten(_ record: RawRecord, _ topic: String) throws -> Bool {
        // A new producer of the same id settles the old transaction first.
        producer = try open()
        let reader = try TopicReader(servers, topics: [topic: record.partition + 1])
        try reader.readToEnd()
        return reader.records[topic]?.contains { $0.timestampMilliseconds == record.timestampMilliseconds } ?? false
    }

    private func expect(_ outcome: TransactionOutcome) throws {
        if let error = outcome.error { throw error }
    }
}

func withBytes<Result>(
    _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Result
) rethrows -> Result {
    guard let bytes else { return try body(nil) }
    return try bytes.withUnsafeBytes { buffer in
        // An empty array has no address, which would stand for null.
        buffer.baseAddress == nil ? try [0].withUnsafeBytes { try body(.init(rebasing: $0[..<0])) } : try body(buffer)
    }
}
