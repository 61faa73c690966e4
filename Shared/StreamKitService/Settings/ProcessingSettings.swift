/// How a service processes: threads, transactions, group membership, state, idleness. Keys of the file, all with defaults.
public struct ProcessingSettings: Sendable {
    public enum LostOffsets: String, CaseIterable, Sendable { case stop, earliest }
    public enum StoreBackend: String, CaseIterable, Sendable { case memory, rocksdb }
    public enum Correlation: String, CaseIterable, Sendable { case keep, make, off }

    /// `threads`: stream threads of this instance, 1 to 64, default 1.
    public let threads: Int
    /// `commit.interval`: the longest a transaction stays open, 1 ms to 60 s, default 100 ms.
    public let commitInterval: Duration
    /// `commit.when_drained`: how long after its input is used up a transaction commits, 0 to 60 s, default 100 ms.
    public let commitWhenDrained: Duration
    /// `commit.records`: the most records in a transaction; absent, as many as the interval brings.
    public let commitRecordsMax: Int?
    /// `session_timeout`: after how long without a heartbeat the group goes on without this member, 1 s to 30 min, default 10 s.
    public let sessionTimeout: Duration
    /// `transaction_timeout`: after how long the broker aborts an open transaction, 1 s to 15 min, default 15 s.
    public let transactionTimeout: Duration
    /// `on_lost_offsets`: what to do when a committed offset no longer exists, `stop` (default) or `earliest`.
    public let onLostOffsets: LostOffsets
    /// `store`: where state is kept, `memory` (default) or `rocksdb`.
    public let store: StoreBackend
    /// `correlation`: whether a correlation-id header is kept (default), made, or left out.
    public let correlation: Correlation
    /// `idle_after`: how long an input partition that was read to its end brings nothing until windows no longer wait for it,
    /// 100 ms to 24 h, default 60 s.
    public let idleAfter: Duration

    public init(_ reader: SettingsReader) {
        threads = reader.value("threads", .integer(in: 1...64), default: 1)
        commitInterval = reader.value(
            "commit.interval", .duration(in: .milliseconds(1)...(.seconds(60))), default: .milliseconds(100))
        commitWhenDrained = reader.value(
            "commit.when_drained", .duration(in: .zero...(.seconds(60))), default: .milliseconds(100))
        commitRecordsMax = reader.optional("commit.records", .integer(in: 1...10_000_000))
        sessionTimeout = reader.value(
            "session_timeout", .duration(in: .seconds(1)...(.seconds(1_800))), default: .seconds(10))
        transactionTimeout = reader.value(
            "transaction_timeout", .duration(in: .seconds(1)...(.seconds(900))), default: .seconds(15))
        onLostOffsets = reader.value("on_lost_offsets", .word(LostOffsets.self), default: .stop)
        store = reader.value("store", .word(StoreBackend.self), default: .memory)
        correlation = reader.value("correlation", .word(Correlation.self), default: .keep)
        idleAfter = reader.value(
            "idle_after", .duration(in: .milliseconds(100)...(.seconds(86_400))), default: .seconds(60))
        if transactionTimeout <= commitInterval * 2 {
            reader.problem(
                "transaction_timeout", "must be more than twice commit.interval, or brokers abort what commits late")
        }
    }
}
