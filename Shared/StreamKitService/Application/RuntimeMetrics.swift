package import Metrics
internal import StreamKit

/// What the stream threads do, for Prometheus. The names are an interface: a test compares them with the documentation.
package enum RuntimeMetrics {
    static let recordsRead = MetricFamily.counter(
        "streamkit_records_read_total", help: "Records read from input topics, as their transactions are committed.",
        labels: ["thread"])
    static let recordsWritten = MetricFamily.counter(
        "streamkit_records_written_total",
        help: "Records written, changelogs and dead letters among them, as their transactions are committed.",
        labels: ["thread"])
    static let deadLetters = MetricFamily.counter(
        "streamkit_dead_letters_total", help: "Refused records by reason.", labels: ["thread", "reason"])
    static let committed = MetricFamily.counter(
        "streamkit_transactions_committed_total", help: "Transactions committed.", labels: ["thread"])
    static let aborted = MetricFamily.counter(
        "streamkit_transactions_aborted_total", help: "Transactions aborted and done again.", labels: ["thread"])
    static let recreated = MetricFamily.counter(
        "streamkit_producers_recreated_total",
        help: "Producers made anew because the old one was fenced, dead, or its outcome unknown.", labels: ["thread"])
    static let rebalances = MetricFamily.counter(
        "streamkit_rebalances_total", help: "Assignments received from the group.", labels: ["thread"])
    static let commitTime = MetricFamily.counter(
        "streamkit_commit_seconds_total", help: "Time spent committing.", labels: ["thread"], unit: .milliseconds)
    static let commitTimeMax = MetricFamily.gauge(
        "streamkit_commit_seconds_max", help: "The longest commit so far.", labels: ["thread"], unit: .milliseconds)
    static let state = MetricFamily.gauge(
        "streamkit_thread_state", help: "1 for the state that the thread is in.", labels: ["thread", "state"])
    static let restoreRemaining = MetricFamily.gauge(
        "streamkit_restore_remaining_records", help: "Changelog records still to be read.", labels: ["thread"])
    static let position = MetricFamily.gauge(
        "streamkit_committed_offset", help: "The next offset to read, as committed.", labels: ["topic", "partition"])
    static let lag = MetricFamily.gauge(
        "streamkit_lag_records", help: "Offsets between the committed one and the last stable offset.",
        labels: ["topic", "partition"])
    static let watermarkDelay = MetricFamily.gauge(
        "streamkit_watermark_delay_seconds", help: "The wall clock less the partition's watermark.",
        labels: ["topic", "partition"], unit: .milliseconds)
    static let storeEntries = MetricFamily.gauge(
        "streamkit_store_entries", help: "Entries of a store; with rocksdb about.", labels: ["store", "partition"])
    static let storeBytes = MetricFamily.gauge(
        "streamkit_store_bytes", help: "Memory or disk that a store takes.", labels: ["store", "partition"])
    static let events = MetricFamily.counter(
        "streamkit_events_total", help: "What the service's own steps count, as transactions are committed.",
        labels: ["thread", "event"])

    /// What there is, for the documentation's test.
    package static let catalog: [MetricDescriptor] = [
        recordsRead.descriptor, recordsWritten.descriptor, deadLetters.descriptor, committed.descriptor,
        aborted.descriptor, recreated.descriptor, rebalances.descriptor, commitTime.descriptor,
        commitTimeMax.descriptor,
        state.descriptor, restoreRemaining.descriptor, position.descriptor, lag.descriptor, watermarkDelay.descriptor,
        storeEntries.descriptor, storeBytes.descriptor, events.descriptor,
    ]

    /// Registers all; they are filled in whenever metrics are read.
    static func register(
        in registry: MetricsRegistry, statuses: [ThreadStatus], lagProbe: LagProbe, clock: SystemClock
    ) {
        registry.onRead {
            let now = clock.nowMilliseconds
            let ends = lagProbe.ends
            for (number, status) in statuses.enumerated() {
                do {
                    try fill(registry, thread: "\(number)", status.snapshot, ends, now: now)
                } catch {
                    // A label set that clashes cannot be shown; the others are.
                }
            }
        }
    }

    private static func fill(
        _ registry: MetricsRegistry, thread: String, _ snapshot: ThreadStatus.Snapshot,
        _ ends: [TopicPartition: Int64], now: Int64
    ) throws(MetricError) {
        try registry.register(recordsRead, thread).set(to: snapshot.recordsRead)
        try registry.register(recordsWritten, thread).set(to: snapshot.recordsSent)
        for (reason, count) in snapshot.deadLetters {
            try registry.register(deadLetters, thread, reason).set(to: count)
        }
        try registry.register(committed, thread).set(to: snapshot.transactionsCommitted)
        try registry.register(aborted, thread).set(to: snapshot.transactionsAborted)
        try registry.register(recreated, thread).set(to: snapshot.producersRecreated)
        try registry.register(rebalances, thread).set(to: snapshot.rebalances)
        try registry.register(commitTime, thread).set(to: Int(snapshot.commitMillisecondsTotal))
        try registry.register(commitTimeMax, thread).set(to: Int(snapshot.commitMillisecondsMax))
        for state in ThreadStatus.State.allCases {
            try registry.register(Self.state, thread, state.rawValue).set(to: state == snapshot.state ? 1 : 0)
        }
        try registry.register(restoreRemaining, thread).set(
            to: Int(snapshot.restoreRemaining.values.reduce(0, +)))
        for (name, count) in snapshot.counters { try registry.register(events, thread, name).set(to: count) }
        for (partition, progress) in snapshot.partitions {
            let labels = [partition.topic, "\(partition.partition)"]
            try registry.register(position, labels).set(to: Int(progress.nextOffset))
            if let end = ends[partition] {
                try registry.register(lag, labels).set(to: Int(max(0, end - progress.nextOffset)))
            }
            if let watermark = progress.watermarkMilliseconds {
                try registry.register(watermarkDelay, labels).set(to: Int(now - watermark))
            }
        }
        for (name, store) in snapshot.stores {
            let labels = [name.name, "\(name.partition)"]
            try registry.register(storeEntries, labels).set(to: store.entries)
            try registry.register(storeBytes, labels).set(to: store.bytes)
        }
    }
}
