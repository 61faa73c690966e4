/// What a processor may use of its task.
public final class ProcessorContext {
    public let application: String
    /// The step's name in the topology.
    public let name: String
    public let task: TaskID
    public let clock: any Clock
    /// The thread's way to write records, dead letters among them.
    public let output: TaskOutput
    /// What the task knows about time.
    public let time: TaskTime
    /// The partitions of the topics that feed the task's repartition topics; their tasks report how far event time has come.
    public let upstream: [TopicPartition]
    private let counters: TransactionCounters
    private let reader: any SourceConsumer
    private let stores: [String: StoreAccess]
    /// By output number: what comes after this step there.
    let outputs: [Processor?]

    init(
        application: String, name: String, task: TaskID, clock: any Clock, output: TaskOutput,
        counters: TransactionCounters, time: TaskTime, upstream: [TopicPartition], reader: any SourceConsumer,
        stores: [String: StoreAccess], outputs: [Processor?]
    ) {
        self.application = application
        self.name = name
        self.task = task
        self.clock = clock
        self.output = output
        self.counters = counters
        self.time = time
        self.upstream = upstream
        self.reader = reader
        self.stores = stores
        self.outputs = outputs
    }

    /// The headers of a record, decoded now; to be asked only where they are needed.
    public func headers(of record: Record) -> [Header] {
        record.origin.headers.address == nil ? [] : reader.headers(of: record.origin.headers)
    }

    /// What people should see of a step, by a name from a closed set (`passed_unknown_old`, say): the same counter for every
    /// task of the thread.
    public func counter(_ name: String) -> TransactionCounter { counters.step(name) }

    /// A store that the step was declared with.
    public func store(_ name: String) -> KeyValueStore {
        guard case .keyValue(let store)? = stores[name] else { wrong("store", name) }
        return store
    }

    /// A store that the step was declared with, and whose entries expire.
    public func expiringStore(_ name: String) -> ExpiringStore {
        guard case .expiring(let store)? = stores[name] else { wrong("expiring store", name) }
        return store
    }

    private func wrong(_ kind: String, _ name: String) -> Never {
        preconditionFailure("the step \(self.name) was declared without the \(kind) \(name)")  // a programmer's error
    }
}

/// A task: one sub-topology on one partition number.
public struct TaskID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let subtopology: Int
    public let partition: Int32

    public init(subtopology: Int, partition: Int32) {
        self.subtopology = subtopology
        self.partition = partition
    }

    public var description: String { "\(subtopology)_\(partition)" }

    public static func < (left: TaskID, right: TaskID) -> Bool {
        (left.subtopology, left.partition) < (right.subtopology, right.partition)
    }
}
