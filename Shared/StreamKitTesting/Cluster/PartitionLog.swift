public import StreamKit

/// A record as it stands in the in-memory cluster.
public struct StoredRecord: Hashable, Sendable {
    public let partition: TopicPartition
    public let offset: Int64
    /// nil: no key.
    public let key: [UInt8]?
    /// nil: a tombstone.
    public let value: [UInt8]?
    public let timestampMilliseconds: Int64
    public let headers: [Header]

    /// The key as text; nil without one.
    public var keyText: String? { key.map { String(decoding: $0, as: UTF8.self) } }
    /// The value as text; nil for a tombstone.
    public var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }

    /// The value of the first header of that name, as text.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// One partition's log, with transactions as a broker keeps them: a transaction's records stand in the log from the moment
/// they are sent, its end writes a marker that takes an offset, and whoever reads committed records sees nothing at or beyond
/// the first record of a transaction that is still open (the last stable offset).
struct PartitionLog {
    private enum State: Hashable {
        case visible
        case open(transaction: String)
        case aborted
        case marker
    }

    private struct Entry {
        let offset: Int64
        var state: State
        let record: StoredRecord?
    }

    let partition: TopicPartition
    private var entries: [Entry] = []
    /// First offsets of open transactions.
    private var openSince: [String: Int64] = [:]
    private(set) var start: Int64 = 0
    /// The high watermark.
    private(set) var end: Int64 = 0

    init(_ partition: TopicPartition) { self.partition = partition }

    var stableEnd: Int64 { openSince.values.min() ?? end }

    @discardableResult
    mutating func append(
        key: [UInt8]?, value: [UInt8]?, timestampMilliseconds: Int64, headers: [Header], transaction: String?
    ) -> Int64 {
        let record = StoredRecord(
            partition: partition, offset: end, key: key, value: value, timestampMilliseconds: timestampMilliseconds,
            headers: headers)
        if let transaction, openSince[transaction] == nil { openSince[transaction] = end }
        entries.append(
            Entry(offset: end, state: transaction.map { .open(transaction: $0) } ?? .visible, record: record))
        end += 1
        return record.offset
    }

    /// Writes the marker that ends a transaction.
    mutating func end(transaction: String, committed: Bool) {
        openSince[transaction] = nil
        for index in entries.indices where entries[index].state == .open(transaction: transaction) {
            entries[index].state = committed ? .visible : .aborted
        }
        entries.append(Entry(offset: end, state: .marker, record: nil))
        end += 1
    }

    mutating func deleteRecords(before offset: Int64) {
        start = max(start, min(offset, end))
        entries.removeAll { $0.offset < start }
    }

    /// Keeps the last record of each key, and no tombstone; nothing moves to another offset.
    mutating func compact() {
        var seen: Set<[UInt8]> = []
        var kept: [Entry] = []
        for entry in entries.reversed() {
            guard entry.offset < stableEnd, case .visible = entry.state, let record = entry.record, let key = record.key
            else {
                if entry.offset >= stableEnd { kept.append(entry) }
                continue
            }
            if seen.insert(key).inserted && record.value != nil { kept.append(entry) }
        }
        entries = kept.reversed()
    }

    /// Committed records from `position` on, and the position after them, past markers and aborted records.
    func read(from position: Int64, maximum: Int) -> (records: [StoredRecord], next: Int64) {
        var records: [StoredRecord] = []
        let limit = stableEnd
        var index = firstIndex(at: position)
        while index < entries.count, entries[index].offset < limit {
            if entries[index].state == .visible, let record = entries[index].record {
                if records.count == maximum { return (records, entries[index].offset) }
                records.append(record)
            }
            index += 1
        }
        return (records, max(position, limit))
    }

    /// All records, those of open and aborted transactions too.
    var everything: [StoredRecord] { entries.compactMap(\.record) }

    private func firstIndex(at offset: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
