internal import Glibc
internal import Kafka
internal import StreamKit

/// A stream thread's producer on the Kafka room.
final class KafkaTransactionalProducer: StreamKit.TransactionalProducer {
    private var producer: Kafka.TransactionalProducer? {
        didSet { present = producer.map { Uncounted($0) } }
    }
    /// The same, for each record.
    private var present: Uncounted<Kafka.TransactionalProducer>?
    private let cluster: KafkaCluster
    private var topics: [ProducerTopic] = []
    /// Whether a record still tells its headers when they were taken from it; known from the first one on.
    private var takenHeadersStay: Bool?
    private var timeout: Duration { cluster.settings.requestTimeout }

    init(_ cluster: KafkaCluster, _ configuration: consuming KafkaConfiguration) throws(BrokerFailure) {
        self.cluster = cluster
        do throws(KafkaError) {
            let producer = try Kafka.TransactionalProducer(
                configuration, observer: cluster.observer, queueFullTimeout: cluster.settings.transactionTimeout)
            self.producer = producer
            present = Uncounted(producer)
        } catch {
            throw BrokerFailure(.stop, operation: "make a producer", reason: error.reason)
        }
    }

    func initialize() throws(BrokerFailure) {
        try settle("settle earlier transactions", try open().initializeTransactions(timeout: timeout))
    }

    func begin() throws(BrokerFailure) {
        try settle("begin a transaction", try open().begin())
    }

    func handle(for topic: String) throws(BrokerFailure) -> Int32 {
        let producer = try open()
        let opened = try attempt("open \(topic)") { () throws(KafkaError) in try producer.topic(topic) }
        if let known = topics.firstIndex(of: opened) { return Int32(truncatingIfNeeded: known) }
        topics.append(opened)
        return Int32(truncatingIfNeeded: topics.count - 1)
    }

    func partitionCount(of topic: String) throws(BrokerFailure) -> Int32? {
        let producer = try open()
        let deadline = ContinuousClock.now + Self.propagation
        while true {
            do throws(KafkaError) {
                return try producer.partitionCount(of: producer.topic(topic), timeout: timeout)
            } catch {
                guard error.code == .unknownTopicOrPartition else {
                    throw BrokerFailure(error, "ask for the partitions of \(topic)")
                }
                if ContinuousClock.now >= deadline { return nil }
                usleep(20_000)
            }
        }
    }

    /// So long after a topic was made some brokers may not have heard of it.
    private static let propagation = Duration.seconds(5)

    func send(_ record: OutgoingRecord, headers: HeaderBuffer?) throws(SendFailure) {
        guard let present else { throw .failed(Self.closed) }
        let topic = topics[Int(record.topic)]
        let timestamp = record.timestampMilliseconds < 0 ? nil : record.timestampMilliseconds
        do throws(ProduceError) {
            try present.with { (producer) throws(ProduceError) in
                if headers == nil && record.inherited.address == nil {
                    try producer.produce(
                        to: topic, partition: record.partition, key: record.key, value: record.value,
                        timestampMilliseconds: timestamp)
                } else {
                    try producer.produce(
                        to: topic, partition: record.partition, key: record.key, value: record.value,
                        timestampMilliseconds: timestamp, headers: self.headers(record.inherited, headers))
                }
            }
        } catch {
            switch error {
            case .refused(let reason): throw .refused(reason: reason.reason)
            case .failed(let outcome):
                throw .failed(
                    BrokerFailure(outcome, "produce to \(producer?.name(of: topic) ?? "a topic")") ?? Self.closed)
            }
        }
    }

    private func headers(_ inherited: HeaderReference, _ added: HeaderBuffer?) -> OutgoingHeaders {
        let headers =
            if let address = inherited.address {
                inheritedHeaders(RecordHeaders(address: address))
            } else {
                OutgoingHeaders(capacity: added?.count ?? 0)
            }
        added?.forEach { headers.add($0, $1) }
        return headers
    }

    /// Whoever reads the record's headers after this (a second output, a dead letter) must find them.
    private func inheritedHeaders(_ headers: RecordHeaders) -> OutgoingHeaders {
        if takenHeadersStay == false { return OutgoingHeaders(copying: headers) }
        let taken = OutgoingHeaders(taking: headers)
        if takenHeadersStay == nil { takenHeadersStay = !headers.isEmpty }
        return taken
    }

    func flush() throws(BrokerFailure) -> [RefusedRecord] {
        let producer = try open()
        producer.flush()
        if let error = producer.fatalError {
            throw BrokerFailure(.fatal(error), "write records") ?? Self.closed
        }
        if producer.failedDeliveries == 0 { return [] }
        let failures = producer.takeDeliveryFailures()
        let refused = Self.refused(failures)
        if refused.isEmpty, let first = failures.first {
            throw BrokerFailure(.requiresAbort(first.error), "write to \(first.partition)") ?? Self.closed
        }
        return refused
    }

    func refusedSoFar() -> [RefusedRecord] {
        guard let producer else { return [] }
        producer.poll()
        return producer.failedDeliveries == 0 ? [] : Self.refused(producer.takeDeliveryFailures())
    }

    /// Those that stood in a request with a refused record fail for its sake, with other errors or the same.
    private static func refused(_ failures: [DeliveryFailure]) -> [RefusedRecord] {
        failures.filter(\.isRefusal).map { RefusedRecord(topic: $0.partition.topic, reason: $0.error.reason) }
    }

    func sendOffsets(
        _ offsets: [StreamKit.TopicPartition: StreamKit.CommittedOffset], of consumer: any SourceConsumer
    ) throws(BrokerFailure) {
        guard let consumer = consumer as? KafkaSourceConsumer else {
            throw BrokerFailure(.stop, operation: "commit offsets", reason: "the consumer is of another cluster")
        }
        let operation = "add offsets to the transaction"
        let membership = try consumer.membership()
        var committed: [Kafka.TopicPartition: Kafka.CommittedOffset] = [:]
        for (partition, offset) in offsets {
            committed[Kafka.TopicPartition(partition)] = Kafka.CommittedOffset(
                offset: offset.offset, metadata: offset.metadata)
        }
        try settle(operation, try open().send(offsets: committed, of: membership))
    }

    func commit() throws(BrokerFailure) { try settle("commit the transaction", try open().commit()) }

    func abort() throws(BrokerFailure) { try settle("abort the transaction", try open().abort()) }

    func close() { producer = nil }

    private func open() throws(BrokerFailure) -> Kafka.TransactionalProducer {
        guard let producer else { throw Self.closed }
        return producer
    }

    private func settle(_ operation: String, _ outcome: TransactionOutcome) throws(BrokerFailure) {
        if let failure = BrokerFailure(outcome, operation) { throw failure }
    }

    private static let closed = BrokerFailure(.recreate, operation: "use the producer", reason: "it is closed")
}
