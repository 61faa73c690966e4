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
    private var reporter: EventTimeReporter
    /// Of the record before.
    private var window: (start: Int64, end: Int64) = (0, 0)
    private let lateRecords: TransactionCounter

    init(
        _ context: ProcessorContext, _ aggregation: WindowedAggregation, reader: any EventReader,
        shuffle: ShuffleWriter
    ) {
        self.aggregation = aggregation
        self.reader = reader
        self.shuffle = shuffle
        groups = GroupTable(aggregation.functions)
        row = EventRow(operandCount: aggregation.functions.count)
        let windows = aggregation.windows
        // A watermark is worth telling when it can close another window.
        reporter = EventTimeReporter(context, shuffle, idle: aggregation.idle) { windows.closedCount(watermark: $0) }
        lateRecords = context.counter("late")
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        do { try reader.read(record, into: row) } catch { throw .refused(error) }
        let start = windowStart(of: row.eventTimeMilliseconds)
        if aggregation.windows.isClosed(windowAt: start, watermark: context.time.watermarkMilliseconds) {
            return try late(record, windowAt: start)
        }
        context.time.observe(eventTimeMilliseconds: row.eventTimeMilliseconds)
        for index in row.operands.indices {
            let operand = row.operands[index]
            if Aggregates.isPlainlyBounded(operand) { continue }
            guard let bounded = Aggregates.bounded(operand) else {
                throw .refused(
                    Refusal(
                        "AGGREGATE_RANGE",
                        "\(operand) cannot be aggregated: at most 14 digits before the point and 12 after it"))
            }
            row.operands[index] = bounded
        }
        do {
            try groups.take(
                row, windowStart: start, source: record.origin.source, offset: record.origin.offset)
        } catch {
            throw .refused(Refusal("AGGREGATE_RANGE", "\(error)"))
        }
    }

    /// Nearly always the window of the record before: finding it takes a division.
    private func windowStart(of eventTime: Int64) -> Int64 {
        if eventTime >= window.start && eventTime < window.end { return window.start }
        let start = aggregation.windows.start(of: eventTime)
        window = (start, aggregation.windows.end(ofWindowAt: start))
        return start
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
        for index in 0..<groups.count {
            let group = groups[index]
            guard let source = sources.first(where: { $0.source == group.source }) else { continue }
            try shuffle.send(
                PartialAggregate(
                    windowStart: group.windowStart, source: source.partition, firstOffset: group.firstOffset,
                    lastOffset: group.lastOffset, count: group.count, aggregates: groups.aggregates(ofGroupAt: index)),
                key: groups.key(of: group))
        }
        groups.removeAll()
        try reporter.beforeCommit()
    }

    override func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) { try reporter.clockAdvanced() }

    override func aborted() {
        groups.removeAll()
        reporter.aborted()
    }
}
