public import JSON

/// A window's values for one group, when they are emitted.
public struct WindowResult {
    public let key: Bytes
    public let windowStartMilliseconds: Int64
    public let windowEndMilliseconds: Int64
    /// One for each function; nil where a minimum or maximum has taken nothing.
    public let values: [Decimal?]
    /// The window is closed: nothing follows for it.
    public let isFinal: Bool
    /// The wall clock as the task has it.
    public let nowMilliseconds: Int64
}

/// When windows are emitted.
public enum WindowEmission: String, Sendable, CaseIterable {
    /// Once, when the window closes.
    case final
    /// At every commit that changed it, and once more when it closes.
    case updates
}

/// The second half of an aggregation, after the shuffle: adds up the partial sums and closes windows.
///
/// A window closes at the least watermark of all source partitions that are not idle; one not yet heard of holds it. What
/// comes for a closed window (a partition was idle and returned) becomes a `LATE` dead letter that names the offsets it stands
/// for.
final class WindowCombine: Processor {
    private let aggregation: WindowedAggregation
    private let emission: WindowEmission
    private let write: (WindowResult, OutputBuffer) -> Void
    private let store: KeyValueStore
    private let value = OutputBuffer()
    private var encoded: [UInt8] = []
    private var progress: EventTimeProgress
    private var windows = OpenWindows()
    /// Windows changed since the last commit.
    private var touched: Set<WindowKey> = []
    private var needsReload = true
    private let latePartials: TransactionCounter

    init(
        _ context: ProcessorContext, _ aggregation: WindowedAggregation, emission: WindowEmission, store: String,
        write: @escaping (WindowResult, OutputBuffer) -> Void
    ) {
        self.aggregation = aggregation
        self.emission = emission
        self.write = write
        self.store = context.store(store)
        progress = EventTimeProgress(expected: context.upstream)
        latePartials = context.counter("late_partial")
        super.init(context)
    }

    override func started() throws(StreamFault) { try reload() }

    override func aborted() {
        needsReload = true
        touched.removeAll()
    }

    override func process(_ record: Record) throws(StreamFault) {
        if needsReload { try reload() }
        let shuffled: ShuffleRecord
        do {
            shuffled = try ShuffleRecord(record.value, functionCount: aggregation.functions.count)
        } catch {
            throw .broker(
                BrokerFailure(
                    .stop, operation: "read \(context.time.currentPartition) offset \(record.origin.offset)",
                    reason: "not a record of this program's aggregation (\(error)); was the aggregation changed? "
                        + "Give the application another name, or reset it"))
        }
        switch shuffled {
        case .report(let report):
            if try progress.take(report, savingTo: store) { try closeWindows() }
        case .partial(let partial):
            try take(partial, key: record.key.map(Array.init) ?? [])
        }
    }

    private func take(_ partial: PartialAggregate, key: [UInt8]) throws(StreamFault) {
        let window = WindowKey(start: partial.windowStart, key: key)
        if aggregation.windows.isClosed(windowAt: window.start, watermark: progress.combined) {
            latePartials.count()
            throw .refused(late(partial))
        }
        var aggregates = try stored(window) ?? Aggregates(aggregation.functions)
        do { try aggregates.combine(partial.aggregates, aggregation.functions) } catch {
            throw .refused(Refusal("AGGREGATE_RANGE", "\(error)", details: [standsFor(partial)]))
        }
        encoded.removeAll(keepingCapacity: true)
        aggregates.encode(into: &encoded)
        try store.put(window.bytes, encoded)
        windows.insert(window)
        if emission == .updates { touched.insert(window) }
    }

    private func late(_ partial: PartialAggregate) -> Refusal {
        let end = Instant(millisecondsSinceEpoch: aggregation.windows.end(ofWindowAt: partial.windowStart))
        return Refusal(
            "LATE",
            "\(partial.count) records of \(partial.source), offsets \(partial.firstOffset) to \(partial.lastOffset), for the "
                + "window that ended at \(end), which was closed while their partition was idle",
            details: [standsFor(partial)])
    }

    private func standsFor(_ partial: PartialAggregate) -> (name: String, json: String) {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key("topic")
        writer.string(partial.source.topic)
        writer.key("partition")
        writer.integer(Int64(partial.source.partition))
        writer.key("first_offset")
        writer.integer(partial.firstOffset)
        writer.key("last_offset")
        writer.integer(partial.lastOffset)
        writer.key("records")
        writer.integer(partial.count)
        writer.endObject()
        return ("stands_for", String(decoding: output.bytes, as: UTF8.self))
    }

    override func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) {
        guard aggregation.advancesWhenAllIdle, !windows.isEmpty || needsReload else { return }
        if needsReload { try reload() }
        if progress.advanceIdle(nowMilliseconds: nowMilliseconds) { try closeWindows() }
    }

    override func beforeCommit() throws(StreamFault) {
        for window in touched.sorted() {
            if let aggregates = try stored(window) { try emit(window, aggregates, isFinal: false) }
        }
        touched.removeAll()
    }

    /// Emits and forgets the windows that the combined watermark has passed.
    private func closeWindows() throws(StreamFault) {
        let closing = windows.removeAll { aggregation.windows.isClosed(windowAt: $0, watermark: progress.combined) }
        if closing.isEmpty { return }
        try progress.saveCombined(to: store)
        for window in closing {
            if let aggregates = try stored(window) { try emit(window, aggregates, isFinal: true) }
            touched.remove(window)
            try window.bytes.withBytes { (key) throws(StreamFault) in try store.remove(key) }
        }
    }

    private func emit(_ window: WindowKey, _ aggregates: Aggregates, isFinal: Bool) throws(StreamFault) {
        let end = aggregation.windows.end(ofWindowAt: window.start)
        try window.key.withBytes { (key) throws(StreamFault) in
            value.removeAll()
            write(
                WindowResult(
                    key: key, windowStartMilliseconds: window.start, windowEndMilliseconds: end,
                    values: aggregates.values, isFinal: isFinal, nowMilliseconds: context.time.nowMilliseconds), value)
            let origin = Origin(
                source: -1, offset: -1, key: nil, value: nil, timestampMilliseconds: end, headers: .none)
            try forward(Record(key: key, value: value.bytes, timestampMilliseconds: end, origin: origin))
        }
    }

    // MARK: The store

    private func stored(_ window: WindowKey) throws(StreamFault) -> Aggregates? {
        try window.bytes.withBytes { (key) throws(StreamFault) in
            guard let bytes = try store.get(key) else { return nil }
            var reader = ByteReader(bytes)
            return Aggregates(&reader, count: aggregation.functions.count)
        }
    }

    private func reload() throws(StreamFault) {
        windows = OpenWindows()
        progress = EventTimeProgress(expected: context.upstream)
        try store.scan(prefix: Bytes(start: nil, count: 0)) { key, value in
            if let window = WindowKey(key) { windows.insert(window) } else { progress.load(key, value) }
            return true
        }
        needsReload = false
    }
}

/// A window of a group.
struct WindowKey: Hashable, Comparable {
    let start: Int64
    let key: [UInt8]

    static let kind: UInt8 = 1

    init(start: Int64, key: [UInt8]) {
        self.start = start
        self.key = key
    }

    /// Reads the store's form; nil for keys of other kinds.
    init?(_ bytes: Bytes) {
        guard bytes.count >= 9, bytes[0] == Self.kind else { return nil }
        let ordered = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
        start = Int64(bitPattern: ordered ^ 1 << 63)
        key = Array(bytes[9...])
    }

    /// The store's form: in order of time.
    var bytes: [UInt8] {
        var bytes = [Self.kind]
        withUnsafeBytes(of: (UInt64(bitPattern: start) ^ 1 << 63).bigEndian) { bytes.append(contentsOf: $0) }
        return bytes + key
    }

    static func < (left: WindowKey, right: WindowKey) -> Bool {
        left.start == right.start ? left.key.lexicographicallyPrecedes(right.key) : left.start < right.start
    }
}

/// The windows that are not closed, by their start, so that closing looks at those that close and no others.
struct OpenWindows {
    private var byStart: [Int64: Set<WindowKey>] = [:]

    var isEmpty: Bool { byStart.isEmpty }

    mutating func insert(_ window: WindowKey) { byStart[window.start, default: []].insert(window) }

    /// Takes out those whose start fulfils the condition, in order of time and key.
    mutating func removeAll(where isClosed: (Int64) -> Bool) -> [WindowKey] {
        let starts = byStart.keys.filter(isClosed)
        return starts.flatMap { byStart.removeValue(forKey: $0) ?? [] }.sorted()
    }
}
