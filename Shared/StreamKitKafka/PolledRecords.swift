internal import Kafka
internal import StreamKit

/// Turns a batch of the Kafka room into the runtime's, in memory that is used again for each.
final class PolledRecords {
    static let maximumBatch = 4_096

    private let records: UnsafeMutablePointer<Record>
    private var batch: RecordBatch?
    private var told: Set<String> = []
    private let log: any RuntimeLog
    /// For a reader: the next offset of each partition, past what is no record.
    private(set) var positions: [Int: Int64] = [:]
    private let tracksPositions: Bool

    init(log: any RuntimeLog, tracksPositions: Bool = false) {
        self.log = log
        self.tracksPositions = tracksPositions
        records = .allocate(capacity: Self.maximumBatch)
    }

    deinit { records.deallocate() }

    func release() { batch = nil }

    func forgetPositions() { positions = [:] }

    func poll(
        _ consumer: KafkaConsumer, timeoutMilliseconds: Int32, maximum: Int
    ) throws(BrokerFailure) -> PolledBatch {
        let taken = try attempt("read records") { () throws(KafkaError) in
            try consumer.poll(
                timeout: .milliseconds(timeoutMilliseconds), maximum: min(maximum, Self.maximumBatch))
        }
        var count = 0
        var ends: [Int32] = []
        var lost: [StreamKit.TopicPartition] = []
        var failure: BrokerFailure?
        taken.forEach(
            record: { record in
                (records + count).initialize(to: Record(Origin(record)))
                count &+= 1
                if tracksPositions { positions[record.partitionIndex] = record.offset + 1 }
            },
            event: { event in
                switch event {
                case .partitionEnd(let index, let offset):
                    ends.append(Int32(truncatingIfNeeded: index))
                    if tracksPositions { positions[index] = offset }
                case .offsetOutOfRange(let index, let offset, let message):
                    let partition = consumer.topicPartition(at: index)
                    lost.append(StreamKit.TopicPartition(partition))
                    log.log(
                        .warning, "position lost",
                        [
                            ("kafka.topic", partition.topic), ("kafka.partition", "\(partition.partition)"),
                            ("kafka.offset", "\(offset)"), ("error", message),
                        ])
                case .failure(let error, _):
                    if error.isFatal {
                        failure = Self.ended(error)
                    } else if error.needsAPerson {
                        failure = BrokerFailure(
                            .stop, operation: "read \(error.subject ?? "records")", reason: error.reason)
                    } else if told.insert(error.description).inserted {
                        log.log(.warning, "reading is disturbed; it goes on by itself", [("error", error.description)])
                    }
                }
            })
        let isRebalanced = taken.isRebalanced
        batch = consume taken
        if count > 0 { told = [] }
        // librdkafka does not always tell of a fatal error by an event: a consumer could be silent for ever.
        if failure == nil, count == 0, let fatal = consumer.fatalError { failure = Self.ended(fatal) }
        if let failure {
            release()
            throw failure
        }
        return PolledBatch(
            records: UnsafeBufferPointer(start: records, count: count), interrupted: isRebalanced, reachedEnd: ends,
            lostPositions: lost)
    }

    /// A consumer that is of no use any more, such as a static member whose answer to a rejoin was lost with a broker: it then
    /// counts as fenced by itself. A new one takes its place.
    static func ended(_ error: KafkaError) -> BrokerFailure {
        BrokerFailure(.recreate, operation: "go on with this consumer", reason: error.reason)
    }
}

extension Origin {
    @inline(__always)
    fileprivate init(_ record: ConsumedRecord) {
        self.init(
            source: Int32(truncatingIfNeeded: record.partitionIndex), offset: record.offset, key: record.key,
            value: record.value, timestampMilliseconds: record.timestampMilliseconds ?? -1,
            headers: HeaderReference(address: record.headers?.address))
    }
}
