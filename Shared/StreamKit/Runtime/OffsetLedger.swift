/// What the open transaction has consumed of each source partition.
///
/// The client library's own position is never asked: it runs ahead of what was processed. The ledger knows, for each
/// partition, where the transaction began (`start`, to which an abort rewinds), the offset after the last record processed
/// (`next`: what a commit commits), and what the group has committed (`committed`: the same as `start`, except before a first
/// commit and after offsets were lost).
public struct OffsetLedger: Sendable {
    public struct Entry: Hashable, Sendable {
        public fileprivate(set) var start: Int64
        public fileprivate(set) var next: Int64
        public fileprivate(set) var committed: Int64?
        public var isPending: Bool { next != start }
    }

    /// By source index; nil where the partition is not ours.
    private var entries: [Entry?] = []

    public init() {}

    /// The partition is ours from now on and will be read from `position`; `committed` is what the group has for it.
    public mutating func assign(_ source: Int32, position: Int64, committed: Int64?) {
        let index = Int(source)
        while entries.count <= index { entries.append(nil) }
        entries[index] = Entry(start: position, next: position, committed: committed)
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
        entries[index] = Entry(start: entry.start, next: offset + 1, committed: entry.committed)
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

    /// What a commit commits: the partitions of which something was consumed. Where nothing was (time alone made the
    /// transaction necessary), all that are ours, as they stand: their offsets are how the broker knows whether this member may
    /// still commit, and how `settlement` knows whether it did.
    public var toCommit: [(source: Int32, entry: Entry)] {
        let pending = pending
        return pending.isEmpty ? assigned : pending
    }

    /// The transaction committed.
    public mutating func commit() {
        for (source, entry) in toCommit {
            entries[Int(source)] = Entry(start: entry.next, next: entry.next, committed: entry.next)
        }
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

    /// What the group has committed for a partition.
    public struct Committed: Hashable, Sendable {
        public let offset: Int64
        /// The metadata beside it carries the number of the transaction in doubt.
        public let isOfThisTransaction: Bool

        public init(offset: Int64, isOfThisTransaction: Bool) {
            self.offset = offset
            self.isOfThisTransaction = isOfThisTransaction
        }
    }

    /// Compares the committed offsets, read after a new producer has settled the old one's transaction, with the ledger.
    /// `committed` gives what the group has for a source, or nil where it has nothing.
    public func settlement(committed: (Int32) -> Committed?) -> Settlement {
        var settlement: Settlement?
        for (source, entry) in toCommit {
            let committed = committed(source)
            let found: Settlement
            if let committed, committed.isOfThisTransaction, committed.offset == entry.next {
                found = .committed
            } else if committed?.offset == entry.committed {
                found = .notCommitted
            } else {
                return .foreign
            }
            if let settlement, settlement != found { return .foreign }
            settlement = found
        }
        return settlement ?? .notCommitted
    }
}
