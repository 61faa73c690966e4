/// How a repartition topic carries, beside its records, how far event time has come in the partitions that feed it.
public struct EventTimeReporting: Hashable, Sendable {
    /// A source partition is told of again when its watermark passes the next multiple of this: what can change nothing costs
    /// nothing.
    public var step: Duration
    /// A source partition counts as idle when it was read to its end and brought nothing for so long.
    public var idle: Duration

    public init(step: Duration, idle: Duration = .seconds(60)) {
        self.step = step
        self.idle = idle
    }

    /// A number that grows by one with each step; nil before the first watermark.
    func number(watermark: Int64) -> Int64? {
        if watermark == TaskTime.none { return nil }
        let step = max(1, step.wholeMilliseconds)
        return watermark / step - (watermark % step < 0 ? 1 : 0)
    }
}

/// Tells all partitions of a repartition topic how far event time has come in the source partitions of a task.
///
/// What is told goes into the transaction of the records that brought it about, after all of them: who reads it has read them.
struct EventTimeReporter {
    private let time: TaskTime
    private let shuffle: ShuffleWriter
    private let idleMilliseconds: Int64
    /// What has to change before a watermark is told again: the number of windows that it closes, say.
    private let number: (_ watermark: Int64) -> Int64?
    /// By source partition: what was last told of it.
    private var told: [TopicPartition: Told] = [:]

    private struct Told: Equatable {
        var number: Int64?
        var isIdle: Bool
    }

    init(
        _ context: ProcessorContext, _ shuffle: ShuffleWriter, idle: Duration,
        number: @escaping (_ watermark: Int64) -> Int64?
    ) {
        time = context.time
        self.shuffle = shuffle
        idleMilliseconds = idle.wholeMilliseconds
        self.number = number
    }

    init(_ context: ProcessorContext, _ shuffle: ShuffleWriter, _ reporting: EventTimeReporting) {
        self.init(context, shuffle, idle: reporting.idle) { reporting.number(watermark: $0) }
    }

    mutating func beforeCommit() throws(StreamFault) {
        // A partition without a watermark has nothing to tell until it is idle.
        try tellChanges { _, watermark, _ in watermark != TaskTime.none }
    }

    mutating func clockAdvanced() throws(StreamFault) {
        try tellChanges { told, _, isIdle in isIdle && told?.isIdle != true }
    }

    /// What was told in the transaction was not heard.
    mutating func aborted() { told.removeAll() }

    /// Tells of the source partitions that satisfy the condition whose watermark has come on, that fell idle or returned, or of
    /// which this process has told nothing yet.
    private mutating func tellChanges(
        where isDue: (_ told: Told?, _ watermark: Int64, _ isIdle: Bool) -> Bool
    ) throws(StreamFault) {
        let quiet = time.quietMilliseconds
        for (index, (partition, watermark)) in time.watermarks.enumerated() {
            // One that brought something and was read to its end again is not idle before the time has passed anew.
            let isIdle = (quiet[index].milliseconds ?? -1) >= idleMilliseconds
            let known = Told(number: number(watermark), isIdle: isIdle)
            if known == told[partition] || !isDue(told[partition], watermark, isIdle) { continue }
            try shuffle.broadcast(EventTimeReport(source: partition, watermark: watermark, isIdle: isIdle))
            told[partition] = known
        }
    }
}
