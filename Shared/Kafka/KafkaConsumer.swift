internal import CLibrdkafka

/// Hears of partitions that come and go, within ``KafkaConsumer/poll(timeout:maximum:)`` and on its thread.
public protocol RebalanceListener: AnyObject {
    /// Partitions were assigned (all of them: the protocol is eager). The listener decides where to begin and calls
    /// ``KafkaConsumer/assign(_:paused:)``; if it does not, nothing is read.
    func partitionsAssigned(_ partitions: [TopicPartition], to consumer: KafkaConsumer)

    /// Partitions are about to be given up: called before another member can get them, so what is pending can still be
    /// committed.
    ///
    /// - Parameter lost: they are gone already (the group gave this member up): nothing can be committed any more.
    func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool, from consumer: KafkaConsumer)
}

/// Reads partitions, of a group's assignment or of its own choice. One thread uses it: all methods block at most for the
/// time-out that they are given.
public final class KafkaConsumer {
    let handle: KafkaClientHandle
    private let queue: OpaquePointer
    private let capacity: Int
    private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private var isBatchLent = false
    var nudge: FetchNudge
    private var isClosed = false

    /// Without one, what the group assigns is read from its beginning.
    public weak var rebalanceListener: (any RebalanceListener)?

    // Partitions get small numbers, so that a record carries no name. The cache maps librdkafka's topic and a partition to
    // the number; it is forgotten at each rebalance, since a topic's address may be used again once nobody reads it.
    private var indexes: [TopicPartition: Int] = [:]
    private var known: [TopicPartition] = []
    private var cache: PartitionCache

    /// Where reading began, or was sought to last.
    var startPositions: [TopicPartition: ReadPosition] = [:]
    var pausedPartitions: Set<TopicPartition> = []
    /// Those whose offset turned out not to exist: librdkafka has stopped reading them.
    var lostPositions: Set<TopicPartition> = []
    private var isAssigned = false
    private var rebalances = 0
    private var rebalanceError: KafkaError?

    /// - Parameter maximumBatch: the most that one poll hands out; 1,000 pointers are 8 KB, and more gain nothing.
    public init(
        _ configuration: consuming KafkaConfiguration, observer: KafkaClientObserver = KafkaClientObserver(),
        maximumBatch: Int = 1_000
    ) throws(KafkaError) {
        let nudge = FetchNudge(configuration)
        let handle = try KafkaClientHandle(.consumer, configuration, observer)
        // Without a group id there is no such queue.
        guard let queue = rd_kafka_queue_get_consumer(handle.pointer) else {
            throw KafkaError("making a consumer", RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, message: "group.id is not set")
        }
        rd_kafka_poll_set_consumer(handle.pointer)
        self.handle = handle
        self.queue = queue
        self.nudge = nudge
        capacity = max(1, maximumBatch)
        messages = .allocate(capacity: capacity)
        messages.initialize(repeating: nil, count: capacity)
        cache = PartitionCache()
        handle.context.rebalance = { [unowned self] code, partitions in rebalance(code, partitions) }
    }

    deinit {
        handle.context.rebalance = nil
        rd_kafka_queue_destroy(queue)
        messages.deallocate()
    }

    // MARK: Subscription and assignment

    /// Joins the group for these topics; partitions arrive in a later ``poll(timeout:maximum:)``.
    public func subscribe(to topics: [String]) throws(KafkaError) {
        let list = PartitionList(topics.map { TopicPartition($0, RD_KAFKA_PARTITION_UA) })
        try check(
            rd_kafka_subscribe(handle.pointer, list.pointer), "subscribing", subject: topics.joined(separator: ", "))
    }

    /// Reads these partitions in place of those read so far: a group's assignment, from the listener, or any partitions,
    /// without the group's protocol. Those that are paused bring nothing until they are resumed.
    public func assign(
        _ positions: [TopicPartition: ReadPosition], paused: Set<TopicPartition> = []
    ) throws(KafkaError) {
        cache.forget()
        lostPositions = []
        startPositions = positions
        isAssigned = true
        let list = PartitionList(positions)
        try check(rd_kafka_assign(handle.pointer, list.pointer), "assigning partitions")
        let before = pausedPartitions
        pausedPartitions = paused.intersection(positions.keys)
        if !pausedPartitions.isEmpty { try pause(Array(pausedPartitions)) }
        // Paused in an earlier assignment, a partition would stay so.
        let resumed = before.subtracting(paused).intersection(positions.keys)
        if !resumed.isEmpty { try resume(Array(resumed)) }
    }

    /// The partitions being read.
    public func assignment() throws(KafkaError) -> [TopicPartition] {
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        try check(rd_kafka_assignment(handle.pointer, &list), "asking for the assignment")
        guard let list else { return [] }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        return list.partitions
    }

    /// This member's id in the group; nil before it joined.
    public var memberId: String? {
        guard let text = rd_kafka_memberid(handle.pointer) else { return nil }
        defer { rd_kafka_mem_free(handle.pointer, text) }
        return text.pointee == 0 ? nil : String(cString: text)
    }

    /// The group's generation and this member's place in it: what a transaction commits offsets with.
    public func groupMetadata() throws(KafkaError) -> GroupMetadata {
        guard let pointer = rd_kafka_consumer_group_metadata(handle.pointer) else {
            throw KafkaError("asking for the group's metadata", RD_KAFKA_RESP_ERR__UNKNOWN_GROUP)
        }
        return GroupMetadata(pointer: pointer)
    }

    /// What made this consumer useless, if anything did: it has to be closed and made anew.
    public var fatalError: KafkaError? { handle.fatalError }

    /// Leaves the group (a static member does not: its partitions wait for its return) and ends fetching. Calls the
    /// listener for partitions still held.
    ///
    /// - Returns: whether that was done within the time-out. If not, it goes on in librdkafka's threads.
    @discardableResult
    public func close(timeout: Duration) throws(KafkaError) -> Bool {
        if isClosed { return true }
        isClosed = true
        let closing: OpaquePointer = rd_kafka_queue_new(handle.pointer)
        defer { rd_kafka_queue_destroy(closing) }
        if let error = KafkaError(
            "closing the consumer", taking: rd_kafka_consumer_close_queue(handle.pointer, closing))
        {
            throw error
        }
        let deadline = ContinuousClock.now + timeout
        while rd_kafka_consumer_closed(handle.pointer) == 0 {
            let left = deadline - .now
            if left <= .zero { return false }
            guard let event = rd_kafka_queue_poll(closing, min(left, .milliseconds(100)).timeoutMilliseconds)
            else { continue }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE,
                let partitions = rd_kafka_event_topic_partition_list(event)
            {
                rebalance(rd_kafka_event_error(event), partitions)
            }
            rd_kafka_event_destroy(event)
        }
        return true
    }

    // MARK: Polling

    /// Takes what has been fetched; waits for the first record or event at most `timeout`, for no second one at all.
    ///
    /// - Throws: when partitions could not be taken or given up.
    /// - Precondition: the batch before is gone.
    public func poll(timeout: Duration, maximum: Int = .max) throws(KafkaError) -> RecordBatch {
        precondition(!isBatchLent, "the batch before must go before the next poll")
        let before = rebalances
        let limit = min(max(1, maximum), capacity)
        // A batch call with a time-out would wait until the array is full; and with none it costs less than a first poll
        // for a single message while there is work.
        var count = gather(from: 0, limit)
        if count == 0 && rebalances == before && timeout > .zero {
            let timeout = nudge.isWaking ? min(timeout, FetchNudge.interval) : timeout
            if let first = rd_kafka_consumer_poll(handle.pointer, timeout.timeoutMilliseconds) {
                messages[0] = first
                count = 1 + (limit > 1 && rebalances == before ? gather(from: 1, limit - 1) : 0)
            }
        }
        nudge.polled(handle.pointer, queue, startPositions, count)
        let isRebalanced = rebalances != before
        if isRebalanced { count = try dropStale(count) }
        if let error = rebalanceError {
            rebalanceError = nil
            destroyMessages(count)
            throw error
        }
        isBatchLent = true
        return RecordBatch(messages: messages, consumer: self, count: count, isRebalanced: isRebalanced)
    }

    private func gather(from start: Int, _ limit: Int) -> Int {
        max(0, rd_kafka_consume_batch_queue(queue, 0, messages + start, limit))
    }

    /// What was gathered while partitions changed hands may belong to the old assignment, and which part of it cannot be
    /// told. All of it goes; reading starts once more where the assignment said.
    private func dropStale(_ count: Int) throws(KafkaError) -> Int {
        var again: [TopicPartition: ReadPosition] = [:]
        for index in 0..<count {
            guard let message = messages[index], message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let partition = topicPartition(at: self.index(message))
            if let start = startPositions[partition] { again[partition] = start }
        }
        destroyMessages(count)
        if !again.isEmpty { try seek(again, timeout: .seconds(10)) }
        return 0
    }

    private func destroyMessages(_ count: Int) {
        for index in 0..<count { rd_kafka_message_destroy(messages[index]) }
    }

    func release(_ count: Int) {
        destroyMessages(count)
        isBatchLent = false
    }

    // MARK: Records

    func view(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> ConsumedRecord {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &kind)
        let content = message.pointee
        return ConsumedRecord(
            partitionIndex: index(message), offset: content.offset,
            timestampMilliseconds: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : timestamp,
            key: content.key.map { UnsafeRawBufferPointer(start: $0, count: content.key_len) },
            value: content.payload.map { UnsafeRawBufferPointer(start: $0, count: content.len) },
            headers: RecordHeaders(of: message))
    }

    func event(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> ConsumerEvent {
        let content = message.pointee
        let partition = content.rkt == nil || content.partition < 0 ? nil : index(message)
        let text = String(cString: rd_kafka_message_errstr(message))
        if let partition {
            switch content.err {
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                return .partitionEnd(partitionIndex: partition, offset: content.offset)
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
                lostPositions.insert(topicPartition(at: partition))
                return .offsetOutOfRange(partitionIndex: partition, offset: content.offset, message: text)
            default: break
            }
        }
        let topic = content.rkt.map { String(cString: rd_kafka_topic_name($0)) }
        let subject = partition.map { topicPartition(at: $0).description } ?? topic
        return .failure(
            KafkaError("consuming", content.err, subject: subject, message: text), partitionIndex: partition)
    }

    /// The partition that a record's `partitionIndex` stands for.
    public func topicPartition(at index: Int) -> TopicPartition { known[index] }

    /// The number by which this consumer's records name a partition.
    public func index(of partition: TopicPartition) -> Int {
        if let index = indexes[partition] { return index }
        let index = known.count
        indexes[partition] = index
        known.append(partition)
        return index
    }

    @inline(__always)
    private func index(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Int {
        if let index = cache.index(topic: message.pointee.rkt, partition: message.pointee.partition) { return index }
        return remember(message)
    }

    @inline(never)
    private func remember(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Int {
        let (topic, partition) = (message.pointee.rkt, message.pointee.partition)
        let name = topic.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        let index = index(of: TopicPartition(name, partition))
        cache.remember(topic: topic, partition: partition, index: index)
        return index
    }

    // MARK: Rebalance

    private func rebalance(
        _ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        rebalances += 1
        cache.forget()
        if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            isAssigned = false
            if isClosed {
                // Partitions that the group gave while it was being left: nothing is begun with them.
            } else if let rebalanceListener {
                rebalanceListener.partitionsAssigned(list.partitions, to: self)
            } else {
                takeFromBeginning(list.partitions)
            }
            // librdkafka waits for an answer, even if it is none.
            if !isAssigned { unassign("taking no partitions") }
        } else {
            let lost = rd_kafka_assignment_lost(handle.pointer) != 0
            rebalanceListener?.partitionsRevoked(list.partitions, lost: lost, from: self)
            unassign("giving up partitions")
        }
    }

    private func takeFromBeginning(_ partitions: [TopicPartition]) {
        do throws(KafkaError) {
            try assign(Dictionary(partitions.map { ($0, .beginning) }, uniquingKeysWith: { first, _ in first }))
        } catch {
            if rebalanceError == nil { rebalanceError = error }
        }
    }

    private func unassign(_ operation: String) {
        startPositions = [:]
        lostPositions = []
        noteRebalance(rd_kafka_assign(handle.pointer, nil), operation)
    }

    private func noteRebalance(_ code: rd_kafka_resp_err_t, _ operation: String) {
        if code != RD_KAFKA_RESP_ERR_NO_ERROR && rebalanceError == nil {
            rebalanceError = KafkaError(operation, code)
        }
    }
}

/// A consumer's place in its group at one moment.
public final class GroupMetadata {
    let pointer: OpaquePointer

    init(pointer: OpaquePointer) { self.pointer = pointer }

    deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }
}
