/// A thread's way to write: finds partitions, opens the transaction with the first record, and outlives its producers.
public final class TaskOutput {
    /// A topic as the present producer knows it. Nothing in it counts references: it is copied for each record.
    private struct Target {
        var handle: Int32
        var partitions: Int32
    }

    /// The producer of the moment, in an object of its own: what may change is counted for each record, this is not.
    private final class Present {
        let producer: any TransactionalProducer
        init(_ producer: any TransactionalProducer) { self.producer = producer }
    }

    private var owned: Present
    private var present: Uncounted<Present>
    private var producer: any TransactionalProducer { owned.producer }
    private var names: [String] = []
    private var targets: [Target] = []
    /// A transaction was begun and is not ended.
    private(set) var isOpen = false
    /// The number of the last transaction begun, unlike those of other threads and of earlier runs.
    private(set) var transaction = UInt64.random(in: 0 ... .max)
    private let sent: TransactionCounter

    init(_ producer: any TransactionalProducer, counting sent: TransactionCounter) {
        owned = Present(producer)
        present = Uncounted(owned)
        self.sent = sent
    }

    /// Begins the transaction if none is open.
    func open() throws(BrokerFailure) {
        if isOpen { return }
        try producer.begin()
        isOpen = true
        transaction &+= 1
    }

    func closed() { isOpen = false }

    /// A new producer took the place of one that could not go on.
    func replace(_ producer: any TransactionalProducer) throws(BrokerFailure) {
        owned = Present(producer)
        present = Uncounted(owned)
        isOpen = false
        for index in targets.indices { targets[index].handle = try producer.handle(for: names[index]) }
    }

    /// A number for a topic, for `send`. The topic must exist.
    func target(_ topic: String) throws(BrokerFailure) -> Int32 {
        if let index = names.firstIndex(of: topic) { return Int32(index) }
        guard let partitions = try producer.partitionCount(of: topic), partitions > 0 else {
            throw BrokerFailure(.stop, operation: "write to \(topic)", reason: "the topic does not exist")
        }
        targets.append(Target(handle: try producer.handle(for: topic), partitions: partitions))
        names.append(topic)
        return Int32(targets.count - 1)
    }

    func partitionCount(_ target: Int32) -> Int32 { targets[Int(target)].partitions }

    /// Writes a record; `partition` nil: by the key, as Kafka's Java clients choose it; without a key, by the record's origin.
    func send(
        to target: Int32, partition: Int32?, key: Bytes?, value: Bytes?, timestampMilliseconds: Int64,
        inherited: HeaderReference = .none, headers: HeaderBuffer? = nil, spread: Int64 = 0
    ) throws(SendFailure) {
        if !isOpen { do { try open() } catch { throw .failed(error) } }
        let topic = targets[Int(target)]
        let chosen: Int32 =
            if let partition { partition } else if let key { Murmur2.partition(of: key, among: topic.partitions) } else
            {
                Int32(truncatingIfNeeded: spread & 0x7fff_ffff) % topic.partitions
            }
        let record = OutgoingRecord(
            topic: topic.handle, partition: chosen, key: key, value: value,
            timestampMilliseconds: timestampMilliseconds, inherited: inherited)
        try present.with { (present) throws(SendFailure) in
            try present.producer.send(record, headers: headers)
        }
        sent.count()
    }
}
