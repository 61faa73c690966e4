/// A run of batches with a sparse index over them.
final class Segment {
    /// A batch's place; entries stand at least `indexIntervalBytes` apart.
    private struct IndexEntry {
        let offset: Int64
        let position: Int
        /// The greatest timestamp of all batches before this one in the segment.
        let maximumTimestampBefore: Int64
    }

    struct Place {
        let offset: Int64
        let position: Int
    }

    private static let indexIntervalBytes = 4096

    let baseOffset: Int64
    var storage: any SegmentStorage
    private var index: [IndexEntry] = []
    private(set) var maximumTimestamp = Int64.min
    private(set) var lastBatch: Place?
    /// The offset after the last batch. Compaction can leave none for the offsets from here up to `endOffset`.
    private var lastBatchEnd: Int64
    /// On the broker's wall clock: records' own times may lie years back. After a restart, that of the restart.
    var lastAppendMilliseconds: Int64 = 0
    /// The offset after the last one stored here.
    private(set) var endOffset: Int64

    init(baseOffset: Int64, storage: any SegmentStorage) {
        self.baseOffset = baseOffset
        self.storage = storage
        lastBatchEnd = baseOffset
        endOffset = baseOffset
    }

    /// Takes note of a batch that stands at `position`.
    func indexBatch(_ header: RecordBatchHeader, baseOffset: Int64, position: Int) {
        if index.last.map({ position - $0.position >= Self.indexIntervalBytes }) ?? true {
            index.append(
                IndexEntry(offset: baseOffset, position: position, maximumTimestampBefore: maximumTimestamp))
        }
        maximumTimestamp = max(maximumTimestamp, header.maximumTimestamp)
        lastBatch = Place(offset: baseOffset, position: position)
        lastBatchEnd = baseOffset + Int64(header.lastOffsetDelta) + 1
        endOffset = lastBatchEnd
    }

    /// The offsets up to `offset` belong here although compaction left no batch at their end.
    func extendEnd(to offset: Int64) { endOffset = max(endOffset, offset) }

    /// The header of the batch at `position`; nil at the end.
    func header(at position: Int) throws(StorageError) -> RecordBatchHeader? {
        // Bytes on the stack; closures of the standard library do not carry typed errors through.
        var storageError: StorageError?
        let header = withUnsafeTemporaryAllocation(byteCount: RecordBatchHeader.byteCount, alignment: 8) { buffer in
            do throws(StorageError) {
                let count = try storage.read(at: position, into: buffer)
                return RecordBatchHeader(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                storageError = error
                return nil
            }
        }
        if let storageError { throw storageError }
        return header
    }

    /// A copy of the whole batch with this header.
    func batch(_ header: RecordBatchHeader, at position: Int) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: header.byteCount)
        var storageError: StorageError?
        bytes.withUnsafeMutableBytes { target in
            do throws(StorageError) {
                let count = try storage.read(at: position, into: target)
                if count < target.count { throw StorageError("batch at position \(position) is cut short") }
            } catch {
                storageError = error
            }
        }
        if let storageError { throw storageError }
        return bytes
    }

    /// Where the first batch stands that ends at or after `offset`; the end of the segment if none does.
    func place(of offset: Int64) throws(StorageError) -> Place {
        if offset >= lastBatchEnd { return Place(offset: endOffset, position: storage.byteCount) }
        if let lastBatch, offset >= lastBatch.offset { return lastBatch }
        var position = index.last(before: { $0.offset <= offset })?.position ?? 0
        while let header = try header(at: position) {
            if header.lastOffset >= offset { return Place(offset: header.baseOffset, position: position) }
            position += header.byteCount
        }
        return Place(offset: endOffset, position: storage.byteCount)
    }

    /// The last batch boundary at or before `position`, which must not lie before the first byte.
    func boundary(atOrBefore limit: Int) throws(StorageError) -> Place {
        if limit >= storage.byteCount { return Place(offset: endOffset, position: storage.byteCount) }
        if let lastBatch, limit >= lastBatch.position { return lastBatch }
        let entry = index.last(before: { $0.position <= limit })
        var place = Place(offset: entry?.offset ?? baseOffset, position: entry?.position ?? 0)
        while let header = try header(at: place.position), place.position + header.byteCount <= limit {
            place = Place(offset: header.lastOffset + 1, position: place.position + header.byteCount)
        }
        return place
    }

    /// From where to look for the first batch with a record of `timestamp` or later.
    func position(beforeTimestamp timestamp: Int64) -> Int {
        index.last(before: { $0.maximumTimestampBefore < timestamp })?.position ?? 0
    }
}

extension Array {
    /// The last element for which `condition` holds, if it holds for a prefix of the array.
    fileprivate func last(before condition: (Element) -> Bool) -> Element? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? self[low - 1] : nil
    }
}
