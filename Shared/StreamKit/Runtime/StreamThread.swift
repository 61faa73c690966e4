/// One stream thread: it owns its consumer, its producer, its tasks and their stores, and shares nothing but its status.
///
/// A turn of the loop: restore what is being restored, poll, process what came, commit if it is due. `run` turns until it is
/// asked to stop; tests call `turn` themselves.
public final class StreamThread: AssignmentListener {
    let plan: ThreadPlan
    let number: Int
    let cluster: any Cluster
    let backends: any StoreBackendFactory
    let clock: any Clock
    let log: any RuntimeLog
    public let status: ThreadStatus
    let subtopologies: [Subtopology]

    var consumer: any SourceConsumer
    var producer: any TransactionalProducer
    let output: TaskOutput
    let deadLetters: DeadLetterWriter

    var policy: CommitPolicy
    var machine = TransactionMachine()
    var ledger = OffsetLedger()
    var tasks: [TaskID: StreamTask] = [:]
    /// By source index: the way into the task that reads it.
    var inputs: [SourceInput?] = []
    var restorations: [Restoration] = []
    /// How many steps of the restorations brought nothing, one after the other.
    var quietRestoreSteps = 0
    /// Partitions whose stores are restored, and that are not read yet; and since when there are any.
    var restoredPartitions: [TopicPartition] = []
    var restoredSince: Int64?
    var parked = ParkedStores()
    /// While the culprit of a refused output is looked for: records are processed one to a transaction, up to here.
    var isolation = Isolation()
    /// What went wrong inside a callback of the consumer, to be thrown once the poll has returned.
    var pendingFault: StreamFault?
    /// Repartition topics: up to where the consumed records may be deleted.
    var consumedInternal: [TopicPartition: Int64] = [:]
    var lastPurge: Int64 = 0
    var lastClockTick: Int64 = 0
    var lastStatus: Int64 = 0
    let counters = TransactionCounters()
    var recreations = AttemptLimit.ofProducers()
    /// Inside the revoke callback: nothing is sought, because the partitions are about to go.
    var isRevoking = false
    var isClosed = false

    /// Makes the clients, and settles what an earlier process of the same transactional id left open.
    public init(
        plan: ThreadPlan, number: Int, cluster: any Cluster, backends: any StoreBackendFactory, clock: any Clock,
        log: any RuntimeLog, status: ThreadStatus
    ) throws(StreamFault) {
        self.plan = plan
        self.number = number
        self.cluster = cluster
        self.backends = backends
        self.clock = clock
        self.log = log
        self.status = status
        subtopologies = plan.topology.subtopologies
        policy = CommitPolicy(
            intervalMilliseconds: plan.commitIntervalMilliseconds,
            whenDrainedMilliseconds: plan.commitWhenDrainedMilliseconds, records: plan.commitRecords)
        do throws(BrokerFailure) {
            producer = try cluster.makeProducer(thread: number)
            consumer = try cluster.makeConsumer(thread: number)
            output = TaskOutput(producer, counting: counters.recordsSent)
            // Asked for now, when whoever starts the thread may try again, and not when the group hands out partitions.
            for topic in plan.topology.writtenTopics { _ = try output.target(topic) }
            deadLetters = try DeadLetterWriter(
                plan.deadLetters, output: output, consumer: consumer, clock: clock, correlation: plan.correlation)
            isolation = Isolation()
        } catch {
            throw .broker(error)
        }
        do throws(BrokerFailure) {
            // Joining the group goes on by itself meanwhile; where to begin is asked for by the first poll that finds partitions
            // assigned, when nothing of an earlier process is open any more.
            try consumer.subscribe(subtopologies.flatMap(\.sourceTopics), listener: self)
            try Self.initialize(producer)
        } catch {
            consumer.close()
            producer.close()
            throw .broker(error)
        }
    }

    static func initialize(
        _ producer: any TransactionalProducer, whenTriedAgain: () -> Void = {}
    ) throws(BrokerFailure) {
        // Retried here only a few times: whoever calls decides whether to wait longer for a broker that is away.
        for _ in 0..<5 {
            do throws(BrokerFailure) { return try producer.initialize() } catch {
                if error.response != .retry { throw error }
                whenTriedAgain()
            }
        }
        try producer.initialize()
    }

    /// Turns until asked to stop, then commits, leaves the group and closes everything.
    public func run() throws(StreamFault) {
        do throws(StreamFault) {
            while !status.isStopRequested { try turn() }
            status.update { $0.state = .stopping }
            try close()
            status.update { $0.state = .stopped }
        } catch {
            status.update {
                $0.state = .failed
                $0.reason = error.text
            }
            abandon()
            throw error
        }
    }

    /// One turn of the loop; returns how many records it took.
    @discardableResult
    public func turn() throws(StreamFault) -> Int {
        try restoreStep()
        let wait =
            restorations.isEmpty
            ? policy.pollTimeout(now: clock.monotonicMilliseconds, idle: plan.pollIdleMilliseconds) : 0
        let maximum = isolation.isActive ? 1 : plan.pollRecordsMax
        let batch: PolledBatch
        do throws(BrokerFailure) {
            batch = try consumer.poll(timeoutMilliseconds: Int32(clamping: wait), maximum: maximum)
        } catch {
            guard error.response == .retry else { throw .broker(error) }
            tryAgainLater(error)
            try finishTurn()
            return 0
        }
        defer { consumer.release() }
        if let fault = pendingFault {
            pendingFault = nil
            throw fault
        }
        let isWhole = !batch.interrupted && batch.lostPositions.isEmpty
        if !batch.lostPositions.isEmpty {
            try positionsLost(batch.lostPositions)
        } else if batch.interrupted {
            try seekToLedger()
        } else {
            try take(batch, maximum: maximum)
        }
        try finishTurn()
        return isWhole ? batch.records.count : 0
    }

    private func finishTurn() throws(StreamFault) {
        try tick()
        let now = clock.monotonicMilliseconds
        // A step may write without a record, because time passed or its task has just begun.
        if output.isOpen { policy.opened(now: now) }
        if policy.isDue(now: now) || isolation.isActive && output.isOpen { try commit() }
        publish(fully: false)
    }

    private func take(_ batch: PolledBatch, maximum: Int) throws(StreamFault) {
        let now = clock.monotonicMilliseconds
        policy.polled(batch.records.count, drained: batch.records.count < maximum && !isBehind, now: now)
        if !batch.records.isEmpty {
            let wall = clock.nowMilliseconds
            for task in tasks.values { task.time.clock(nowMilliseconds: wall) }
            deadLetters.clock(nowMilliseconds: wall)
            do throws(StreamFault) {
                do throws(BrokerFailure) { try openTransaction() } catch { throw .broker(error) }
                try process(batch.records)
            } catch {
                if case .outputRefused(let reason) = error {
                    try outputRefused(reason)
                } else {
                    try transactionFailed(error)
                }
            }
        }
        for source in batch.reachedEnd where ledger[source] != nil {
            if let input = inputs[Int(source)] { input.time.reachedEnd(input.timeIndex) }
        }
    }

    /// Whether much is left to read: a poll that came back short has only outrun the fetching, and committing early would cost
    /// throughput. Little left may be records of a transaction that is still open, or its marker; then latency counts.
    private var isBehind: Bool {
        var left: Int64 = 0
        for (source, entry) in ledger.assigned {
            left += max(0, (consumer.knownEnd(of: source) ?? entry.next) - entry.next)
            if left > Self.behindRecords { return true }
        }
        return false
    }

    private static let behindRecords: Int64 = 2000

    /// Pushes records through their tasks. What a record itself is to blame for becomes a dead letter.
    private func process(_ records: UnsafeBufferPointer<Record>) throws(StreamFault) {
        // Records of a partition come in runs, and what leads into its task is looked up once for each.
        var index = 0
        while index < records.count {
            let source = records[index].origin.source
            var end = index + 1
            while end < records.count, records[end].origin.source == source { end += 1 }
            let run = UnsafeBufferPointer(rebasing: records[index..<end])
            index = end
            if inputs.indices.contains(Int(source)), let input = inputs[Int(source)] {
                input.time.begin(input.timeIndex)
                try process(run, of: source, input)
            }
        }
    }

    /// Pushes records of one partition through its task.
    private func process(
        _ run: UnsafeBufferPointer<Record>, of source: Int32, _ input: SourceInput
    ) throws(StreamFault) {
        // `input` owns it.
        let head = Uncounted(input.head)
        let recordsRead = counters.recordsRead
        for record in run {
            guard ledger.note(source, offset: record.origin.offset) else { continue }
            recordsRead.count()
            do throws(StreamFault) {
                if let reason = isolation.reason(against: source, record.origin.offset) {
                    tellOfCulprit(record, of: input.partition, reason)
                    throw .refused(Refusal("OUTPUT_REFUSED", reason))
                }
                try head.with { (head) throws(StreamFault) in try head.process(record) }
            } catch {
                switch error {
                case .refused(let refusal):
                    try deadLetters.write(refusal, of: record, from: input.partition)
                case .outputRefused(let reason):
                    isolation.found(source, record.origin.offset, reason: reason)
                    throw error
                case .broker, .store:
                    throw error
                }
            }
        }
    }

    /// Lets time pass in the tasks, about every 100 ms.
    private func tick() throws(StreamFault) {
        let now = clock.monotonicMilliseconds
        if now - lastClockTick < 100 { return }
        lastClockTick = now
        let wall = clock.nowMilliseconds
        deadLetters.clock(nowMilliseconds: wall)
        do throws(StreamFault) {
            for task in tasks.values where task.isRunning {
                task.time.clock(nowMilliseconds: wall)
                for processor in task.processors { try processor.clockAdvanced(nowMilliseconds: wall) }
            }
        } catch {
            try transactionFailed(error)
        }
        // What a step wrote to a store because time passed is to be committed too.
        if tasks.values.contains(where: \.hasPendingWrites) { policy.opened(now: now) }
        parked.closeOlder(than: now - plan.parkedStoreMilliseconds)
    }

    /// Lets others see where the thread stands; the details only once a second, unless `fully`.
    package func publish(fully: Bool) {
        let now = clock.monotonicMilliseconds
        let state: ThreadStatus.State =
            tasks.isEmpty && status.snapshot.rebalances == 0 ? .starting : restorations.isEmpty ? .running : .restoring
        let full = fully || now - lastStatus >= 1000
        if full { lastStatus = now }
        status.update { snapshot in
            snapshot.state = state
            snapshot.lastTurnMilliseconds = now
            snapshot.recordsRead = counters.recordsRead.committed
            snapshot.recordsPending = counters.recordsRead.pending
            snapshot.recordsSent = counters.recordsSent.committed
            snapshot.deadLetters = deadLetters.counts
            snapshot.restoreRemaining = Dictionary(
                restorations.map { ($0.task, $0.remainingCount) }, uniquingKeysWith: { first, _ in first })
            if full { describe(in: &snapshot) }
        }
    }

    private func describe(in snapshot: inout ThreadStatus.Snapshot) {
        snapshot.partitions = [:]
        for (source, entry) in ledger.assigned {
            guard let input = inputs[Int(source)] else { continue }
            let watermark = input.time.watermark(input.timeIndex)
            snapshot.partitions[input.partition] = ThreadStatus.Partition(
                nextOffset: entry.start,
                watermarkMilliseconds: watermark == TaskTime.none ? nil : watermark)
        }
        snapshot.stores = [:]
        for task in tasks.values {
            for store in task.stores {
                let name = ThreadStatus.StoreName(
                    name: store.definition.name, partition: store.changelog.partition)
                snapshot.stores[name] = ThreadStatus.Store(
                    entries: store.backend.entryCount, bytes: store.backend.byteCount)
            }
        }
        snapshot.counters = counters.committedOfSteps
    }

    /// Commits, leaves the group, frees everything.
    private func close() throws(StreamFault) {
        try commit()
        abandon()
    }

    /// Leaves the group and frees everything without committing: the broker aborts what is open once the next producer of
    /// this id comes.
    private func abandon() {
        if isClosed { return }
        isClosed = true
        for id in Array(tasks.keys) { closeTask(id, park: false) }
        consumer.close()
        parked.closeOlder(than: .max)
        producer.close()
    }
}

extension StreamFault {
    /// For the log and for people.
    public var text: String {
        switch self {
        case .refused(let refusal): "\(refusal.type): \(refusal.message)"
        case .outputRefused(let reason): reason
        case .broker(let failure): "\(failure)"
        case .store(let failure): "store: \(failure)"
        }
    }
}
