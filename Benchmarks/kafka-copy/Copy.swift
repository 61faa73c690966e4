import Glibc
import Kafka
import enum StreamKit.Murmur2

func runCopy(_ arguments: [String]) {
    guard arguments.count >= 5 else {
        complain("kafka-copy BOOTSTRAP INPUT OUTPUT GROUP [(consumer|producer).PROPERTY=VALUE]...")
        exit(64)
    }
    do {
        try Copy(arguments).run()
    } catch {
        complain("\(error)")
        exit(1)
    }
}

func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

private nonisolated(unsafe) var isStopping: sig_atomic_t = 0  // written by the signal handler alone

final class Copy: RebalanceListener {
    private let consumer: KafkaConsumer
    private let producer: TransactionalProducer
    private let input: String
    private let output: ProducerTopic
    private let partitionCount: Int32
    private let keepsHeaders: Bool
    private var ledger: [TopicPartition: CommittedOffset] = [:]
    private var next: [Int64] = []

    init(_ arguments: [String]) throws {
        var consumer = KafkaDefaults.consumer()
        var producer = KafkaDefaults.producer()
        consumer += [("bootstrap.servers", arguments[1]), ("group.id", arguments[4])]
        producer += [("bootstrap.servers", arguments[1]), ("transactional.id", arguments[4])]
        var keepsHeaders = false
        for argument in arguments.dropFirst(5) {
            if argument == "headers" { keepsHeaders = true }
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            if parts[0].hasPrefix("consumer.") { consumer.append((String(parts[0].dropFirst(9)), parts[1])) }
            if parts[0].hasPrefix("producer.") { producer.append((String(parts[0].dropFirst(9)), parts[1])) }
        }
        self.keepsHeaders = keepsHeaders
        self.consumer = try KafkaConsumer(KafkaConfiguration(consumer))
        self.producer = try TransactionalProducer(KafkaConfiguration(producer))
        input = arguments[2]
        output = try self.producer.topic(arguments[3])
        partitionCount = try self.producer.partitionCount(of: output, timeout: .seconds(10))
        self.consumer.rebalanceListener = self
    }

    func run() throws {
        signal(SIGTERM) { _ in isStopping = 1 }
        try expect(producer.initializeTransactions(timeout: .seconds(30)))
        try consumer.subscribe(to: [input])
        var isOpen = false
        var deadline = ContinuousClock.now + .milliseconds(100)
        while isStopping == 0 {
            let batch = try consumer.poll(timeout: .milliseconds(isOpen ? 10 : 100))
            if batch.count > 0 {
                if !isOpen {
                    try expect(producer.begin())
                    isOpen = true
                    deadline = .now + .milliseconds(100)
                }
                try copy(batch)
            }
            if isOpen && ContinuousClock.now >= deadline {
                try commit()
                isOpen = false
            }
        }
        try consumer.close(timeout: .seconds(5))
    }

    private func copy(_ batch: borrowing RecordBatch) throws {
        var failure: ProduceError?
        batch.forEach(
            record: { record in
                while record.partitionIndex >= next.count { next.append(-1) }
                next[record.partitionIndex] = record.offset + 1
                let partition = record.key.map { Murmur2.partition(of: $0, among: partitionCount) } ?? 0
                do throws(ProduceError) {
                    if keepsHeaders, let headers = record.headers {
                        try producer.produce(
                            to: output, partition: partition, key: record.key, value: record.value,
                            timestampMilliseconds: record.timestampMilliseconds,
                            headers: OutgoingHeaders(copying: headers))
                    } else {
                        try producer.produce(
                            to: output, partition: partition, key: record.key, value: record.value,
                            timestampMilliseconds: record.timestampMilliseconds)
                    }
                } catch {
                    failure = error
                }
            }, event: { _ in })
        if let failure { throw failure }
    }

    private func commit() throws {
        for (index, offset) in next.enumerated() where offset >= 0 {
            ledger[consumer.topicPartition(at: index)] = CommittedOffset(offset: offset)
        }
        try expect(producer.send(offsets: ledger, of: try consumer.groupMetadata()))
        try expect(producer.commit())
    }

    private func expect(_ outcome: TransactionOutcome) throws {
        if outcome != .completed { throw CopyError(text: "\(outcome)") }
    }

    func partitionsAssigned(_ partitions: [TopicPartition], to consumer: KafkaConsumer) {
        do throws(KafkaError) {
            var starts: [TopicPartition: ReadPosition] = [:]
            for partition in partitions {
                starts[partition] = .offset(try consumer.offsetRange(of: partition, timeout: .seconds(10)).lowerBound)
            }
            for (partition, committed) in try consumer.committed(partitions, timeout: .seconds(10)) {
                starts[partition] = .offset(committed.offset)
            }
            try consumer.assign(starts)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool, from consumer: KafkaConsumer) {
        next = []
    }
}

struct CopyError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}
