import Foundation
import Kafka
import StreamKit
import StreamKitKafka
import XCTest

struct MemoryStores: StoreBackendFactory {
    func open(store name: String, partition: Int32, definition: String) throws(StoreFailure) -> any StoreBackend {
        MemoryStore()
    }
}

private struct WallClock: StreamKit.Clock {
    var nowMilliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
    var monotonicMilliseconds: Int64 { Int64(ProcessInfo.processInfo.systemUptime * 1_000) }
    func pause(milliseconds: Int64) { usleep(UInt32(milliseconds) * 1_000) }
}

/// Puts before the value how often the key has come, counted in a store.
private final class CountingProcessor: Processor {
    private let hook: Hook

    init(_ context: ProcessorContext, _ hook: Hook) {
        self.hook = hook
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        guard let key = record.key else { return }
        hook.happen()
        let store = context.store("counts")
        let count = (try store.get(key).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0) + 1
        let line = Array("\(count)".utf8)
        let text = line + (record.value.map { Array($0) } ?? [])
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: text)
        try store.put(key, Bytes(rebasing: buffer[..<line.count]))
        var next = record
        next.value = Bytes(buffer)
        try forward(next)
    }
}

/// What is to happen in the middle of the next record.
final class Hook: @unchecked Sendable {  // a bench's threads are all turned by the test's own
    var next: (() -> Void)?

    func happen() {
        guard let next else { return }
        self.next = nil
        next()
    }
}

extension ThreadStatus.Snapshot {
    var recordsSeen: Int { recordsRead + recordsPending }
}

/// Topics of one test, a topology that counts, and what should come out.
final class Bench {
    let servers: String
    let application = "app-\(UUID().uuidString.prefix(8).lowercased())"
    let input: String
    let output: String
    let deadLetters: String
    private let partitions: Int32
    private let admin: KafkaAdmin
    private var expected: [String: Int] = [:]
    private let topology: Topology
    let hook = Hook()

    init(_ servers: String, partitions: Int32, outputSettings: [String: String] = [:]) throws {
        self.servers = servers
        self.partitions = partitions
        input = "\(application)-input"
        output = "\(application)-output"
        deadLetters = "\(application)-dead"
        topology = Topology(application) { [input, output, hook] flow in
            flow.source("in", topics: [input])
                .process("count", stores: [StoreDefinition("counts", format: "count/1")]) {
                    CountingProcessor($0, hook)
                }
                .to("out", SinkDefinition(output))
        }
        admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", servers)]))
        let topics = [
            NewTopic(input, partitions: partitions),
            NewTopic(output, partitions: partitions, configuration: outputSettings),
            NewTopic(deadLetters, partitions: 1),
            NewTopic(
                "\(application)-counts-changelog", partitions: partitions,
                configuration: ["cleanup.policy": "compact"]),
        ]
        XCTAssertEqual(try admin.createTopics(topics, timeout: .seconds(30)), [:])
    }

    func thread(
        instance: String, isStatic: Bool, backends: any StoreBackendFactory, recordsMax: Int,
        pollIntervalMax: Duration? = nil, silentFor session: Duration? = nil, transactionTimeout: Duration? = nil
    ) throws -> StreamThread {
        var settings = KafkaClusterSettings(
            application: application, instance: instance, isStaticMember: isStatic, bootstrapServers: servers,
            log: Silence())
        settings.properties = [("heartbeat.interval.ms", "200")]
        if let transactionTimeout { settings.transactionTimeout = transactionTimeout }
        if let pollIntervalMax {
            settings.sessionTimeout = pollIntervalMax
            settings.properties.append(("max.poll.interval.ms", "\(pollIntervalMax / .milliseconds(1))"))
        }
        if let session {
            // No heartbeat comes in time, as of a process that was stopped.
            settings.sessionTimeout = session
            settings.properties = [("heartbeat.interval.ms", "60000")]
        }
        var plan = ThreadPlan(
            topology: topology, deadLetters: DeadLetterSettings(sink: SinkDefinition(deadLetters), stage: "test"))
        plan.commitIntervalMilliseconds = 20
        plan.commitWhenDrainedMilliseconds = 20
        plan.pollRecordsMax = recordsMax
        plan.pollIdleMilliseconds = 20
        return try StreamThread(
            plan: plan, number: 0, cluster: KafkaCluster(settings), backends: backends, clock: WallClock(),
            log: Silence(),
            status: ThreadStatus())
    }

    func turn(
        _ threads: [StreamThread], until done: (ThreadStatus.Snapshot) -> Bool, when isLast: Bool = false
    ) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            for thread in threads {
                try thread.turn()
                if isLast ? committedAll : done(thread.status.snapshot) { return }
            }
            guard ContinuousClock.now < deadline else { return XCTFail("not done within 60 s") }
        }
    }

    func fill(_ count: Int, keys: Int, from start: Int = 0) throws {
        try produce((start..<start + count).map { ("key-\($0 % keys)", " \($0)") })
        for number in start..<start + count { expected["key-\(number % keys)", default: 0] += 1 }
    }

    func produce(
        _ records: [(key: String, value: String)], timestamp: Int64? = nil, headers: [(String, String)] = []
    ) throws {
        let producer = try Kafka.TransactionalProducer(
            KafkaConfiguration(
                KafkaDefaults.producer() + [
                    ("bootstrap.servers", servers), ("transactional.id", "\(application)-fill"),
                ]))
        XCTAssertEqual(producer.initializeTransactions(timeout: .seconds(30)), .completed)
        XCTAssertEqual(producer.begin(), .completed)
        let topic = try producer.topic(input)
        for record in records {
            try withBytes(record.key) { key in
                try withBytes(record.value) { value in
                    let outgoing = OutgoingHeaders()
                    for (name, value) in headers { outgoing.add(name, value) }
                    try producer.produce(
                        to: topic, partition: Murmur2.partition(of: key, among: partitions), key: key,
                        value: value,
                        timestampMilliseconds: timestamp, headers: outgoing)
                }
            }
        }
        XCTAssertEqual(producer.commit(), .completed)
        try settle((0..<partitions).map { Kafka.TopicPartition(input, $0) })
    }

    /// Waits until no transaction is open in these partitions.
    private func settle(_ partitions: [Kafka.TopicPartition]) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try admin.offsets(.latestCommitted, of: partitions, timeout: .seconds(10))
            != admin.offsets(.latest, of: partitions, timeout: .seconds(10))
        {
            guard ContinuousClock.now < deadline else { return XCTFail("a transaction stays open in \(partitions)") }
        }
    }

    /// The group has committed everything, up to the marker behind the last record.
    var committedAll: Bool {
        let all = (0..<partitions).map { Kafka.TopicPartition(input, $0) }
        guard let ends = try? admin.offsets(.latest, of: all, timeout: .seconds(10)),
            let committed = try? admin.committedOffsets(
                of: application, all, requireStable: true, timeout: .seconds(10))
        else { return false }
        return ends.allSatisfy { $0.value == 0 || (committed[$0.key]?.offset ?? 0) >= $0.value - 1 }
    }

    /// For each key the counts 1, 2, 3 ... once each and in order: nothing lost, nothing twice, no state applied twice.
    func assertEveryCountOnce() throws {
        var counts: [String: [Int]] = [:]
        try read(output) { record in
            let value = record.value.map { text($0) } ?? ""
            let count = Int(value.prefix { $0 != " " && $0 != "x" }) ?? -1
            counts[record.key.map { text($0) } ?? "", default: []].append(count)
        }
        XCTAssertEqual(Set(counts.keys), Set(expected.keys))
        for (key, count) in expected where counts[key] != Array(1...count) {
            XCTFail("\(key) came as \(counts[key] ?? []) instead of 1...\(count)")
        }
    }

    func read(_ topic: String) throws -> [String] {
        var values: [String] = []
        try read(topic) { values.append($0.value.map { text($0) } ?? "null") }
        return values
    }

    /// All committed records.
    func read(_ topic: String, _ body: (ConsumedRecord) -> Void) throws {
        let partitions: Int32 = topic == deadLetters ? 1 : partitions
        let all = (0..<partitions).map { Kafka.TopicPartition(topic, $0) }
        try settle(all)
        let deadline = ContinuousClock.now + .seconds(30)
        let consumer = try KafkaConsumer(
            KafkaConfiguration(
                KafkaDefaults.consumer() + [("bootstrap.servers", servers), ("group.id", "\(application)-reader")]))
        try consumer.assign(Dictionary(uniqueKeysWithValues: all.map { ($0, .beginning) }))
        var ends = 0
        while ends < Int(partitions) && ContinuousClock.now < deadline {
            let batch = try consumer.poll(timeout: .milliseconds(100))
            batch.forEach(record: body, event: { if case .partitionEnd = $0 { ends += 1 } })
        }
        XCTAssertEqual(ends, Int(partitions))
        try consumer.close(timeout: .seconds(5))
    }
}
