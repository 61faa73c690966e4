/// Where a broker keeps what outlives a request.
protocol BrokerStorage: AnyObject {
    /// Stores an entry before it takes effect.
    func record(_ entry: StateEntry) throws(StorageError)

    func makeSegment(
        topicID: UUID128, partition: Int32, baseOffset: Int64, minimumBytes: Int, index: Int
    ) throws(StorageError) -> any SegmentStorage

    /// Called before the answers of a round leave: what they acknowledge must then be safe.
    func synchronize() throws(StorageError)

    /// Rewrites the journal as `entries` if that makes it much smaller.
    func compactJournal(_ entries: () -> [StateEntry]) throws(StorageError)
}

extension BrokerStorage {
    /// An empty log whose segments are kept here.
    func makeLog(topicID: UUID128, partition: Int32) -> PartitionLog {
        PartitionLog { [unowned self] (baseOffset, minimumBytes, index) throws(StorageError) in
            try makeSegment(
                topicID: topicID, partition: partition, baseOffset: baseOffset, minimumBytes: minimumBytes, index: index
            )
        }
    }
}

/// Keeps records in memory and nothing else.
final class MemoryStorage: BrokerStorage {
    private static let smallestSegmentBytes = 16 << 10
    private static let largestSegmentBytes = 1 << 20

    func record(_ entry: StateEntry) {}

    /// Later segments of a log are larger, so that thousands of small partitions cost little.
    func makeSegment(
        topicID: UUID128, partition: Int32, baseOffset: Int64, minimumBytes: Int, index: Int
    ) -> any SegmentStorage {
        let capacity = min(Self.smallestSegmentBytes << min(2 * index, 6), Self.largestSegmentBytes)
        return MemorySegment(capacity: max(capacity, minimumBytes))
    }

    func synchronize() {}

    func compactJournal(_ entries: () -> [StateEntry]) {}
}
