/// What a stream thread is to do, the same for every thread of an application.
public struct ThreadPlan: Sendable {
    public enum LostOffsets: String, Sendable, CaseIterable {
        /// Stop: a person decides what to do about records that were deleted before they were read.
        case stop
        /// Go on with the earliest record that there is.
        case earliest
    }

    public var topology: Topology
    public var commitIntervalMilliseconds: Int64 = 100
    public var commitWhenDrainedMilliseconds: Int64 = 100
    public var commitRecords: Int = .max
    public var deadLetters: DeadLetterSettings
    public var correlation = CorrelationMode.keep
    public var onLostOffsets = LostOffsets.stop
    /// Records taken in one poll.
    public var pollRecordsMax = 1000
    /// Milliseconds that a poll waits when nothing is due: how soon a stop is noticed.
    public var pollIdleMilliseconds: Int64 = 100
    /// How long a store of a partition that went elsewhere is kept, in case it comes back.
    public var parkedStoreMilliseconds: Int64 = 600_000

    public init(topology: Topology, deadLetters: DeadLetterSettings) {
        self.topology = topology
        self.deadLetters = deadLetters
    }
}

/// Where refused records go.
public struct DeadLetterSettings: Sendable {
    public var sink: SinkDefinition
    /// The service's name, said in the headers as the stage that refused a record.
    public var stage: String
    /// Members of the dead letter that are copied from the refused record where that can be read: the name they get, and the
    /// field they are read from (`attempted_order_id` from `order_id`).
    public var copiedFields: [(name: String, field: String)]
    /// A dead letter's greatest size; an original that would not fit is cut.
    public var recordBytesMax: Int

    public init(
        sink: SinkDefinition, stage: String, copiedFields: [(name: String, field: String)] = [],
        recordBytesMax: Int = 1_000_000
    ) {
        self.sink = sink
        self.stage = stage
        self.copiedFields = copiedFields
        self.recordBytesMax = recordBytesMax
    }
}
