internal import CLibrdkafka
internal import Glibc

/// A topic that a producer writes to: its number with that producer.
public struct ProducerTopic: Hashable, Sendable {
    let index: Int
}

/// Writes records and a group's offsets in transactions. One thread uses it.
///
/// Every call says by its ``TransactionOutcome`` what has to be done next; nothing is retried behind the caller's back but
/// what librdkafka retries itself.
public final class TransactionalProducer {
    private let handle: KafkaClientHandle
    private var topics: [Topic] = []
    private var topicIndexes: [String: Int] = [:]
    private let arguments: ProduceArguments
    private let queueFullTimeout: Duration
    /// After it the coordinator aborts a transaction by itself: longer there is nothing to be waited for.
    private let transactionTimeout: Duration
    private let calls = BoundedCalls()
    private var failures: [DeliveryFailure] = []
    /// Records of the current transaction that were not written, whether kept in ``takeDeliveryFailures()`` or not.
    public private(set) var failedDeliveries = 0

    private static let keptFailures = 1_000

    private struct Topic {
        let pointer: OpaquePointer
        let name: String
        var partitionCount: Int32?
    }

    /// - Parameter queueFullTimeout: how long ``produce(to:partition:key:value:timestampMilliseconds:)`` waits for room
    ///   in librdkafka's queue, which is full while brokers do not answer.
    public init(
        _ configuration: consuming KafkaConfiguration, observer: KafkaClientObserver = KafkaClientObserver(),
        queueFullTimeout: Duration = .seconds(60)
    ) throws(KafkaError) {
        let timeout = configuration.value(of: "transaction.timeout.ms").flatMap { Int($0) }
        transactionTimeout = .milliseconds(timeout ?? 60_000)
        handle = try KafkaClientHandle(.producer, configuration, observer)
        arguments = ProduceArguments()
        self.queueFullTimeout = queueFullTimeout
        handle.context.delivered = { [unowned self] message in noteDelivery(message) }
    }

    /// Drops what is queued, so that it does not wait for brokers. An open transaction stays open until its time-out, or
    /// until a new producer of the same transactional id aborts it, which is why one should be made soon.
    deinit {
        handle.context.delivered = nil
        // Waiting until the brokers' threads have done it: one that meets a failed request later sets the error of the
        // transaction, whose text librdkafka frees first of all when it ends, and would free it a second time.
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        for topic in topics { rd_kafka_topic_destroy(topic.pointer) }
    }

    /// What made this producer useless, if anything did.
    public var fatalError: KafkaError? { handle.fatalError }

    // MARK: Transactions

    /// Fences older producers of the same transactional id and settles what they left: must complete before the first
    /// transaction. May be repeated after ``TransactionOutcome/retriable(_:)``.
    public func initializeTransactions(timeout: Duration) -> TransactionOutcome {
        let deadline = ContinuousClock.now + timeout
        // While no broker is connected, or an earlier transaction is being aborted, librdkafka asks again only after 500 ms;
        // called again it asks at once. Whoever waits for a broker that is away has time.
        let hurries = ContinuousClock.now + .seconds(1)
        while true {
            let left = max(deadline - .now, .zero)
            let slice = Duration.milliseconds(ContinuousClock.now < hurries ? 20 : 200)
            let result = outcome(
                "initializing transactions",
                rd_kafka_init_transactions(handle.pointer, min(left, slice).timeoutMilliseconds), isLast: false
            )
            guard case .retriable(let error) = result, ContinuousClock.now < deadline else { return result }
            // What a coordinator that loads its log refuses at once, it would do in a moment.
            if error.code != .localTimeout { usleep(20_000) }
        }
    }

    public func begin() -> TransactionOutcome {
        failures.removeAll(keepingCapacity: true)
        failedDeliveries = 0
        return outcome("beginning a transaction", rd_kafka_begin_transaction(handle.pointer), isLast: false)
    }

    /// Makes the group's offsets part of the transaction: `offset` is the next record to read.
    ///
    /// librdkafka repeats what fails until the transaction's time-out, so a failure of that kind is the end of this transaction.
    /// But it forgets the call where it cannot find the group's coordinator, whatever time-out it is given, and the call never
    /// returns (its issue 5456): it is made where it holds up nobody, and after it there is nothing to do but to drop the producer.
    public func send(offsets: [TopicPartition: CommittedOffset], of group: GroupMetadata) -> TransactionOutcome {
        if offsets.isEmpty { return .completed }
        let operation = "adding offsets to the transaction"
        let list = PartitionList(offsets)
        let answer = calls.call(within: transactionTimeout + Self.slack) { [handle] in
            KafkaError(
                operation,
                taking: rd_kafka_send_offsets_to_transaction(handle.pointer, list.pointer, group.pointer, -1))
        }
        guard let answer else { return .ambiguous(KafkaError(operation, RD_KAFKA_RESP_ERR__TIMED_OUT)) }
        return .of(answer, isLast: true)
    }

    /// librdkafka's own time-out is to come first.
    private static let slack = Duration.seconds(3)

    /// Waits for every record to be written, then for the coordinator's word, for each at most the transaction's time-out.
    ///
    /// -1, which librdkafka's documentation recommends as "what is left of the transaction's time-out", is no time-out at all from
    /// 2.0 on: it waits for as long as the coordinator is away. Its warning, that a shorter one leaves its state behind, does
    /// not concern a producer that is dropped after it.
    public func commit() -> TransactionOutcome {
        flush()
        return outcome(
            "committing the transaction",
            rd_kafka_commit_transaction(handle.pointer, transactionTimeout.timeoutMilliseconds), isLast: true)
    }

    /// Gives up what was produced and not yet committed, waiting as ``commit()`` does. If a record had been refused by the broker,
    /// the next transaction may have to be aborted once more: only then does librdkafka renew the producer id whose sequence has the
    /// gap.
    public func abort() -> TransactionOutcome {
        outcome(
            "aborting the transaction",
            rd_kafka_abort_transaction(handle.pointer, transactionTimeout.timeoutMilliseconds), isLast: true)
    }

    /// Waits until what was produced is written or failed, as ``commit()`` does; ends early when there is a fatal error, or the
    /// transaction's time-out over: librdkafka gives up records then.
    ///
    /// A commit's own flush looks every 10 ms, because nothing wakes it when only failures are reported. The flush is most
    /// of what a short transaction's commit takes, and is noticed a millisecond late at most. Later looks are rarer, because each
    /// wakes librdkafka's threads.
    public func flush() {
        var looks = 0
        let deadline = ContinuousClock.now + transactionTimeout + Self.slack
        while rd_kafka_outq_len(handle.pointer) > 0 && ContinuousClock.now < deadline {
            let slice: Int32 = looks < 8 ? 1 : 4
            if rd_kafka_flush(handle.pointer, slice) == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            if rd_kafka_fatal_error(handle.pointer, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR { return }
            looks += 1
        }
    }

    private func outcome(_ operation: String, _ error: OpaquePointer?, isLast: Bool) -> TransactionOutcome {
        .of(KafkaError(operation, taking: error), isLast: isLast)
    }

    // MARK: Topics

    /// The topic's number with this producer; the topic need not exist yet.
    public func topic(_ name: String) throws(KafkaError) -> ProducerTopic {
        if let index = topicIndexes[name] { return ProducerTopic(index: index) }
        guard let pointer = rd_kafka_topic_new(handle.pointer, name, nil) else {
            throw KafkaError("opening a topic", rd_kafka_last_error(), subject: name)
        }
        let index = topics.count
        topics.append(Topic(pointer: pointer, name: name, partitionCount: nil))
        topicIndexes[name] = index
        return ProducerTopic(index: index)
    }

    public func name(of topic: ProducerTopic) -> String { topics[topic.index].name }

    /// How many partitions the topic has; asked of the broker once, and again with `refresh`.
    public func partitionCount(
        of topic: ProducerTopic, refresh: Bool = false, timeout: Duration
    ) throws(KafkaError) -> Int32 {
        if let count = topics[topic.index].partitionCount, !refresh { return count }
        let name = topics[topic.index].name
        guard let found = try TopicMetadata.read(handle.pointer, topics: [name], timeout: timeout)[name],
            !found.partitions.isEmpty
        else {
            throw KafkaError(
                "asking for a topic's partitions", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, subject: name)
        }
        let count = Int32(clamping: found.partitions.count)
        topics[topic.index].partitionCount = count
        return count
    }

    // MARK: Records

    /// Hands a record over; its bytes are copied. Waits while librdkafka's queue is full. It is not yet written then: the
    /// commit tells.
    ///
    /// - Parameters:
    ///   - key: nil is null.
    ///   - value: nil is null, a tombstone.
    ///   - timestampMilliseconds: since 1970; nil is the present, and so is 0, which librdkafka cannot write.
    public func produce(
        to topic: ProducerTopic, partition: Int32, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        timestampMilliseconds: Int64?
    ) throws(ProduceError) {
        arguments.set(
            topic: topics[topic.index].pointer, partition: partition, key: key, value: value,
            timestamp: timestampMilliseconds ?? 0)
        guard let error = arguments.produce(handle.pointer, headers: nil) else { return }
        try again(topic, partition, error, headers: nil)
    }

    /// The same with headers, which cost some 0.3 us a record.
    public func produce(
        to topic: ProducerTopic, partition: Int32, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        timestampMilliseconds: Int64?, headers: consuming OutgoingHeaders
    ) throws(ProduceError) {
        arguments.set(
            topic: topics[topic.index].pointer, partition: partition, key: key, value: value,
            timestamp: timestampMilliseconds ?? 0)
        let list = headers.take()
        guard let error = arguments.produce(handle.pointer, headers: list) else { return }
        do {
            try again(topic, partition, error, headers: list)
        } catch {
            // librdkafka takes headers over with the record, and only then.
            rd_kafka_headers_destroy(list)
            throw error
        }
    }

    /// Tries until the queue has room or another reason comes.
    @inline(never)
    private func again(
        _ topic: ProducerTopic, _ partition: Int32, _ error: OpaquePointer, headers: OpaquePointer?
    ) throws(ProduceError) {
        let deadline = ContinuousClock.now + queueFullTimeout
        var error: OpaquePointer? = error
        var waits = 0
        while let failed = error {
            guard rd_kafka_error_code(failed) == RD_KAFKA_RESP_ERR__QUEUE_FULL, ContinuousClock.now < deadline
            else { break }
            rd_kafka_error_destroy(failed)
            waits += 1
            // As a rule full requests are on their way, and make room. Where there are none, what waits for its request to be full leaves
            // now, or the queue would stay full of it.
            if waits % 16 == 0 { rd_kafka_flush(handle.pointer, 1) } else { rd_kafka_poll(handle.pointer, 1) }
            error = arguments.produce(handle.pointer, headers: headers)
        }
        let subject = TopicPartition(topics[topic.index].name, partition).description
        guard let problem = KafkaError("producing", taking: error, subject: subject) else { return }
        switch problem.code {
        case .messageTooLarge, .localUnknownPartition, .localUnknownTopic: throw .refused(problem)
        default: throw .failed(.of(fatalError ?? problem, isLast: false))
        }
    }

    /// Serves callbacks: failed deliveries, statistics. Calls that end a transaction do it too.
    public func poll() {
        rd_kafka_poll(handle.pointer, 0)
    }

    /// Records that had been accepted and were not written, the first thousand; those dropped by an abort do not count.
    public func takeDeliveryFailures() -> [DeliveryFailure] {
        defer { failures.removeAll(keepingCapacity: true) }
        return failures
    }

    private func noteDelivery(_ message: UnsafePointer<rd_kafka_message_t>) {
        let content = message.pointee
        switch content.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: return
        default: break
        }
        failedDeliveries += 1
        if failures.count >= Self.keptFailures { return }
        let name = content.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        let partition = TopicPartition(name, content.partition)
        failures.append(
            DeliveryFailure(
                partition: partition,
                error: KafkaError("delivering a record", content.err, subject: partition.description)))
    }
}

/// The argument vector of `rd_kafka_produceva`, made once and filled in for each record.
private final class ProduceArguments {
    private let vector: UnsafeMutablePointer<rd_kafka_vu_t>
    private static let count = 6

    init() {
        let kinds = [
            RD_KAFKA_VTYPE_RKT, RD_KAFKA_VTYPE_PARTITION, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_VTYPE_KEY,
            RD_KAFKA_VTYPE_VALUE, RD_KAFKA_VTYPE_TIMESTAMP, RD_KAFKA_VTYPE_HEADERS,
        ]
        vector = .allocate(capacity: kinds.count)
        for (index, kind) in kinds.enumerated() {
            var argument = rd_kafka_vu_t()
            argument.vtype = kind
            (vector + index).initialize(to: argument)
        }
        vector[2].u.i = Int32(RD_KAFKA_MSG_F_COPY)
    }

    deinit { vector.deallocate() }

    @inline(__always)
    func set(
        topic: OpaquePointer, partition: Int32, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        timestamp: Int64
    ) {
        vector[0].u.rkt = topic
        vector[1].u.i32 = partition
        vector[3].u.mem = bytes(key)
        vector[4].u.mem = bytes(value)
        vector[5].u.i64 = timestamp
    }

    /// Null has no pointer; empty must have one, whichever.
    @inline(__always)
    private func bytes(_ buffer: UnsafeRawBufferPointer?) -> rd_kafka_vu_s.__Unnamed_union_u.__Unnamed_struct_mem {
        guard let buffer else { return .init(ptr: nil, size: 0) }
        return .init(
            ptr: UnsafeMutableRawPointer(mutating: buffer.baseAddress) ?? UnsafeMutableRawPointer(vector),
            size: buffer.count)
    }

    @inline(__always)
    func produce(_ client: OpaquePointer, headers: OpaquePointer?) -> OpaquePointer? {
        guard let headers else { return rd_kafka_produceva(client, vector, Self.count) }
        vector[Self.count].u.headers = headers
        return rd_kafka_produceva(client, vector, Self.count + 1)
    }
}
