/// Behind a repartition topic: takes out what is told of event time, and lets the records pass to the steps that go by it
/// (`TaskTime.upstreamWatermarkMilliseconds`).
final class UpstreamTime: Processor {
    static let storeFormat = "event-time/1"

    private let store: KeyValueStore
    private var progress: EventTimeProgress
    private var needsReload = true

    init(_ context: ProcessorContext, store: String) {
        self.store = context.store(store)
        progress = EventTimeProgress(expected: context.upstream)
        super.init(context)
    }

    override func started() throws(StreamFault) { try reload() }

    override func aborted() { needsReload = true }

    override func process(_ record: Record) throws(StreamFault) {
        if needsReload { try reload() }
        if record.key != nil { return try forward(record) }
        let report: EventTimeReport
        do { report = try EventTimeReport(record.value) } catch {
            throw .broker(
                BrokerFailure(
                    .stop, operation: "read \(context.time.currentPartition) offset \(record.origin.offset)",
                    reason: "not a report that this version of the program knows (\(error)); run a newer one"))
        }
        if try progress.take(report, savingTo: store) {
            try progress.saveCombined(to: store)
            context.time.upstreamWatermarkMilliseconds = progress.combined
        }
    }

    private func reload() throws(StreamFault) {
        progress = EventTimeProgress(expected: context.upstream)
        try store.scan(prefix: Bytes(start: nil, count: 0)) { key, value in
            progress.load(key, value)
            return true
        }
        context.time.upstreamWatermarkMilliseconds = progress.combined
        needsReload = false
    }
}
