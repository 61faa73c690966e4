/// One sub-topology on one partition number: its processors, stores and time. Owned by one thread.
final class StreamTask {
    let id: TaskID
    let time: TaskTime
    let processors: [Processor]
    let stores: [TaskStore]
    let inputs: [SourceInput]
    /// False until its stores are restored: its partitions are paused until then.
    var isRunning = false

    init(id: TaskID, time: TaskTime, processors: [Processor], stores: [TaskStore], inputs: [SourceInput]) {
        self.id = id
        self.time = time
        self.processors = processors
        self.stores = stores
        self.inputs = inputs
    }

    func start() throws(StreamFault) {
        isRunning = true
        for processor in processors { try processor.started() }
    }

    /// A step wrote to a store since the last commit.
    var hasPendingWrites: Bool { stores.contains { $0.backend.pendingCount > 0 } }

    func beforeCommit() throws(StreamFault) { for processor in processors { try processor.beforeCommit() } }

    func writeChangelogs(to output: TaskOutput) throws(StreamFault) {
        for store in stores { try store.writeChangelog(to: output, time) }
    }

    func committed() throws(StoreFailure) {
        for store in stores { try store.committed() }
        time.committed()
        for processor in processors { processor.committed() }
    }

    func aborted() throws(StoreFailure) {
        for store in stores { try store.aborted() }
        time.aborted()
        for processor in processors { processor.aborted() }
    }
}

/// A source partition of a task: the way in.
final class SourceInput {
    let source: Int32
    let partition: TopicPartition
    let head: Processor
    let timeIndex: Int
    let task: TaskID
    let time: TaskTime
    /// A repartition topic's: what was consumed is deleted.
    let isInternal: Bool

    init(
        source: Int32, partition: TopicPartition, head: Processor, timeIndex: Int, task: TaskID, time: TaskTime,
        isInternal: Bool
    ) {
        self.source = source
        self.partition = partition
        self.head = head
        self.timeIndex = timeIndex
        self.task = task
        self.time = time
        self.isInternal = isInternal
    }
}
