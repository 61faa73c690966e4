/// An offset that a group has committed for one partition.
struct CommittedOffset: Equatable {
    var offset: Int64
    var leaderEpoch: Int32
    var metadata: String
    /// Counts all commits to the broker: of an offset committed outside a transaction and one prepared in it earlier, the
    /// later one stays.
    var commitNumber: Int64
}

/// What one group has committed, and what open transactions are about to commit for it.
struct GroupOffsets {
    private(set) var committed: [TopicPartition: CommittedOffset] = [:]
    /// By producer id.
    private(set) var prepared: [Int64: [TopicPartition: CommittedOffset]] = [:]

    var isEmpty: Bool { committed.isEmpty && prepared.isEmpty }

    mutating func commit(_ offsets: [(TopicPartition, CommittedOffset)]) {
        for (partition, offset) in offsets { committed[partition] = offset }
    }

    mutating func prepare(_ offsets: [(TopicPartition, CommittedOffset)], producerID: Int64) {
        for (partition, offset) in offsets { prepared[producerID, default: [:]][partition] = offset }
    }

    /// A producer's transaction ended: what it prepared becomes visible, or is forgotten.
    mutating func resolve(producerID: Int64, _ outcome: TransactionOutcome) {
        guard let offsets = prepared.removeValue(forKey: producerID), outcome == .commit else { return }
        for (partition, offset) in offsets
        where committed[partition].map({ $0.commitNumber < offset.commitNumber }) ?? true {
            committed[partition] = offset
        }
    }

    /// Whether an open transaction is about to replace the offset of `partition`.
    func isUnstable(_ partition: TopicPartition) -> Bool {
        prepared.values.contains { $0[partition] != nil }
    }

    mutating func delete(_ partitions: [TopicPartition]) {
        for partition in partitions { committed[partition] = nil }
    }

    mutating func forget(topic: String) {
        committed = committed.filter { $0.key.topic != topic }
        for producerID in prepared.keys.sorted() {
            prepared[producerID] = prepared[producerID]?.filter { $0.key.topic != topic }
        }
    }
}
