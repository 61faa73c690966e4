internal import CLibrdkafka
internal import Glibc

/// Asks a cluster about itself and changes it. Every call waits for its answer, at most for its time-out.
// Sendable: librdkafka's handles may be used by several threads, and nothing here changes after init.
public final class KafkaAdmin: @unchecked Sendable {
    let handle: KafkaClientHandle
    private let committedReader: KafkaClientHandle

    /// - Parameter configuration: the connection's properties; others do no harm. With access control, `group.id` should be a
    ///   group that may be described.
    public init(
        _ configuration: consuming KafkaConfiguration, observer: KafkaClientObserver = KafkaClientObserver()
    ) throws(KafkaError) {
        // A client's isolation level decides which end of a partition it is told: one handle for each.
        let committed = configuration.copy()
        rd_kafka_conf_set(committed.pointer, "isolation.level", "read_committed", nil, 0)
        rd_kafka_conf_set(configuration.pointer, "isolation.level", "read_uncommitted", nil, 0)
        let hasGroup = configuration.value(of: "group.id") != nil
        // Only where they are set: librdkafka warns of a producer's property even if it is set to nothing.
        var unwanted: [String] = []
        for name in ["group.instance.id", "transactional.id"] {
            if let value = configuration.value(of: name), !value.isEmpty { unwanted.append(name) }
        }
        for pointer in [committed.pointer, configuration.pointer] {
            for name in unwanted { rd_kafka_conf_set(pointer, name, nil, nil, 0) }
            // It joins no group. But librdkafka 2.0.2 dereferences its own group when a coordinator of another one has moved,
            // and dies if it has none.
            if !hasGroup { rd_kafka_conf_set(pointer, "group.id", "streamkit-admin", nil, 0) }
        }
        handle = try KafkaClientHandle(.consumer, configuration, observer)
        committedReader = try KafkaClientHandle(.consumer, committed, observer)
    }

    // MARK: Offsets

    public enum OffsetKind: Sendable {
        /// The first offset that is still there.
        case earliest
        /// The high watermark: the end of all records, of open transactions too.
        case latest
        /// The last stable offset: the end for readers of committed records.
        case latestCommitted
        /// The first record with this timestamp (milliseconds since 1970) or a later one; the end if there is none.
        case timestamp(Int64)
    }

    /// One offset for each of these partitions.
    public func offsets(
        _ kind: OffsetKind, of partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        if partitions.isEmpty { return [:] }
        let operation = "asking for offsets"
        var reader = handle.pointer
        let code: Int64
        switch kind {
        case .earliest: code = Int64(RD_KAFKA_OFFSET_BEGINNING)
        case .latest: code = Int64(RD_KAFKA_OFFSET_END)
        case .latestCommitted:
            code = Int64(RD_KAFKA_OFFSET_END)
            reader = committedReader.pointer
        case .timestamp(let milliseconds): code = max(0, milliseconds)
        }
        let list = PartitionList(capacity: partitions.count)
        for partition in partitions { list.add(partition, offset: code) }
        try check(
            rd_kafka_offsets_for_times(reader, list.pointer, timeout.timeoutMilliseconds), operation,
            subject: partitions.map(\.description).joined(separator: ", "))
        var found: [TopicPartition: Int64] = [:]
        for element in list.pointer.elements {
            try check(element.err, operation, subject: element.topicPartition.description)
            found[element.topicPartition] = element.offset
        }
        if case .timestamp = kind {
            let beyond = found.filter { $0.value < 0 }.map(\.key)
            found.merge(try offsets(.latest, of: beyond, timeout: timeout)) { $1 }
        }
        return found
    }

    /// All topics of the cluster, internal ones too; or those asked for that exist.
    ///
    /// - Throws: where no broker would have this client, with the reason: wrong credentials, a certificate that is not trusted.
    public func topics(
        _ names: [String]? = nil, timeout: Duration
    ) throws(KafkaError) -> [String: TopicMetadata] {
        // What was said before now does not count.
        rd_kafka_poll(handle.pointer, 0)
        _ = handle.context.takeRefusal()
        do throws(KafkaError) {
            return try TopicMetadata.read(handle.pointer, topics: names, timeout: timeout)
        } catch {
            rd_kafka_poll(handle.pointer, 0)
            guard error.code.leavesOutcomeUnknown, let refusal = handle.context.takeRefusal() else { throw error }
            throw KafkaError(error.operation, refusal.code, message: refusal.reason)
        }
    }

    /// The cluster's id; nil if no broker answered in time.
    public func clusterId(timeout: Duration) -> String? {
        guard let text = rd_kafka_clusterid(handle.pointer, timeout.timeoutMilliseconds) else { return nil }
        defer { rd_kafka_mem_free(handle.pointer, text) }
        return String(cString: text)
    }

    // MARK: Requests

    /// Runs one request of the admin API and waits for its event; the answer is valid within `read`.
    func request<Answer>(
        _ operation: String, _ api: rd_kafka_admin_op_t, timeout: Duration, subject: String? = nil,
        options configure: (OpaquePointer) -> Void = { _ in },
        send: (_ options: OpaquePointer, _ queue: OpaquePointer) -> Void,
        read: (OpaquePointer) throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        let options: OpaquePointer = rd_kafka_AdminOptions_new(handle.pointer, api)
        defer { rd_kafka_AdminOptions_destroy(options) }
        let milliseconds = max(1, timeout.timeoutMilliseconds)
        rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, nil, 0)
        switch api {
        case RD_KAFKA_ADMIN_OP_CREATETOPICS, RD_KAFKA_ADMIN_OP_DELETETOPICS, RD_KAFKA_ADMIN_OP_DELETERECORDS,
            RD_KAFKA_ADMIN_OP_CREATEPARTITIONS:
            rd_kafka_AdminOptions_set_operation_timeout(options, milliseconds, nil, 0)
        default: break
        }
        configure(options)
        let queue: OpaquePointer = rd_kafka_queue_new(handle.pointer)
        defer { rd_kafka_queue_destroy(queue) }
        // librdkafka always answers, with a time-out at the latest: the second on top is for its own delay.
        let deadline = ContinuousClock.now + timeout
        while true {
            send(options, queue)
            do {
                return try answer(queue, operation, subject, before: deadline + .seconds(1), read)
            } catch {
                // A coordinator that is being found or is loading its log: librdkafka hands that on.
                guard error.code.meansCoordinatorIsMoving, ContinuousClock.now < deadline else { throw error }
                usleep(50_000)
            }
        }
    }

    private func answer<Answer>(
        _ queue: OpaquePointer, _ operation: String, _ subject: String?, before deadline: ContinuousClock.Instant,
        _ read: (OpaquePointer) throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw KafkaError(operation, RD_KAFKA_RESP_ERR__TIMED_OUT, subject: subject) }
            guard let event = rd_kafka_queue_poll(queue, left.timeoutMilliseconds) else { continue }
            defer { rd_kafka_event_destroy(event) }
            let code = rd_kafka_event_error(event)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                let message = rd_kafka_event_error_string(event).map { String(cString: $0) }
                throw KafkaError(operation, code, subject: subject, message: message)
            }
            return try read(event)
        }
    }
}
