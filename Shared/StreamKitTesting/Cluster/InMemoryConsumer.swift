import StreamKit

/// A member of a consumer group in memory.
///
/// As unkind as a real one may be: records that were gathered before a rebalance are handed over all the same, with
/// `interrupted` set and the positions moved on, and the bytes of a batch are overwritten once it is released.
final class InMemoryConsumer: SourceConsumer {
    private let client: InMemoryClient
    private let thread: Int
    private var cluster: InMemoryCluster { client.cluster }
    private var group: ConsumerGroup { cluster.group(client.application) }
    private var faults: FaultPlan { client.faults }

    private var topics: [String] = []
    private var member: ConsumerGroup.Member?
    private weak var listener: (any AssignmentListener)?
    private var positions = ReadPositions()
    private var memory: BatchMemory?
    private var isClosed = false

    init(_ client: InMemoryClient, thread: Int) {
        self.client = client
        self.thread = thread
    }

    func subscribe(_ topics: [String], listener: any AssignmentListener) throws(BrokerFailure) {
        try faults.call(.subscribe) {
            self.topics = topics
            self.listener = listener
        }
    }

    // MARK: Reading

    func poll(timeoutMilliseconds: Int32, maximum: Int) throws(BrokerFailure) -> PolledBatch {
        precondition(memory == nil, "the records of the poll before were not released")
        return try faults.call(.poll) { () throws(BrokerFailure) in
            if member?.state == .fenced {
                throw BrokerFailure(.stop, operation: "poll", reason: "another process has this member's instance id")
            }
            let fetched = positions.fetch(
                from: cluster, maximum: maximum, atOnce: client.recordsPerPartitionAtOnce)
            let interrupted = takePartInGroup()
            if fetched.isEmpty && !interrupted { cluster.clock.advance(milliseconds: Int64(timeoutMilliseconds)) }
            let memory = BatchMemory(fetched.records)
            self.memory = memory
            return PolledBatch(
                records: memory.batch, interrupted: interrupted, reachedEnd: fetched.reachedEnd,
                lostPositions: fetched.lost)
        }
    }

    /// One step of the group protocol, if there is one to take.
    private func takePartInGroup() -> Bool {
        guard let member else {
            self.member = group.join(
                instance: client.instance, thread: thread, isStatic: client.isStatic, topics: topics)
            return deliver()
        }
        if member.state == .expired {
            self.member = nil
            giveUp(member, lost: true)
            return true
        }
        if group.mustRejoin(member) {
            giveUp(member, lost: false)
            group.rejoin(member)
            return true
        }
        return deliver()
    }

    private func deliver() -> Bool {
        guard let member, group.hasNews(for: member) else { return false }
        member.hasHeard = true
        listener?.partitionsAssigned(member.assignment)
        return true
    }

    private func giveUp(_ member: ConsumerGroup.Member, lost: Bool) {
        if member.hasHeard { listener?.partitionsRevoked(member.assignment, lost: lost) }
        positions.assign([])
    }

    func release() { memory = nil }
    func index(of partition: TopicPartition) -> Int32 { positions.index(of: partition) }
    func partition(at index: Int32) -> TopicPartition { positions.partition(at: index) }
    func headers(of reference: HeaderReference) -> [Header] { BatchMemory.headers(of: reference) }

    func assign(_ starts: [StartOffset]) throws(BrokerFailure) {
        try faults.call(.assign) { positions.assign(starts) }
    }

    func unassign() throws(BrokerFailure) { try faults.call(.unassign) { positions.assign([]) } }

    func seek(_ starts: [(partition: TopicPartition, offset: Int64)]) throws(BrokerFailure) {
        try faults.call(.seek) { () throws(BrokerFailure) in
            for start in starts { try positions.seek(start.partition, to: start.offset) }
        }
    }

    func pause(_ partitions: [TopicPartition]) throws(BrokerFailure) {
        try faults.call(.pause) { () throws(BrokerFailure) in
            for partition in partitions { try positions.setPaused(true, partition) }
        }
    }

    func resume(_ partitions: [TopicPartition]) throws(BrokerFailure) {
        try faults.call(.resume) { () throws(BrokerFailure) in
            for partition in partitions { try positions.setPaused(false, partition) }
        }
    }

    // MARK: Offsets

    func committed(_ partitions: [TopicPartition]) throws(BrokerFailure) -> [TopicPartition: CommittedOffset] {
        try faults.call(.committed) { () throws(BrokerFailure) in
            let deadline = cluster.clock.monotonicMilliseconds + cluster.requestTimeoutMilliseconds
            while cluster.hasPendingOffsets(client.application, partitions) {
                if cluster.clock.monotonicMilliseconds >= deadline {
                    throw BrokerFailure(
                        .retry, operation: "read committed offsets", reason: "a transaction has some pending")
                }
                cluster.clock.advance(milliseconds: 100)
            }
            return group.offsets.filter { partitions.contains($0.key) }
        }
    }

    func bounds(of partition: TopicPartition, stable: Bool) throws(BrokerFailure) -> OffsetBounds {
        try faults.call(.bounds) { () throws(BrokerFailure) in try cluster.known(partition, stable: stable) }
    }

    func knownEnd(of source: Int32) -> Int64? {
        do throws(BrokerFailure) { return try cluster.known(partition(at: source), stable: false).end } catch {
            return nil
        }
    }

    func partitionCount(of topic: String) throws(BrokerFailure) -> Int32? {
        try faults.call(.partitionCount) { cluster.partitionCount(of: topic) }
    }

    /// May this consumer's offsets be committed? A broker refuses those of a member that the group has gone on without.
    func validate() throws(BrokerFailure) {
        guard let member, group.accepts(member) else {
            throw BrokerFailure(.abort, operation: "send offsets", reason: "the group has gone on without this member")
        }
    }

    func close() {
        if isClosed { return }
        isClosed = true
        if let member, !faults.isCrashed {
            if member.state == .member { giveUp(member, lost: false) }
            group.leave(member)
        }
        memory = nil
    }
}

extension InMemoryCluster {
    func known(_ partition: TopicPartition, stable: Bool) throws(BrokerFailure) -> OffsetBounds {
        guard let bounds = bounds(of: partition, stable: stable) else {
            throw BrokerFailure(.stop, operation: "ask for the offsets of \(partition)", reason: "it does not exist")
        }
        return bounds
    }
}
