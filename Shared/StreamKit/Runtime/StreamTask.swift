internal import JSON

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
    var hasPendingWrites: Bool { stores.contains { $0.store.backend.pendingCount > 0 } }

    func beforeCommit() throws(StreamFault) { for processor in processors { try processor.beforeCommit() } }

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

/// A store of a task with its changelog partition.
final class TaskStore {
    let store: KeyValueStore
    let changelog: TopicPartition
    /// The changelog's number for `TaskOutput`.
    let target: Int32
    /// The first record of a changelog tells what the entries mean. It is owed until a transaction that holds it is committed.
    var needsDefinition = false
    private var sentDefinition: Changelog.Definition?
    /// Only we write to this partition, and each record takes one offset and each transaction one more for its marker at least,
    /// so counting gives a lower bound; and to read whole values once more changes nothing.
    private var position: ChangelogPosition
    private var writtenCount: Int64 = 0
    private let key = OutputBuffer()
    private let partition: Int32

    init(_ store: KeyValueStore, changelog: TopicPartition, target: Int32) {
        self.store = store
        self.changelog = changelog
        self.target = target
        partition = changelog.partition
        position = store.backend.position ?? ChangelogPosition(offset: 0)
    }

    func restored(to position: ChangelogPosition) throws(StoreFailure) {
        self.position = position
        try store.backend.restored(position)
    }

    /// The transaction's writes, the last value of each key once.
    func writeChangelog(to output: TaskOutput) throws(StreamFault) {
        if store.backend.pendingCount == 0 { return }
        if needsDefinition {
            let definition = Changelog.Definition(format: store.definition.format, identity: .random(in: 0 ... .max))
            try send(Changelog.definitionKey, Array(definition.text.utf8), to: output)
            sentDefinition = definition
        }
        var fault: StreamFault?
        do {
            try store.backend.forEachPending { (entry: Bytes, value: Bytes?) throws(BrokerFailure) in
                if fault != nil { return }
                Changelog.encode(entry, into: key)
                do throws(SendFailure) { try send(key.bytes, value, to: output) } catch { fault = error.fault }
            }
        } catch {
            throw .broker(error)
        }
        if let fault { throw fault }
    }

    private func send(_ key: [UInt8], _ value: [UInt8], to output: TaskOutput) throws(StreamFault) {
        do throws(SendFailure) {
            try key.withBytes { (key) throws(SendFailure) in
                try value.withBytes { (value) throws(SendFailure) in try send(key, value, to: output) }
            }
        } catch {
            throw error.fault
        }
    }

    private func send(_ key: Bytes, _ value: Bytes?, to output: TaskOutput) throws(SendFailure) {
        // Timestamp -1, the producer's clock: retention by old event times would delete what is needed.
        try output.send(
            to: target, partition: partition, key: key, value: value, timestampMilliseconds: -1)
        writtenCount += 1
    }

    func committed() throws(StoreFailure) {
        if writtenCount > 0 { position.offset += writtenCount + 1 }
        writtenCount = 0
        if let sentDefinition {
            needsDefinition = false
            position.identity = sentDefinition.identity
        }
        sentDefinition = nil
        if store.backend.pendingCount > 0 { try store.backend.commit(position) }
    }

    func aborted() throws(StoreFailure) {
        writtenCount = 0
        sentDefinition = nil
        try store.backend.rollback()
    }
}
