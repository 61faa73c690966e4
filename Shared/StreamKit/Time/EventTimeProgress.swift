/// How far event time has come in all the source partitions that feed a sub-topology, as their tasks report it.
struct EventTimeProgress {
    private struct Source {
        var watermark: Int64
        var isIdle: Bool
    }

    private var sources: [TopicPartition: Source?]
    /// Never goes back, whatever a partition that was idle brings.
    private(set) var combined = TaskTime.none
    /// When all sources were first seen idle, for advancing with the clock.
    private var allIdleSince: (milliseconds: Int64, watermark: Int64)?

    init(expected: [TopicPartition]) {
        sources = Dictionary(expected.map { ($0, nil) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes a report; true if with it the combined watermark moved.
    mutating func take(_ report: EventTimeReport, savingTo store: KeyValueStore) throws(StreamFault) -> Bool {
        take(report)
        try store.put(Self.key(report.source), Self.value(report))
        return combine()
    }

    private mutating func take(_ report: EventTimeReport) {
        let known = (sources[report.source] ?? nil)?.watermark ?? TaskTime.none
        sources[report.source] = Source(watermark: max(known, report.watermark), isIdle: report.isIdle)
        if !report.isIdle { allIdleSince = nil }
    }

    /// Takes the sources' least watermark into the combined one; true if that moved. Idle ones hold nothing up: if all are, it is
    /// the greatest, as it would be had that source fallen idle last, whichever did.
    private mutating func combine() -> Bool {
        var least = Int64.max
        var greatest = TaskTime.none
        for source in sources.values {
            guard let source else { return false }
            greatest = max(greatest, source.watermark)
            if source.isIdle { continue }
            if source.watermark == TaskTime.none { return false }
            least = min(least, source.watermark)
        }
        return advance(to: least == .max ? greatest : least)
    }

    /// While all sources are idle, time goes on from the greatest watermark as the clock does.
    mutating func advanceIdle(nowMilliseconds: Int64) -> Bool {
        let all = sources.values.compactMap { $0 }
        guard all.count == sources.count, all.allSatisfy(\.isIdle), let greatest = all.map(\.watermark).max(),
            greatest != TaskTime.none
        else { return false }
        // Where time had gone on before a restart, it goes on from there.
        let since = allIdleSince ?? (nowMilliseconds, max(greatest, combined))
        allIdleSince = since
        let elapsed = max(0, nowMilliseconds &- since.milliseconds)
        return advance(to: since.watermark &+ elapsed)
    }

    private mutating func advance(to watermark: Int64) -> Bool {
        guard watermark != .max, watermark > combined else { return false }
        combined = watermark
        return true
    }

    // MARK: The store's form

    private static let sourceKind: UInt8 = 2
    private static let combinedKind: UInt8 = 3

    private static func key(_ source: TopicPartition) -> [UInt8] {
        var key = [sourceKind]
        key.append(integer: source.partition)
        key.append(text: source.topic)
        return key
    }

    private static func value(_ report: EventTimeReport) -> [UInt8] {
        var value: [UInt8] = []
        value.append(integer: report.watermark)
        value.append(report.isIdle ? 1 : 0)
        return value
    }

    /// What was decided by the combined watermark stays decided after a restart, whatever the partitions' own are by then.
    func saveCombined(to store: KeyValueStore) throws(StreamFault) {
        var value: [UInt8] = []
        value.append(integer: combined)
        try store.put([Self.combinedKind], value)
    }

    /// Takes an entry of the store, if it is one of these.
    mutating func load(_ key: Bytes, _ value: Bytes) {
        var reader = ByteReader(key)
        var content = ByteReader(value)
        switch reader.byte() {
        case Self.sourceKind:
            guard let partition = reader.int32(), let topic = reader.text(), let watermark = content.int64(),
                let idle = content.byte()
            else { return }
            let source = TopicPartition(topic, partition)
            // Of a topic that is no input any more nobody tells again: it would hold the combined watermark for ever.
            guard sources.keys.contains(source) else { return }
            take(EventTimeReport(source: source, watermark: watermark, isIdle: idle == 1))
        case Self.combinedKind: combined = max(combined, content.int64() ?? TaskTime.none)
        default: return
        }
    }
}
