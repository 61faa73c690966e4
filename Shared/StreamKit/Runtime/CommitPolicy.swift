/// When the open transaction is committed.
///
/// A transaction opens with the first record and is committed `interval` later; once nothing is left to read, already
/// `whenDrained` after it was opened; and as soon as it holds `records`. While nothing is read, nothing is open.
public struct CommitPolicy: Sendable {
    public let intervalMilliseconds: Int64
    public let whenDrainedMilliseconds: Int64
    public let records: Int

    private var openedAt: Int64?
    private var recordsSinceOpened = 0
    private var isDrained = true

    public init(intervalMilliseconds: Int64, whenDrainedMilliseconds: Int64, records: Int = .max) {
        self.intervalMilliseconds = intervalMilliseconds
        self.whenDrainedMilliseconds = min(whenDrainedMilliseconds, intervalMilliseconds)
        self.records = records
    }

    /// A poll brought `count` records; `drained` if there were no more at that moment.
    public mutating func polled(_ count: Int, drained: Bool, now: Int64) {
        isDrained = drained
        if count > 0 { opened(now: now) }
        recordsSinceOpened += count
    }

    /// Something is to be committed that no record of this poll brought (a window that time closed).
    public mutating func opened(now: Int64) { if openedAt == nil { openedAt = now } }

    /// The transaction ended, either way.
    public mutating func closed() {
        openedAt = nil
        recordsSinceOpened = 0
    }

    public func isDue(now: Int64) -> Bool {
        guard let deadline else { return false }
        return now >= deadline || recordsSinceOpened >= records
    }

    /// How long a poll may wait for records: until the commit is due, or as long as `idle` says.
    public func pollTimeout(now: Int64, idle: Int64) -> Int64 {
        guard let deadline else { return idle }
        return max(0, min(idle, deadline - now))
    }

    private var deadline: Int64? {
        openedAt.map { $0 + (isDrained ? whenDrainedMilliseconds : intervalMilliseconds) }
    }
}
