import Kafka
import TestSupport
import XCTest

final class ConsumerTests: XCTestCase {
    private func fill(_ servers: String, _ topic: String, _ values: [String], partition: Int32 = 0) throws {
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        for value in values {
            try producer.produce(topic, nil, value, partition: partition)
        }
        XCTAssertEqual(producer.commit(), .completed)
        try settle(servers, topic, partitions: partition + 1, ends: [partition: Int64(values.count) + 1])
    }

    func testEndOfAPartitionIsAnEventBehindItsRecords() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 2)
        try fill(servers, topic, ["a", "b"], partition: 1)
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        try consumer.assign([TopicPartition(topic, 0): .beginning, TopicPartition(topic, 1): .beginning])
        var log: [String] = []
        var ends: [TopicPartition: Int64] = [:]
        try consumer.poll(
            until: { ends.count == 2 }, record: { log.append($0.value ?? "null") },
            event: {
                guard case .partitionEnd(let index, let offset) = $0 else { return XCTFail("\($0)") }
                let partition = consumer.topicPartition(at: index)
                ends[partition] = offset
                log.append("end of \(partition.partition)")
            })
        // The commit's marker stands at offset 2.
        XCTAssertEqual(ends, [TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 3])
        XCTAssertEqual(log.filter { $0 != "end of 0" }, ["a", "b", "end of 1"])
        XCTAssertEqual(consumer.cachedOffsetRange(of: TopicPartition(topic, 1)), 0..<3)
        XCTAssertEqual(try consumer.offsetRange(of: TopicPartition(topic, 1), timeout: .seconds(10)), 0..<3)
        XCTAssertEqual(try consumer.partitionCounts(of: [topic, unique("missing")], timeout: .seconds(10)), [topic: 2])
    }

    func testSeekReadsAgainInEveryPartition() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 8)
        var positions: [TopicPartition: ReadPosition] = [:]
        for partition: Int32 in 0..<8 {
            try fill(servers, topic, ["\(partition)-0", "\(partition)-1"], partition: partition)
            positions[TopicPartition(topic, partition)] = .beginning
        }
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        try consumer.assign(positions)
        var received: [String] = []
        try consumer.poll(until: { received.count >= 16 }, record: { received.append($0.value ?? "null") })
        received = []
        try consumer.seek(positions.mapValues { _ in .offset(1) }, timeout: .seconds(10))
        try consumer.poll(until: { received.count >= 8 }, record: { received.append($0.value ?? "null") })
        XCTAssertEqual(received.sorted(), (0..<8).map { "\($0)-1" })
    }

    func testPausedPartitionBringsNothingUntilResumed() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 2)
        try fill(servers, topic, ["zero"], partition: 0)
        try fill(servers, topic, ["one"], partition: 1)
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        let (zero, one) = (TopicPartition(topic, 0), TopicPartition(topic, 1))
        try consumer.assign([zero: .beginning, one: .beginning])
        try consumer.pause([one])
        var received: [String] = []
        var isAtEnd = false
        try consumer.poll(
            until: { isAtEnd }, record: { received.append($0.value ?? "null") },
            event: { if case .partitionEnd = $0 { isAtEnd = true } })
        XCTAssertEqual(received, ["zero"])
        try consumer.resume([one])
        try consumer.poll(until: { received.count == 2 }, record: { received.append($0.value ?? "null") })
        XCTAssertEqual(received, ["zero", "one"])
    }

    func testOffsetThatNoLongerExistsIsAnEventAndASeekGoesOn() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 3)
        for partition: Int32 in 0..<3 { try fill(servers, topic, ["a", "b", "c"], partition: partition) }
        let (zero, one, two) = (TopicPartition(topic, 0), TopicPartition(topic, 1), TopicPartition(topic, 2))
        XCTAssertEqual(try makeAdmin(servers).deleteRecords(before: [zero: 2], timeout: .seconds(10)), [:])
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        try consumer.assign([zero: .offset(0), one: .offset(0), two: .offset(1)], paused: [two])
        var lost: [TopicPartition] = []
        var received: [String] = []
        let note = { (record: Received) in received.append("\(record.partition)\(record.value ?? "")") }
        try consumer.poll(
            until: { !lost.isEmpty && received.count == 3 }, record: note,
            event: {
                if case .offsetOutOfRange(let index, _, _) = $0 { lost.append(consumer.topicPartition(at: index)) }
            })
        XCTAssertEqual(lost, [zero])
        XCTAssertEqual(received, ["1a", "1b", "1c"])
        XCTAssertEqual(try consumer.offsetRange(of: zero, timeout: .seconds(10)), 2..<4)
        // The others go on where they are, paused ones paused.
        try consumer.seek([zero: .offset(2)], timeout: .seconds(10))
        try consumer.poll(until: { received.count == 4 }, record: note)
        XCTAssertEqual(received.last, "0c")
        try consumer.resume([two])
        try consumer.poll(until: { received.count == 6 }, record: note)
        XCTAssertEqual(received.suffix(2), ["2b", "2c"])
    }

    func testSeekRightAfterAnAssignmentIsWaitedFor() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 4)
        for partition: Int32 in 0..<4 { try fill(servers, topic, ["a", "b"], partition: partition) }
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        let all = (0..<4).map { TopicPartition(topic, $0) }
        try consumer.assign(Dictionary(uniqueKeysWithValues: all.map { ($0, .beginning) }))
        try consumer.seek(Dictionary(uniqueKeysWithValues: all.map { ($0, .offset(1)) }), timeout: .seconds(10))
        var received: [String] = []
        try consumer.poll(until: { received.count >= 4 }, record: { received.append($0.value ?? "") })
        XCTAssertEqual(received, ["b", "b", "b", "b"])
    }

    func testUnknownTopicIsAFailureNotASilence() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        let missing = unique("missing")
        try consumer.subscribe(to: [missing])
        var codes: Set<KafkaErrorCode> = []
        try consumer.poll(
            until: { !codes.isEmpty }, event: { if case .failure(let error, _) = $0 { codes.insert(error.code) } })
        XCTAssertEqual(codes, [.unknownTopicOrPartition])
    }

    func testConsumerWithoutAGroupIsRefused() throws {
        XCTAssertThrowsError(try KafkaConsumer(KafkaConfiguration([("bootstrap.servers", "127.0.0.1:1")]))) { error in
            XCTAssertTrue("\(error)".contains("group.id"), "\(error)")
        }
    }

    func testLogLinesReachTheObserver() throws {
        let lines = Lines()
        let port = try freePorts(1)[0]
        let consumer = try KafkaConsumer(
            consumerConfiguration("127.0.0.1:\(port)"), observer: KafkaClientObserver(log: { lines.add($0) }))
        try consumer.subscribe(to: ["topic"])
        try consumer.poll(until: { lines.contains("_ALL_BROKERS_DOWN") || lines.contains("FAIL") })
    }
}
