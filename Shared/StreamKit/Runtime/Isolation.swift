/// Finds the records whose outputs are refused, and remembers them until they are dealt with: such a record becomes a dead
/// letter before any step sees it, so that nothing else of it remains.
///
/// Where the client itself refuses an output, the record being processed is to blame, and the transaction is done again
/// without it. Where the broker does, or an output that several records led to is refused, what was read since the last commit
/// is done again, one record to a transaction.
package struct Isolation {
    private struct Position: Hashable {
        let source: Int32
        let offset: Int64
    }

    /// One record to a transaction, up to these offsets.
    private var until: [Int32: Int64] = [:]
    private var culprits: [Position: String] = [:]

    package init() {}

    package var isActive: Bool { !until.isEmpty }

    /// Why the record may not be processed; nil: nothing speaks against it.
    @inline(__always)
    package func reason(against source: Int32, _ offset: Int64) -> String? {
        culprits.isEmpty ? nil : culprits[Position(source: source, offset: offset)]
    }

    /// An output of this very record was refused.
    package mutating func found(_ source: Int32, _ offset: Int64, reason: String) {
        culprits[Position(source: source, offset: offset)] = reason
    }

    /// An output was refused that any of the records of the transaction may have led to. `consumed` is what it had read: one
    /// record, and it is found. False: isolating helps nothing, because no record was read, or because what is refused is the
    /// dead letter of the one that was found.
    package mutating func refused(
        _ reason: String, consumed: [(source: Int32, entry: OffsetLedger.Entry)]
    ) -> Bool {
        if isActive, consumed.count == 1, let only = consumed.first {
            let offset = only.entry.next - 1
            if self.reason(against: only.source, offset) != nil { return false }
            found(only.source, offset, reason: reason)
            return true
        }
        for (source, entry) in consumed { until[source] = entry.next }
        return !consumed.isEmpty
    }

    /// A transaction was committed up to these offsets.
    package mutating func committed(_ consumed: [(source: Int32, entry: OffsetLedger.Entry)]) {
        if until.isEmpty && culprits.isEmpty { return }
        for (source, entry) in consumed {
            culprits = culprits.filter { $0.key.source != source || $0.key.offset >= entry.next }
            if let end = until[source], entry.next >= end { until[source] = nil }
        }
    }

    package mutating func revoked(_ source: Int32) {
        until[source] = nil
        culprits = culprits.filter { $0.key.source != source }
    }
}
