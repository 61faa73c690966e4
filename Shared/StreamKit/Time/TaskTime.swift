/// Event time as one task knows it: a watermark for each of its source partitions.
///
/// A partition's watermark is the greatest event time read from it. It is committed with the offset, as its metadata, and so
/// is the same for whoever reads on. An event time too far ahead of the clock moves nothing: one order of the year 2099 must
/// not close every window.
public final class TaskTime {
    /// How far ahead of the wall clock an event time may be and still move the watermark.
    public static let aheadMillisecondsMax: Int64 = 3_600_000

    /// No event time was seen yet.
    public static let none = Int64.min

    private struct Entry {
        var source: Int32
        var partition: TopicPartition
        var committed: Int64
        var watermark: Int64
        /// When its end was reached and nothing came since; nil while records come.
        var endReachedAt: Int64?
    }

    /// By the task's own numbering of its sources. By its address: an array would be counted for each record.
    private var entries = UnsafeMutableBufferPointer<Entry>(start: nil, count: 0)
    private var current = 0
    /// The wall clock as of this batch; reading it for each record would cost as much as scanning one.
    public private(set) var nowMilliseconds: Int64 = 0

    /// How far event time has come in all partitions that feed the task's repartition topic, as their tasks tell it: the least of
    /// their watermarks, without those that are idle (the greatest, if all are). It never goes back; `none` until all were heard of.
    public internal(set) var upstreamWatermarkMilliseconds = TaskTime.none

    package init() {}

    deinit {
        entries.deinitialize()
        entries.deallocate()
    }

    package func add(_ partition: TopicPartition, source: Int32, watermark: Int64) -> Int {
        let more = UnsafeMutableBufferPointer<Entry>.allocate(capacity: entries.count + 1)
        _ = more.moveInitialize(fromContentsOf: entries)
        more.initializeElement(
            at: entries.count,
            to: Entry(source: source, partition: partition, committed: watermark, watermark: watermark))
        entries.deallocate()
        entries = more
        return entries.count - 1
    }

    /// A record of this partition follows.
    @inline(__always)
    package func begin(_ index: Int) {
        current = index
        entries[index].endReachedAt = nil
    }

    package func reachedEnd(_ index: Int) {
        if entries[index].endReachedAt == nil { entries[index].endReachedAt = nowMilliseconds }
    }

    /// The source partitions with the numbers that records name them by.
    var sources: [(source: Int32, partition: TopicPartition)] { entries.map { ($0.source, $0.partition) } }

    /// For how long each source partition has been read to its end and brought nothing, in milliseconds; nil: records come.
    public var quietMilliseconds: [(partition: TopicPartition, milliseconds: Int64?)] {
        entries.map { entry in (entry.partition, entry.endReachedAt.map { max(0, nowMilliseconds - $0) }) }
    }

    package func clock(nowMilliseconds: Int64) { self.nowMilliseconds = nowMilliseconds }

    /// The partition that the present record was read from.
    public var currentPartition: TopicPartition { entries[current].partition }

    /// The watermark of the present record's partition, before the record; `none` if it has none yet.
    public var watermarkMilliseconds: Int64 { entries[current].watermark }

    /// Takes the event time of the present record into its partition's watermark.
    @inline(__always)
    public func observe(eventTimeMilliseconds: Int64) {
        if eventTimeMilliseconds > entries[current].watermark,
            eventTimeMilliseconds <= nowMilliseconds &+ Self.aheadMillisecondsMax
        {
            entries[current].watermark = eventTimeMilliseconds
        }
    }

    /// The least watermark of all of the task's partitions; `none` while one of them has none.
    @inline(__always)
    public var leastWatermarkMilliseconds: Int64 {
        entries.count == 1 ? entries[0].watermark : leastOfSeveral
    }

    private var leastOfSeveral: Int64 {
        var least = Int64.max
        for entry in entries where entry.watermark < least { least = entry.watermark }
        return least == .max ? Self.none : least
    }

    /// The task's own number of the present record's partition: the same after a restart, as the topology gives it.
    public var currentSourceNumber: Int { current }

    public func partition(number: Int) -> TopicPartition {
        entries.indices.contains(number) ? entries[number].partition : currentPartition
    }

    /// Every source partition with its watermark.
    public var watermarks: [(partition: TopicPartition, milliseconds: Int64)] {
        entries.map { ($0.partition, $0.watermark) }
    }

    package func watermark(_ index: Int) -> Int64 { entries[index].watermark }

    package func committed() { for index in entries.indices { entries[index].committed = entries[index].watermark } }
    package func aborted() { for index in entries.indices { entries[index].watermark = entries[index].committed } }
}

/// What stands beside a committed offset: the format's version, the partition's watermark, and the number of the transaction
/// that committed it, by which its producer's successor knows that it did.
///
/// `1;transaction=9f3ac05d11e2b877;watermark=1736782245123`; a partition without a watermark leaves that out.
public struct CommitMetadata: Hashable, Sendable {
    public enum Failure: Error, Hashable, Sendable {
        case newerVersion(String)
        case malformed(String)
    }

    /// `TaskTime.none` without one.
    public var watermarkMilliseconds: Int64
    public var transaction: UInt64?

    public init(watermarkMilliseconds: Int64, transaction: UInt64?) {
        self.watermarkMilliseconds = watermarkMilliseconds
        self.transaction = transaction
    }

    /// Reads the metadata of a committed offset. Metadata of other programs (empty, say) says nothing.
    public init(_ text: String) throws(Failure) {
        self.init(watermarkMilliseconds: TaskTime.none, transaction: nil)
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard let version = parts.first.flatMap({ Int($0) }) else { return }
        guard version == 1 else { throw .newerVersion(text) }
        for part in parts.dropFirst() {
            if part.hasPrefix("watermark=") {
                guard let value = Int64(part.dropFirst("watermark=".count)) else { throw .malformed(text) }
                watermarkMilliseconds = value
            } else if part.hasPrefix("transaction=") {
                guard let value = UInt64(part.dropFirst("transaction=".count), radix: 16) else {
                    throw .malformed(text)
                }
                transaction = value
            }
        }
    }

    public var text: String {
        var text = "1"
        if let transaction { text += ";transaction=" + String(transaction, radix: 16) }
        if watermarkMilliseconds != TaskTime.none { text += ";watermark=\(watermarkMilliseconds)" }
        return text
    }
}
