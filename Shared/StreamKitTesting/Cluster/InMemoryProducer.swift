import StreamKit

/// A transactional producer of the in-memory cluster. What it sends stands in the log at once, open until the transaction
/// ends: a crash leaves there what a real one may leave.
final class InMemoryProducer: TransactionalProducer {
    private let client: InMemoryClient
    private let id: String
    private var cluster: InMemoryCluster { client.cluster }
    private var faults: FaultPlan { client.faults }
    private var epoch = 0
    private var topics: [String] = []
    private var hasBegun = false
    /// The transaction holds a record that was refused: it cannot be committed.
    private var refused: [RefusedRecord] = []
    private var mustAbort = false
    private var isClosed = false

    init(_ client: InMemoryClient, thread: Int) {
        self.client = client
        id = "\(client.application)-\(client.instance)-\(thread)"
    }

    func initialize() throws(BrokerFailure) {
        try faults.call(.initialize) { epoch = cluster.initialize(id) }
    }

    func begin() throws(BrokerFailure) {
        try call(.begin) { () throws(BrokerFailure) in
            if hasBegun { throw misuse("begin", "a transaction is open") }
            hasBegun = true
        }
    }

    func handle(for topic: String) throws(BrokerFailure) -> Int32 {
        try faults.call(.handle) {
            if let index = topics.firstIndex(of: topic) { return Int32(index) }
            topics.append(topic)
            return Int32(topics.count - 1)
        }
    }

    func partitionCount(of topic: String) throws(BrokerFailure) -> Int32? {
        try faults.call(.producerPartitionCount) { cluster.partitionCount(of: topic) }
    }

    func send(_ record: OutgoingRecord, headers: HeaderBuffer?) throws(SendFailure) {
        let topic = topics[Int(record.topic)]
        let partition = TopicPartition(topic, record.partition)
        var all = BatchMemory.headers(of: record.inherited)
        headers?.forEach { name, value in
            all.append(Header(String(decoding: name, as: UTF8.self), value.map { [UInt8]($0) }))
        }
        let stored = StoredRecord(
            partition: partition, offset: 0, key: record.key.map { [UInt8]($0) },
            value: record.value.map { [UInt8]($0) },
            timestampMilliseconds: record.timestampMilliseconds < 0
                ? cluster.clock.nowMilliseconds : record.timestampMilliseconds,
            headers: all)
        let bytes = (stored.key?.count ?? 0) + (stored.value?.count ?? 0)
        var tooLarge = false
        do throws(BrokerFailure) {
            try call(.send) { () throws(BrokerFailure) in
                if !hasBegun { throw misuse("send", "no transaction is open") }
                if bytes > client.maximumRecordBytes && client.refusedTopic ?? topic == topic {
                    tooLarge = true
                } else if let reason = faults.refusalOfThisSend() {
                    refused.append(RefusedRecord(topic: topic, reason: reason))
                } else if bytes > cluster.maximumRecordBytes(of: topic) {
                    refused.append(
                        RefusedRecord(topic: topic, reason: "\(bytes) bytes are more than the topic takes"))
                } else if cluster.log(partition) == nil {
                    throw misuse("send", "\(partition) does not exist")
                } else {
                    cluster.append(id, to: partition, stored)
                }
            }
        } catch {
            throw .failed(error)
        }
        if tooLarge { throw .refused(reason: "\(bytes) bytes are more than the client sends") }
    }

    func flush() throws(BrokerFailure) -> [RefusedRecord] {
        try call(.flush) {
            defer { refused = [] }
            if !refused.isEmpty { mustAbort = true }
            return refused
        }
    }

    func sendOffsets(
        _ offsets: [TopicPartition: CommittedOffset], of consumer: any SourceConsumer
    ) throws(BrokerFailure) {
        try call(.sendOffsets) { () throws(BrokerFailure) in
            if !hasBegun { throw misuse("send offsets", "no transaction is open") }
            if offsets.isEmpty { return }
            guard let consumer = consumer as? InMemoryConsumer else {
                throw misuse("send offsets", "the consumer is not of this cluster")
            }
            try consumer.validate()
            cluster.addOffsets(id, offsets, group: client.application)
        }
    }

    func commit() throws(BrokerFailure) {
        try call(.commit) { () throws(BrokerFailure) in
            if !hasBegun { throw misuse("commit", "no transaction is open") }
            if mustAbort || !refused.isEmpty {
                throw BrokerFailure(.abort, operation: "commit", reason: "a record of the transaction was refused")
            }
            end(committed: true)
        }
    }

    func abort() throws(BrokerFailure) {
        try call(.abort) { () throws(BrokerFailure) in
            if !hasBegun { throw misuse("abort", "no transaction is open") }
            end(committed: false)
        }
    }

    func close() { isClosed = true }

    private func end(committed: Bool) {
        cluster.finish(id, committed: committed)
        hasBegun = false
        mustAbort = false
        refused = []
    }

    private func call<Result>(
        _ operation: PortOperation, _ body: () throws(BrokerFailure) -> Result
    ) throws(BrokerFailure) -> Result {
        try faults.call(operation) { () throws(BrokerFailure) in
            if isClosed { throw misuse(operation.rawValue, "the producer is closed") }
            if !cluster.isCurrent(id, epoch) {
                throw BrokerFailure(
                    .recreate, operation: operation.rawValue,
                    reason:
                        "fenced: a later producer of the transactional id \(id) took over, or the broker timed it out"
                )
            }
            return try body()
        }
    }

    private func misuse(_ operation: String, _ reason: String) -> BrokerFailure {
        BrokerFailure(.recreate, operation: operation, reason: reason)
    }
}
