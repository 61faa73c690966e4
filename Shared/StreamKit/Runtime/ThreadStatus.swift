import Synchronization

/// What a thread lets others see: written by it once a batch or less, read by the ops server.
public final class ThreadStatus: Sendable {
    public enum State: String, Sendable, CaseIterable {
        /// Waiting for the broker, for topics, for a place in the group.
        case starting
        case restoring
        case running
        case stopping
        case stopped
        case failed
    }

    public struct Snapshot: Sendable {
        public var state = State.starting
        /// Why, where the state is `failed` or `starting` takes long.
        public var reason = ""
        /// The monotonic clock at the end of the last turn of the loop, or of a call within it that is to be made again: a thread
        /// that hangs shows by it, one that waits for a broker does not.
        public var lastTurnMilliseconds: Int64 = 0
        /// Of committed transactions, as all counts here are that say nothing else.
        public var recordsRead = 0
        /// Read in the open transaction.
        public var recordsPending = 0
        public var recordsSent = 0
        public var deadLetters: [String: Int] = [:]
        public var transactionsCommitted = 0
        public var transactionsAborted = 0
        public var producersRecreated = 0
        public var rebalances = 0
        public var commitMillisecondsTotal: Int64 = 0
        public var commitMillisecondsMax: Int64 = 0
        /// Records that restoring has still to read, by task.
        public var restoreRemaining: [TaskID: Int64] = [:]
        public var partitions: [TopicPartition: Partition] = [:]
        public var stores: [StoreName: Store] = [:]
        /// Counters of the application's own steps, by name.
        public var counters: [String: Int] = [:]
    }

    public struct Partition: Sendable {
        public var nextOffset: Int64 = 0
        /// nil: no event time was seen.
        public var watermarkMilliseconds: Int64?
    }

    public struct StoreName: Hashable, Sendable {
        public let name: String
        public let partition: Int32
    }

    public struct Store: Sendable {
        public var entries: Int
        public var bytes: Int
    }

    private let current = Mutex(Snapshot())
    private let stop = Atomic<Bool>(false)

    public init() {}

    public var snapshot: Snapshot { current.withLock { $0 } }

    func update(_ change: (inout Snapshot) -> Void) {
        current.withLock { snapshot in change(&snapshot) }
    }

    /// Asks the thread to commit what it has and to end.
    public func requestStop() { stop.store(true, ordering: .relaxed) }
    public var isStopRequested: Bool { stop.load(ordering: .relaxed) }
}
