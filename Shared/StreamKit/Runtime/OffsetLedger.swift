/// What the open transaction has consumed of each source partition.
///
/// The client library's own position is never asked: it runs ahead of what was processed. The ledger knows, for each
/// partition, where the transaction began (`start`: the committed offset, to which an abort rewinds) and the offset after the
/// last record processed (`next`: what a commit commits).
public struct OffsetLedger: Sendable {
    public struct Entry: Hashable, Sendable {
        public fileprivate(set) var start: Int64
        public fileprivate(set) var next: Int64
        public var isPending: Bool { next != start }
    }

    /// By source index; nil where the partition is not ours.
    private var entries: [Entry?] = []

    public init() {}

    /// The partition is ours from now on and will be read from `position`.
    public mutating func assign(_ source: Int32, position: Int64) {
        let index = Int(source)
        while entries.count <= index { entries.append(nil) }
        entries[index] = Entry(start: position, next: position)
    }

    public mutating func revoke(_ source: Int32) {
        if entries.indices.contains(Int(source)) { entries[Int(source)] = nil }
    }

    /// Notes that the record at `offset` is being processed. False: it must not be, because the partition is not ours, or
    /// because the record was processed before (a batch that was gathered before a rewind may still hold it).
    @inline(__always)
    public mutating func note(_ source: Int32, offset: Int64) -> Bool {
        let index = Int(source)
        guard index < entries.count, let entry = entries[index], offset >= entry.next, offset < .max else {
            return false
        }
        entries[index] = Entry(start: entry.start, next: offset + 1)
        return true
    }

    public subscript(source: Int32) -> Entry? {
        entries.indices.contains(Int(source)) ? entries[Int(source)] : nil
    }

    /// Partitions of which the open transaction consumed something.
    public var pending: [(source: Int32, entry: Entry)] {
        entries.indices.compactMap { index in
            entries[index].flatMap { $0.isPending ? (Int32(index), $0) : nil }
        }
    }

    /// All partitions that are ours.
    public var assigned: [(source: Int32, entry: Entry)] {
        entries.indices.compactMap { index in entries[index].map { (Int32(index), $0) } }
    }

    /// The transaction committed.
    public mutating func commit() {
        for index in entries.indices { if let next = entries[index]?.next { entries[index]?.start = next } }
    }

    /// The transaction was aborted: everything is to be read again from where it began.
    public mutating func rewind() {
        for index in entries.indices { if let start = entries[index]?.start { entries[index]?.next = start } }
    }

    /// What became of a transaction of which only the committed offsets can tell.
    public enum Settlement: Hashable, Sendable {
        case committed
        case notCommitted
        /// Somebody else has committed offsets of these partitions since: they are no longer ours.
        case foreign
    }

    /// Compares the committed offsets, read after a new producer has settled the old one's transaction, with the ledger.
    /// `committed` gives the offset for a source, or nil where the group has none.
    public func settlement(committed: (Int32) -> Int64?) -> Settlement {
        var settlement: Settlement?
        for (source, entry) in pending {
            let found: Settlement
            switch committed(source) {
            case entry.next?: found = .committed
            case nil, entry.start?: found = .notCommitted
            default: return .foreign
            }
            if let settlement, settlement != found { return .foreign }
            settlement = found
        }
        return settlement ?? .notCommitted
    }
}
