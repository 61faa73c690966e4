import JSON

/// What an aggregation over windows is.
public struct WindowedAggregation: Sendable {
    public var windows: TumblingWindows
    public var functions: [AggregateFunction]
    /// Whether late records go to an output of their own (number 1) instead of the dead letters.
    public var forwardsLate = false
    /// A source partition counts as idle when it was read to its end and brought nothing for so long.
    public var idle = Duration.seconds(60)
    /// Once all are idle, event time goes on with the wall clock.
    public var advancesWhenAllIdle = false

    public init(windows: TumblingWindows, functions: [AggregateFunction]) {
        self.windows = windows
        self.functions = functions
    }
}

/// The first half of an aggregation, before the shuffle: sums what a transaction's records amount to for each group and
/// window, and sends that, and how far event time has come, through the repartition topic.
///
/// Lateness is judged here, against the record's own partition: it depends on that partition's content alone, so a replay
/// or another interleaving of partitions gives the same answer.
final class PartialAggregation: Processor {
    private let aggregation: WindowedAggregation
    private let reader: any EventReader
    private let row: EventRow
    private let shuffle: ShuffleWriter
    private var groups: GroupTable
    /// By source partition: what was last told of it.
    private var told: [TopicPartition: Told] = [:]
    private let lateRecords: TransactionCounter

    private struct Told: Equatable {
        var closedCount: Int64?
        var isIdle: Bool
    }

    init(
        _ context: ProcessorContext, _ aggregation: WindowedAggregation, reader: any EventReader,
        shuffle: ShuffleWriter
    ) {
        self.aggregation = aggregation
        self.reader = reader
        self.shuffle = shuffle
        groups = GroupTable(aggregation.functions)
        row = EventRow(operandCount: aggregation.functions.count)
        lateRecords = context.counter("late")
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        do { try reader.read(record, into: row) } catch { throw .refused(error) }
        let start = aggregation.windows.start(of: row.eventTimeMilliseconds)
        if aggregation.windows.isClosed(windowAt: start, watermark: context.time.watermarkMilliseconds) {
            return try late(record, windowAt: start)
        }
        context.time.observe(eventTimeMilliseconds: row.eventTimeMilliseconds)
        for operand in row.operands where !Aggregates.isInRange(operand) {
            throw .refused(
                Refusal(
                    "AGGREGATE_RANGE",
                    "\(operand) cannot be aggregated: at most 14 digits before the point and 12 after it"))
        }
        do {
            try groups.take(
                row, windowStart: start, source: record.origin.source, offset: record.origin.offset)
        } catch {
            throw .refused(Refusal("AGGREGATE_RANGE", "\(error)"))
        }
    }

    private func late(_ record: Record, windowAt start: Int64) throws(StreamFault) {
        lateRecords.count()
        if aggregation.forwardsLate { return try forward(record, to: 1) }
        let end = Instant(millisecondsSinceEpoch: aggregation.windows.end(ofWindowAt: start))
        let watermark = Instant(millisecondsSinceEpoch: context.time.watermarkMilliseconds)
        throw .refused(
            Refusal(
                "LATE",
                "its window ended at \(end); the watermark of its partition, \(watermark), is more than "
                    + "\(aggregation.windows.graceMilliseconds / 1000) s past that"))
    }

    override func beforeCommit() throws(StreamFault) {
        let sources = context.time.sources
        for (index, group) in groups.all.enumerated() {
            guard let source = sources.first(where: { $0.source == group.source }) else { continue }
            try shuffle.send(
                .partial(
                    ShuffleRecord.Partial(
                        windowStart: group.windowStart, source: source.partition, firstOffset: group.firstOffset,
                        lastOffset: group.lastOffset, count: group.count,
                        aggregates: groups.aggregates(ofGroupAt: index))), key: groups.key(of: group))
        }
        groups.removeAll()
        // A partition without a watermark has nothing to tell until it is idle.
        try tellChanges { _, watermark, _ in watermark != TaskTime.none }
    }

    override func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) {
        try tellChanges { partition, _, isIdle in isIdle && told[partition]?.isIdle != true }
    }

    /// Tells of the source partitions that satisfy the condition whose watermark can close another window, that fell idle or
    /// returned, or of which this process has told nothing yet.
    private func tellChanges(
        where isDue: (_ partition: TopicPartition, _ watermark: Int64, _ isIdle: Bool) -> Bool
    ) throws(StreamFault) {
        let idle = aggregation.idle.wholeMilliseconds
        let quiet = context.time.quietMilliseconds
        for (index, (partition, watermark)) in context.time.watermarks.enumerated() {
            // One that brought something and was read to its end again is not idle before the time has passed anew.
            let isIdle = (quiet[index].milliseconds ?? -1) >= idle
            let known = Told(closedCount: aggregation.windows.closedCount(watermark: watermark), isIdle: isIdle)
            if known == told[partition] || !isDue(partition, watermark, isIdle) { continue }
            try shuffle.broadcast(
                .progress(ShuffleRecord.Progress(source: partition, watermark: watermark, isIdle: isIdle)))
            told[partition] = known
        }
    }

    override func aborted() {
        groups.removeAll()
        // What was told in it was not heard.
        told.removeAll()
    }
}

/// Writes to the repartition topic of an aggregation.
public final class ShuffleWriter {
    private let output: TaskOutput
    private let target: Int32
    private var value: [UInt8] = []

    init(_ output: TaskOutput, target: Int32) {
        self.output = output
        self.target = target
    }

    func send(_ record: ShuffleRecord, key: [UInt8]) throws(StreamFault) {
        record.encode(into: &value)
        let partition = key.withUnsafeBytes { Murmur2.partition(of: $0, among: output.partitionCount(target)) }
        try send(key: key, partition: partition)
    }

    func broadcast(_ record: ShuffleRecord) throws(StreamFault) {
        record.encode(into: &value)
        for partition in 0..<output.partitionCount(target) { try send(key: nil, partition: partition) }
    }

    private func send(key: [UInt8]?, partition: Int32) throws(StreamFault) {
        do throws(SendFailure) {
            try value.withBytes { (value) throws(SendFailure) in
                guard let key else { return try send(nil, value, partition) }
                try key.withBytes { (key) throws(SendFailure) in try send(key, value, partition) }
            }
        } catch {
            switch error {
            case .failed(let failure): throw .broker(failure)
            case .refused(let reason):
                throw .broker(BrokerFailure(.stop, operation: "write to a repartition topic", reason: reason))
            }
        }
    }

    private func send(_ key: Bytes?, _ value: Bytes, _ partition: Int32) throws(SendFailure) {
        try output.send(to: target, partition: partition, key: key, value: value, timestampMilliseconds: -1)
    }
}
