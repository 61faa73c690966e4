import Foundation
import Kafka
import TestSupport
import XCTest

final class Lines: @unchecked Sendable {  // the lock
    private let lock = NSLock()
    private var lines: [KafkaLogLine] = []

    func add(_ line: KafkaLogLine) { lock.withLock { lines.append(line) } }

    func contains(_ facility: String) -> Bool { lock.withLock { lines.contains { $0.facility == facility } } }
}

/// Notes what it is told; begins where the group committed.
private final class Listener: RebalanceListener {
    var owned: Set<TopicPartition> = []
    var history: [String] = []
    var onRevoke: ((KafkaConsumer) -> Void)?
    var takesPartitions = true

    func partitionsAssigned(_ partitions: [TopicPartition], to consumer: KafkaConsumer) {
        history.append("assigned \(partitions.map { "\($0.partition)" }.sorted().joined(separator: ","))")
        if !takesPartitions { return }
        owned = Set(partitions)
        do throws(KafkaError) {
            var starts = Dictionary(uniqueKeysWithValues: partitions.map { ($0, ReadPosition.beginning) })
            for (partition, committed) in try consumer.committed(partitions, timeout: .seconds(10)) {
                starts[partition] = .offset(committed.offset)
            }
            try consumer.assign(starts)
        } catch {
            XCTFail("\(error)")
        }
    }

    func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool, from consumer: KafkaConsumer) {
        onRevoke?(consumer)
        owned = []
        history.append(
            (lost ? "lost " : "revoked ") + partitions.map { "\($0.partition)" }.sorted().joined(separator: ","))
    }
}

final class RebalanceTests: XCTestCase {
    private func member(
        _ servers: String, _ group: String, _ topic: String, _ listener: Listener,
        _ extra: [(name: String, value: String)] = []
    ) throws -> KafkaConsumer {
        let consumer = try KafkaConsumer(
            consumerConfiguration(servers, [("group.id", group), ("heartbeat.interval.ms", "200")] + extra))
        consumer.rebalanceListener = listener
        try consumer.subscribe(to: [topic])
        return consumer
    }

    /// Polls both members in turn until `done`.
    private func poll(_ consumers: [KafkaConsumer], until done: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !done() {
            guard ContinuousClock.now < deadline else { return XCTFail("the group did not settle within 30 s") }
            for consumer in consumers { _ = try consumer.poll(timeout: .milliseconds(20)) }
        }
    }

    func testRevokeCommitsBeforeAnotherMemberGetsThePartition() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 2)
        let group = unique("group")
        let producer = try makeProducer(servers)
        let (first, second) = (Listener(), Listener())
        let one = try member(servers, group, topic, first)
        try poll([one], until: { first.owned.count == 2 })
        let positions = [
            TopicPartition(topic, 0): CommittedOffset(offset: 10),
            TopicPartition(topic, 1): CommittedOffset(offset: 20),
        ]
        XCTAssertEqual(producer.begin(), .completed)
        var commits: [TransactionOutcome] = []
        first.onRevoke = { consumer in
            guard let metadata = try? consumer.groupMetadata() else { return XCTFail("no group metadata") }
            commits.append(producer.send(offsets: positions, of: metadata))
            commits.append(producer.commit())
        }
        let two = try member(servers, group, topic, second)
        try poll([one, two], until: { first.owned.count == 1 && second.owned.count == 1 })
        XCTAssertEqual(commits, [.completed, .completed])
        XCTAssertEqual(first.history[0...1], ["assigned 0,1", "revoked 0,1"])
        XCTAssertEqual(first.owned.union(second.owned), Set(positions.keys))
        XCTAssertEqual(try two.committed(Array(positions.keys), timeout: .seconds(10)), positions)

        first.onRevoke = nil
        XCTAssertTrue(try two.close(timeout: .seconds(10)))
        XCTAssertEqual(second.history.last?.hasPrefix("revoked"), true)
        try poll([one], until: { first.owned.count == 2 })
    }

    func testEverythingIsReadOnceWhileMembersComeAndGo() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 4)
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        for number in 0..<4_000 {
            try producer.produce(topic, nil, "\(number)", partition: Int32(number % 4))
        }
        XCTAssertEqual(producer.commit(), .completed)

        let group = unique("group")
        let sink = Sink()
        let listener = Listener()
        let one = try member(servers, group, topic, listener)
        let committer = try Committer(servers, one, listener, sink)
        while sink.count < 500 { try committer.step(maximum: 50) }
        let second = Listener()
        let two = try member(servers, group, topic, second)
        let other = try Committer(servers, two, second, sink)
        let deadline = ContinuousClock.now + .seconds(30)
        while sink.count < 4_000 && ContinuousClock.now < deadline {
            // One at a time, so that there is something left when the second member gets its share.
            try committer.step(maximum: second.owned.isEmpty ? 1 : 50)
            try other.step(maximum: 50)
        }
        XCTAssertEqual(sink.sorted, Array(0..<4_000))
        XCTAssertEqual(listener.history.count, 3)
        XCTAssertEqual(second.history.count, 1)
    }

    func testListenerThatTakesNothingReadsNothingAndStaysAMember() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let listener = Listener()
        listener.takesPartitions = false
        let group = unique("group")
        let consumer = try member(servers, group, topic, listener)
        try poll([consumer], until: { !listener.history.isEmpty })
        XCTAssertEqual(try consumer.assignment(), [])
        XCTAssertEqual(try makeAdmin(servers).describeGroup(group, timeout: .seconds(10)).members.count, 1)
    }

    func testStaticMemberComesBackToItsPartitionsWithoutARebalance() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 2)
        let group = unique("group")
        let (first, second, third) = (Listener(), Listener(), Listener())
        let one = try member(servers, group, topic, first, [("group.instance.id", "one")])
        let two = try member(servers, group, topic, second, [("group.instance.id", "two")])
        try poll([one, two], until: { first.owned.count == 1 && second.owned.count == 1 })
        let (kept, owned) = (first.history, second.owned)
        XCTAssertTrue(try two.close(timeout: .seconds(10)))
        let again = try member(servers, group, topic, third, [("group.instance.id", "two")])
        try poll([one, again], until: { third.owned.count == 1 })
        XCTAssertEqual(third.owned, owned)
        XCTAssertEqual(first.history, kept)
    }
}

/// What was read, by all members.
private final class Sink {
    private var values: [Int] = []

    var count: Int { values.count }
    var sorted: [Int] { values.sorted() }

    func add(_ more: [Int]) { values.append(contentsOf: more) }
}

/// A member that notes what it read only once the transaction with its offsets is committed.
private final class Committer {
    private let consumer: KafkaConsumer
    private let producer: TransactionalProducer
    private let sink: Sink
    private var pending: [Int] = []
    private var ledger: [TopicPartition: CommittedOffset] = [:]

    init(_ servers: String, _ consumer: KafkaConsumer, _ listener: Listener, _ sink: Sink) throws {
        self.consumer = consumer
        self.producer = try makeProducer(servers)
        self.sink = sink
        listener.onRevoke = { [unowned self] _ in commit() }
    }

    func step(maximum: Int) throws {
        let batch = try consumer.poll(timeout: .milliseconds(20), maximum: maximum)
        batch.forEach(
            record: { record in
                pending.append(Int(text(record.value) ?? "") ?? -1)
                ledger[consumer.topicPartition(at: record.partitionIndex)] = CommittedOffset(offset: record.offset + 1)
            }, event: { _ in })
        if pending.count > 100 || batch.count == 0 { commit() }
    }

    private func commit() {
        if ledger.isEmpty { return }
        XCTAssertEqual(producer.begin(), .completed)
        guard let metadata = try? consumer.groupMetadata() else { return XCTFail("no group metadata") }
        XCTAssertEqual(producer.send(offsets: ledger, of: metadata), .completed)
        XCTAssertEqual(producer.commit(), .completed)
        sink.add(pending)
        pending = []
        ledger = [:]
    }
}
