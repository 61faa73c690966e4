internal import Kafka
internal import StreamKit

/// A stream thread's consumer on the Kafka room.
final class KafkaSourceConsumer: SourceConsumer, RebalanceListener {
    private let consumer: KafkaConsumer
    private let cluster: KafkaCluster
    private let records: PolledRecords
    private weak var listener: (any AssignmentListener)?
    private var current: GroupMetadata?
    private var timeout: Duration { cluster.settings.requestTimeout }

    init(_ cluster: KafkaCluster, _ configuration: consuming KafkaConfiguration) throws(BrokerFailure) {
        self.cluster = cluster
        records = PolledRecords(log: cluster.settings.log)
        do throws(KafkaError) {
            consumer = try KafkaConsumer(
                configuration, observer: cluster.observer, maximumBatch: PolledRecords.maximumBatch)
        } catch {
            throw BrokerFailure(.stop, operation: "make a consumer", reason: error.reason)
        }
        consumer.rebalanceListener = self
    }

    func subscribe(_ topics: [String], listener: any AssignmentListener) throws(BrokerFailure) {
        self.listener = listener
        try attempt("subscribe to \(topics.joined(separator: ", "))") { () throws(KafkaError) in
            try consumer.subscribe(to: topics)
        }
    }

    func poll(timeoutMilliseconds: Int32, maximum: Int) throws(BrokerFailure) -> PolledBatch {
        try records.poll(consumer, timeoutMilliseconds: timeoutMilliseconds, maximum: maximum)
    }

    func release() { records.release() }

    func index(of partition: StreamKit.TopicPartition) -> Int32 {
        Int32(truncatingIfNeeded: consumer.index(of: Kafka.TopicPartition(partition)))
    }

    func partition(at index: Int32) -> StreamKit.TopicPartition {
        StreamKit.TopicPartition(consumer.topicPartition(at: Int(index)))
    }

    func headers(of reference: HeaderReference) -> [Header] {
        guard let address = reference.address else { return [] }
        var headers: [Header] = []
        RecordHeaders(address: address).forEach { name, value in
            headers.append(Header(String(decoding: name, as: UTF8.self), value.map { Array($0) }))
        }
        return headers
    }

    func assign(_ starts: [StartOffset]) throws(BrokerFailure) {
        try ask("take partitions") { () throws(KafkaError) in try consumer.assign(starts) }
    }

    func unassign() throws(BrokerFailure) {
        try ask("give up partitions") { () throws(KafkaError) in try consumer.assign([:]) }
    }

    func seek(_ starts: [(partition: StreamKit.TopicPartition, offset: Int64)]) throws(BrokerFailure) {
        var positions: [Kafka.TopicPartition: ReadPosition] = [:]
        for start in starts { positions[Kafka.TopicPartition(start.partition)] = .offset(start.offset) }
        try ask("seek") { () throws(KafkaError) in try consumer.seek(positions, timeout: timeout) }
    }

    func pause(_ partitions: [StreamKit.TopicPartition]) throws(BrokerFailure) {
        try ask("pause partitions") { () throws(KafkaError) in
            try consumer.pause(partitions.map { Kafka.TopicPartition($0) })
        }
    }

    func resume(_ partitions: [StreamKit.TopicPartition]) throws(BrokerFailure) {
        try ask("resume partitions") { () throws(KafkaError) in
            try consumer.resume(partitions.map { Kafka.TopicPartition($0) })
        }
    }

    func committed(
        _ partitions: [StreamKit.TopicPartition]
    ) throws(BrokerFailure) -> [StreamKit.TopicPartition: StreamKit.CommittedOffset] {
        let found = try ask("ask for committed offsets") { () throws(KafkaError) in
            try consumer.committed(partitions.map { Kafka.TopicPartition($0) }, timeout: timeout)
        }
        var committed: [StreamKit.TopicPartition: StreamKit.CommittedOffset] = [:]
        for (partition, offset) in found {
            committed[StreamKit.TopicPartition(partition)] = StreamKit.CommittedOffset(
                offset: offset.offset, metadata: offset.metadata)
        }
        return committed
    }

    func bounds(of partition: StreamKit.TopicPartition, stable: Bool) throws(BrokerFailure) -> OffsetBounds {
        try cluster.bounds(of: partition, stable: stable)
    }

    func knownEnd(of source: Int32) -> Int64? {
        consumer.cachedOffsetRange(of: consumer.topicPartition(at: Int(source)))?.upperBound
    }

    func partitionCount(of topic: String) throws(BrokerFailure) -> Int32? {
        try cluster.partitionCounts(of: [topic])[topic]
    }

    func close() {
        records.release()
        do throws(KafkaError) {
            // Half of what a service has for its end.
            if try consumer.close(timeout: .seconds(5)) { return }
            cluster.settings.log.log(
                .warning, "the group was not left within 5 s; it gives this member up by itself", [])
        } catch {
            cluster.settings.log.log(.warning, "closing the consumer failed", [("error", error.description)])
        }
    }

    /// Runs a call of the consumer. One that librdkafka has given up answers everything with some error or other: a new one takes
    /// its place, instead of the call being made again and again.
    private func ask<Result: ~Copyable>(
        _ operation: String, _ body: () throws(KafkaError) -> Result
    ) throws(BrokerFailure) -> Result {
        do throws(KafkaError) { return try body() } catch {
            if let fatal = consumer.fatalError { throw PolledRecords.ended(fatal) }
            throw BrokerFailure(error, operation)
        }
    }

    /// For the producer: this member's place in the group (its id, the generation) when the present partitions were assigned.
    ///
    /// Never its place now: a member that the group has gone on without is told so only by the next poll, and until then the
    /// library names it with no member id. Should it leave the generation out too (-1), brokers would take it for an administrator and
    /// check nothing: its transaction would commit although others have its partitions.
    func membership() throws(BrokerFailure) -> GroupMetadata {
        guard let current else {
            throw BrokerFailure(.abort, operation: "commit offsets", reason: "this member has no assignment")
        }
        return current
    }

    // MARK: Rebalance

    func partitionsAssigned(_ partitions: [Kafka.TopicPartition], to consumer: KafkaConsumer) {
        do throws(KafkaError) { current = try consumer.groupMetadata() } catch {
            current = nil
            cluster.settings.log.log(.warning, "the group's generation is not known", [("error", error.description)])
        }
        listener?.partitionsAssigned(partitions.map { StreamKit.TopicPartition($0) })
    }

    func partitionsRevoked(_ partitions: [Kafka.TopicPartition], lost: Bool, from consumer: KafkaConsumer) {
        listener?.partitionsRevoked(partitions.map { StreamKit.TopicPartition($0) }, lost: lost)
        current = nil
    }
}

extension KafkaConsumer {
    func assign(_ starts: [StartOffset]) throws(KafkaError) {
        var positions: [Kafka.TopicPartition: ReadPosition] = [:]
        for start in starts { positions[Kafka.TopicPartition(start.partition)] = .offset(start.offset) }
        try assign(positions, paused: Set(starts.filter(\.paused).map { Kafka.TopicPartition($0.partition) }))
    }
}
