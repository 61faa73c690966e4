internal import Glibc
internal import Kafka
internal import enum StreamKit.Murmur2

/// Writes records out of a file: a record a line, key, tab, value. An empty key or value is none; a line without a tab is a
/// value without a key.
public final class RecordFileProducer {
    /// A transaction holds no more.
    private static let transactionRecords = 1_000

    private let producer: TransactionalProducer
    private let topic: ProducerTopic
    private let partitions: Int32
    private var inTransaction = 0
    private var nextPartition: Int32 = 0
    public private(set) var written = 0

    /// - Parameter createdWith: so many partitions, if the topic does not exist; nil: it must exist.
    public init(_ connection: ClusterConnection, topic: String, createdWith newPartitions: Int32? = nil) throws {
        if let newPartitions {
            let admin = try connection.admin()
            let failures = try admin.createTopics(
                [NewTopic(topic, partitions: newPartitions)], timeout: ClusterConnection.timeout)
            if let failure = failures[topic], failure.code != .topicAlreadyExists { throw failure }
        }
        producer = try connection.producer(transactionalID: "streamctl-\(getpid())-\(UInt32.random(in: .min ... .max))")
        self.topic = try producer.topic(topic)
        do throws(KafkaError) {
            partitions = try producer.partitionCount(of: self.topic, timeout: ClusterConnection.timeout)
        } catch {
            guard error.code == .unknownTopicOrPartition else { throw error }
            throw ClusterQuestionError("there is no topic \(topic); --create PARTITIONS makes it")
        }
        try check(producer.initializeTransactions(timeout: ClusterConnection.timeout))
    }

    public func add(_ line: UnsafeRawBufferPointer) throws {
        if inTransaction == 0 { try check(producer.begin()) }
        let tab = line.firstIndex(of: UInt8(ascii: "\t"))
        let key = tab.map { UnsafeRawBufferPointer(rebasing: line[..<$0]) }.flatMap { $0.isEmpty ? nil : $0 }
        let rest = UnsafeRawBufferPointer(rebasing: line[(tab.map { $0 + 1 } ?? 0)...])
        do throws(ProduceError) {
            try producer.produce(
                to: topic, partition: partition(of: key), key: key, value: rest.isEmpty ? nil : rest,
                timestampMilliseconds: nil)
        } catch {
            switch error {
            case .refused(let error): throw error
            case .failed(let outcome): try check(outcome)
            }
        }
        inTransaction += 1
        if inTransaction >= Self.transactionRecords { try commit() }
    }

    /// Makes what was added so far visible.
    public func commit() throws {
        if inTransaction == 0 { return }
        let outcome = producer.commit()
        if let failure = producer.takeDeliveryFailures().first { throw failure.error }
        try check(outcome)
        written += inTransaction
        inTransaction = 0
    }

    private func partition(of key: UnsafeRawBufferPointer?) -> Int32 {
        if let key { return Murmur2.partition(of: key, among: partitions) }
        nextPartition = (nextPartition + 1) % partitions
        return nextPartition
    }

    /// A tool's way out of any trouble is to say it: what was not committed is not there.
    private func check(_ outcome: TransactionOutcome) throws {
        if let error = outcome.error { throw error }
    }
}
