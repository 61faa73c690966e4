public import StreamKit

/// A Kafka cluster in memory: topics, transactions and consumer groups that behave as the runtime's ports promise, without
/// threads, sockets or randomness, so that a test repeats exactly.
///
/// A test sees it from both sides: as whoever writes the input and reads the output (`append`, `records`), and, through
/// `client`, as one process of an application, with faults of that process's own.
///
/// Time is the manual clock's. A transaction that is open for longer than `transactionTimeoutMilliseconds` is aborted and
/// its producer fenced. Members of groups are lost only when a test says so (`endSession`).
public final class InMemoryCluster: @unchecked Sendable {  // single-threaded by contract; the ports ask for Sendable
    public let clock: ManualClock
    public var transactionTimeoutMilliseconds: Int64 = 15_000
    /// How long a client waits for an answer before it gives up and reports a failure that may be retried.
    public var requestTimeoutMilliseconds: Int64 = 5_000

    private var logs: [String: [PartitionLog]] = [:]
    private var maximumBytes: [String: Int] = [:]
    var groups: [String: ConsumerGroup] = [:]
    private var transactions: [String: TransactionState] = [:]

    /// What the coordinator knows of a transactional id.
    private struct TransactionState {
        var epoch = 0
        var openedAt: Int64?
        var partitions: Set<TopicPartition> = []
        var offsets: [String: [TopicPartition: CommittedOffset]] = [:]
    }

    public init(clock: ManualClock = ManualClock()) { self.clock = clock }

    /// A process of an application: `application` is the consumer group, `instance` distinguishes replicas. Transactional ids are
    /// `<application>-<instance>-<thread>`. With `isStatic` its group members keep their place over a restart.
    public func client(
        application: String, instance: String = "0", isStatic: Bool = false, faults: FaultPlan = FaultPlan()
    ) -> InMemoryClient {
        InMemoryClient(
            cluster: self, application: application, instance: instance, isStatic: isStatic, faults: faults)
    }

    // MARK: Topics

    /// Creates a topic; one that exists stays as it is. Larger records than `maximumRecordBytes` are refused.
    public func createTopic(_ name: String, partitions: Int32 = 1, maximumRecordBytes: Int? = nil) {
        if let maximumRecordBytes { maximumBytes[name] = maximumRecordBytes }
        if logs[name] != nil { return }
        logs[name] = (0..<max(1, partitions)).map { PartitionLog(TopicPartition(name, $0)) }
        for group in groups.values { group.topicAppeared(name) }
    }

    /// Deletes a topic with everything in it.
    public func deleteTopic(_ name: String) { logs[name] = nil }

    public var topics: [String] { logs.keys.sorted() }
    public func partitionCount(of topic: String) -> Int32? { logs[topic].map { Int32($0.count) } }

    /// Appends a record, as a producer outside of any transaction does; without a partition it goes where Kafka's Java clients
    /// put its key, or to partition 0. The topic is created if it does not exist. Returns where it stands.
    @discardableResult
    public func append(
        to topic: String, key: [UInt8]?, value: [UInt8]?, timestampMilliseconds: Int64? = nil, headers: [Header] = [],
        partition: Int32? = nil
    ) -> StoredRecord {
        createTopic(topic)
        let count = partitionCount(of: topic) ?? 1
        let chosen = partition ?? key.map { $0.withUnsafeBytes { Murmur2.partition(of: $0, among: count) } } ?? 0
        precondition((0..<count).contains(chosen), "\(topic) has no partition \(chosen)")
        let time = timestampMilliseconds ?? clock.nowMilliseconds
        let offset = change(TopicPartition(topic, chosen)) { log in
            log.append(key: key, value: value, timestampMilliseconds: time, headers: headers, transaction: nil)
        }
        return StoredRecord(
            partition: TopicPartition(topic, chosen), offset: offset ?? 0, key: key, value: value,
            timestampMilliseconds: time, headers: headers)
    }

    @discardableResult
    public func append(
        to topic: String, key: String?, _ value: String?, timestampMilliseconds: Int64? = nil, headers: [Header] = [],
        partition: Int32? = nil
    ) -> StoredRecord {
        append(
            to: topic, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) },
            timestampMilliseconds: timestampMilliseconds, headers: headers, partition: partition)
    }

    public enum Isolation: Sendable { case readCommitted, readUncommitted }

    /// Everything in a topic, partition after partition, in the order of the offsets.
    public func records(in topic: String, isolation: Isolation = .readCommitted) -> [StoredRecord] {
        abortExpired()
        return (logs[topic] ?? []).flatMap { log in
            isolation == .readCommitted ? log.read(from: log.start, maximum: .max).records : log.everything
        }
    }

    /// The first offset of a partition and its high watermark, or its last stable offset.
    public func bounds(of partition: TopicPartition, stable: Bool = false) -> OffsetBounds? {
        abortExpired()
        return log(partition).map { OffsetBounds(first: $0.start, end: stable ? $0.stableEnd : $0.end) }
    }

    /// Deletes records as retention does.
    public func deleteRecords(of partition: TopicPartition, before offset: Int64) {
        change(partition) { $0.deleteRecords(before: offset) }
    }

    /// Keeps the last record of each key, as the log cleaner does for compacted topics.
    public func compact(_ topic: String) {
        for index in (logs[topic] ?? []).indices { logs[topic]?[index].compact() }
    }

    // MARK: Groups

    /// What a group has committed for a partition.
    public func committed(_ group: String, _ partition: TopicPartition) -> CommittedOffset? {
        groups[group]?.offsets[partition]
    }

    /// Commits for a group as an administrator does.
    public func commit(_ offset: CommittedOffset, of partition: TopicPartition, for group: String) {
        self.group(group).offsets[partition] = offset
    }

    /// A member was silent for too long, its process stopped or dead: the group goes on without it, and it hears of that with
    /// its next poll.
    public func endSession(application: String, instance: String = "0", thread: Int = 0) {
        groups[application]?.evict(instance: instance, thread: thread)
    }

    /// What each member of a group reads, by `instance-thread`.
    public func assignments(of group: String) -> [String: [TopicPartition]] {
        groups[group]?.assignments ?? [:]
    }

    // MARK: Transactions

    /// The transactional ids with an open transaction.
    public var openTransactions: [String] {
        abortExpired()
        return transactions.filter { $0.value.openedAt != nil }.keys.sorted()
    }

    // MARK: For the clients

    func log(_ partition: TopicPartition) -> PartitionLog? {
        guard let log = logs[partition.topic], log.indices.contains(Int(partition.partition)) else { return nil }
        return log[Int(partition.partition)]
    }

    func maximumRecordBytes(of topic: String) -> Int { maximumBytes[topic] ?? .max }

    func group(_ name: String) -> ConsumerGroup {
        if let group = groups[name] { return group }
        let group = ConsumerGroup { [unowned self] topic in partitionCount(of: topic) ?? 0 }
        groups[name] = group
        return group
    }

    /// Offsets that transactions have pending for these partitions: a stable read waits for them.
    func hasPendingOffsets(_ group: String, _ partitions: [TopicPartition]) -> Bool {
        abortExpired()
        return transactions.values.contains { state in
            guard let offsets = state.offsets[group] else { return false }
            return partitions.contains { offsets[$0] != nil }
        }
    }

    /// A new producer of this id: what the one before left open is aborted, and it is fenced. Returns the epoch.
    func initialize(_ id: String) -> Int {
        finish(id, committed: false)
        transactions[id, default: TransactionState()].epoch += 1
        return transactions[id]?.epoch ?? 0
    }

    /// False: a later producer has taken over.
    func isCurrent(_ id: String, _ epoch: Int) -> Bool {
        abortExpired()
        return transactions[id]?.epoch == epoch
    }

    func isOpen(_ id: String) -> Bool { transactions[id]?.openedAt != nil }

    /// Nothing of a transaction reaches the broker before its first record or offset.
    private func open(_ id: String) {
        if transactions[id]?.openedAt == nil { transactions[id]?.openedAt = clock.monotonicMilliseconds }
    }

    func append(_ id: String, to partition: TopicPartition, _ record: StoredRecord) {
        open(id)
        transactions[id]?.partitions.insert(partition)
        change(partition) { log in
            log.append(
                key: record.key, value: record.value, timestampMilliseconds: record.timestampMilliseconds,
                headers: record.headers, transaction: id)
        }
    }

    func addOffsets(_ id: String, _ offsets: [TopicPartition: CommittedOffset], group: String) {
        open(id)
        transactions[id]?.offsets[group, default: [:]].merge(offsets) { _, new in new }
    }

    /// Ends what is open: markers in every partition that it wrote to, offsets made visible or dropped.
    func finish(_ id: String, committed: Bool) {
        guard let state = transactions[id], state.openedAt != nil else { return }
        for partition in state.partitions.sorted() {
            change(partition) { $0.end(transaction: id, committed: committed) }
        }
        if committed {
            for (name, offsets) in state.offsets { group(name).offsets.merge(offsets) { _, new in new } }
        }
        transactions[id]?.openedAt = nil
        transactions[id]?.partitions = []
        transactions[id]?.offsets = [:]
    }

    private func abortExpired() {
        for (id, state) in transactions {
            guard let openedAt = state.openedAt,
                clock.monotonicMilliseconds - openedAt > transactionTimeoutMilliseconds
            else { continue }
            finish(id, committed: false)
            transactions[id]?.epoch += 1
        }
    }

    @discardableResult
    private func change<Result>(_ partition: TopicPartition, _ body: (inout PartitionLog) -> Result) -> Result? {
        let index = Int(partition.partition)
        guard let count = logs[partition.topic]?.count, (0..<count).contains(index) else { return nil }
        return logs[partition.topic].map { _ in body(&logs[partition.topic, default: []][index]) }
    }
}
