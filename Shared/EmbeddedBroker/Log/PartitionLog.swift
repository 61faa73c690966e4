/// One partition's log: batches in segments, who wrote them, and what of them may be read.
///
/// There is one copy of every partition, so what is stored is at once readable: the high watermark is the log's end.
final class PartitionLog {
    struct ReadResult {
        var slices: [LogSlice] = []
        /// The offset after the last one returned.
        var endOffset: Int64
    }

    private let makeSegment:
        (_ baseOffset: Int64, _ minimumBytes: Int, _ index: Int) throws(StorageError) -> any SegmentStorage
    private(set) var segments: [Segment] = []
    private(set) var producers = ProducerTable()
    private(set) var startOffset: Int64
    private(set) var endOffset: Int64
    private(set) var byteCount = 0
    /// Segments below it have been compacted together.
    var compactedUpTo: Int64 = 0

    /// - Parameter makeSegment: storage for a new segment with room for a first batch of so many bytes; `index` counts the
    ///   segments there are.
    init(
        startOffset: Int64 = 0,
        makeSegment: @escaping (Int64, Int, Int) throws(StorageError) -> any SegmentStorage
    ) {
        self.startOffset = startOffset
        endOffset = startOffset
        self.makeSegment = makeSegment
    }

    /// Readers of committed records see nothing at or above it.
    var lastStableOffset: Int64 { max(producers.firstUnstableOffset ?? endOffset, startOffset) }

    // MARK: - Appending

    /// Stores a batch under the next offsets.
    /// - Returns: its base offset.
    func append(
        _ batch: UnsafeRawBufferPointer, header: RecordBatchHeader, time: Int64, maximumSegmentBytes: Int
    ) throws(StorageError) -> Int64 {
        let baseOffset = endOffset
        let segment = try segmentForAppending(header.byteCount, maximumSegmentBytes: maximumSegmentBytes)
        let position = segment.storage.byteCount
        var storageError: StorageError?
        // The base offset and the leader epoch lie outside the checksum: the broker sets both.
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { head in
            head.copyMemory(from: UnsafeRawBufferPointer(rebasing: batch[..<16]))
            head.storeBytes(of: baseOffset.bigEndian, as: Int64.self)
            head.storeBytes(of: 0, toByteOffset: 12, as: Int32.self)
            do throws(StorageError) {
                try segment.storage.append(
                    head: UnsafeRawBufferPointer(head), rest: UnsafeRawBufferPointer(rebasing: batch[16...]))
            } catch {
                storageError = error
            }
        }
        if let storageError { throw storageError }
        segment.indexBatch(header, baseOffset: baseOffset, position: position)
        segment.lastAppendMilliseconds = time
        byteCount += header.byteCount
        endOffset = baseOffset + Int64(header.lastOffsetDelta) + 1
        if header.producer.id >= 0 && !header.isControl {
            producers.recordBatch(header, baseOffset: baseOffset, time: time)
        }
        return baseOffset
    }

    /// Ends a producer's transaction here.
    func appendMarker(
        _ outcome: TransactionOutcome, producer: ProducerIdentity, coordinatorEpoch: Int32, time: Int64,
        maximumSegmentBytes: Int
    ) throws(StorageError) {
        let marker = TransactionMarker.encode(
            outcome, producer: producer, coordinatorEpoch: coordinatorEpoch, timestamp: time)
        var storageError: StorageError?
        marker.withUnsafeBytes { bytes in
            guard let header = RecordBatchHeader(bytes) else { return }
            do throws(StorageError) {
                let offset = try append(bytes, header: header, time: time, maximumSegmentBytes: maximumSegmentBytes)
                producers.recordMarker(
                    outcome, producer: producer, coordinatorEpoch: coordinatorEpoch, offset: offset,
                    time: time)
            } catch {
                storageError = error
            }
        }
        if let storageError { throw storageError }
    }

    private func segmentForAppending(_ count: Int, maximumSegmentBytes: Int) throws(StorageError) -> Segment {
        if let last = segments.last, last.storage.hasRoom(for: count),
            last.storage.byteCount == 0 || last.storage.byteCount + count <= maximumSegmentBytes
        {
            return last
        }
        return try roll(minimumBytes: count)
    }

    @discardableResult
    private func roll(minimumBytes: Int) throws(StorageError) -> Segment {
        let segment = Segment(
            baseOffset: endOffset, storage: try makeSegment(endOffset, minimumBytes, segments.count))
        segments.append(segment)
        return segment
    }

    // MARK: - Reading

    /// Whole batches from the one that holds `offset` on, below `limit`.
    /// - Parameter minimumOneBatch: return the first batch even if it exceeds `maximumBytes`: a consumer with small limits
    ///   would stop for ever otherwise.
    func read(
        from offset: Int64, below limit: Int64, maximumBytes: Int, minimumOneBatch: Bool
    ) throws(StorageError) -> ReadResult {
        var result = ReadResult(endOffset: offset)
        var rest = maximumBytes
        guard offset < limit, var index = segmentIndex(of: offset) else { return result }
        while index < segments.count {
            let segment = segments[index]
            if segment.baseOffset >= limit { break }
            let start = try segment.place(of: max(offset, segment.baseOffset))
            if start.offset >= limit { break }
            var end = try segment.place(of: limit)
            if end.position - start.position > rest {
                end = try segment.boundary(atOrBefore: start.position + rest)
                if end.position <= start.position {
                    guard result.slices.isEmpty, minimumOneBatch, let first = try segment.header(at: start.position)
                    else { break }
                    end = Segment.Place(offset: first.lastOffset + 1, position: start.position + first.byteCount)
                }
            }
            if end.position > start.position {
                result.slices.append(segment.storage.slice(start.position..<end.position))
                result.endOffset = end.offset
                rest -= end.position - start.position
            }
            if rest <= 0 || end.position < segment.storage.byteCount { break }
            index += 1
        }
        return result
    }

    private func segmentIndex(of offset: Int64) -> Int? {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].baseOffset <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : (segments.isEmpty ? nil : 0)
    }

    struct TimedOffset {
        let timestamp: Int64
        let offset: Int64
    }

    /// The first record, in offset order, whose timestamp is `timestamp` or later, below `limit`.
    ///
    /// In a compressed batch, which stays packed here, it is the batch's first record: reading from there misses nothing.
    func firstOffset(atOrAfter timestamp: Int64, below limit: Int64) throws(StorageError) -> TimedOffset? {
        for segment in segments where segment.maximumTimestamp >= timestamp && segment.endOffset > startOffset {
            var position = segment.position(beforeTimestamp: timestamp)
            while let header = try segment.header(at: position) {
                if header.baseOffset >= limit { return nil }
                if header.maximumTimestamp >= timestamp && header.lastOffset >= startOffset && !header.isControl {
                    if let found = try firstRecord(in: segment, header, at: position, where: { $0 >= timestamp }) {
                        return found
                    }
                }
                position += header.byteCount
            }
        }
        return nil
    }

    /// The record with the greatest timestamp, below `limit`.
    func offsetOfMaximumTimestamp(below limit: Int64) throws(StorageError) -> TimedOffset? {
        var best: (header: RecordBatchHeader, segment: Segment, position: Int)?
        for segment in segments where segment.maximumTimestamp > best?.header.maximumTimestamp ?? .min {
            var position = 0
            while let header = try segment.header(at: position), header.baseOffset < limit {
                if !header.isControl, header.baseOffset >= startOffset,
                    header.maximumTimestamp > best?.header.maximumTimestamp ?? .min
                {
                    best = (header, segment, position)
                }
                position += header.byteCount
            }
        }
        guard let best else { return nil }
        return try firstRecord(in: best.segment, best.header, at: best.position) { $0 == best.header.maximumTimestamp }
    }

    /// The first record of a batch, from the log's start on, whose timestamp fulfils `condition`.
    private func firstRecord(
        in segment: Segment, _ header: RecordBatchHeader, at position: Int, where condition: (Int64) -> Bool
    ) throws(StorageError) -> TimedOffset? {
        if header.isCompressed || header.usesAppendTime {
            return TimedOffset(timestamp: header.maximumTimestamp, offset: max(header.baseOffset, startOffset))
        }
        let batch = try segment.batch(header, at: position)
        return batch.withUnsafeBytes { bytes in
            var records = RecordIterator(bytes)
            while let record = records.next() {
                let timestamp = header.baseTimestamp &+ record.timestampDelta
                let offset = header.baseOffset + Int64(record.offsetDelta)
                if offset >= startOffset && condition(timestamp) {
                    return TimedOffset(timestamp: timestamp, offset: offset)
                }
            }
            return nil
        }
    }

    // MARK: - Deleting

    /// Gives up what lies below `offset`; segments that end there are deleted.
    func advanceStart(to offset: Int64) {
        guard offset > startOffset else { return }
        startOffset = offset
        endOffset = max(endOffset, startOffset)
        while segments.count > 1, let first = segments.first, segments[1].baseOffset <= startOffset {
            byteCount -= first.storage.byteCount
            first.storage.delete()
            segments.removeFirst()
        }
        if segments.count == 1, let last = segments.first, last.endOffset <= startOffset, last.storage.byteCount > 0 {
            byteCount -= last.storage.byteCount
            last.storage.delete()
            segments.removeFirst()
        }
        producers.forgetAborted(before: startOffset)
    }

    /// Where the log would start once segments are deleted that are older than `oldestTimestamp`, or too much for
    /// `maximumBytes`.
    func retentionStart(oldestTimestamp: Int64?, maximumBytes: Int?) -> Int64 {
        var start = startOffset
        var bytes = byteCount
        for segment in segments where segment.endOffset <= lastStableOffset {
            // Records without a time do not age.
            let isExpired = oldestTimestamp.map { (0..<max(0, $0)).contains(segment.maximumTimestamp) } ?? false
            let isExcess = maximumBytes.map { bytes - segment.storage.byteCount >= $0 } ?? false
            guard isExpired || isExcess else { break }
            bytes -= segment.storage.byteCount
            start = max(start, segment.endOffset)
        }
        return start
    }

    func forgetProducers(silentSince time: Int64) { producers.forgetProducers(silentSince: time) }

    func replaceSegment(at index: Int, with segment: Segment) {
        byteCount += segment.storage.byteCount - segments[index].storage.byteCount
        segments[index] = segment
    }

    func dropEmptySegments() {
        for segment in segments.dropLast() where segment.storage.byteCount == 0 { segment.storage.delete() }
        let last = segments.last
        segments.removeAll { $0 !== last && $0.storage.byteCount == 0 }
    }

    func deleteAll() {
        for segment in segments { segment.storage.delete() }
        segments = []
        byteCount = 0
    }

    // MARK: - Recovery

    /// Takes over a segment that was found, after those before it: its batches are read, and what they say of producers and
    /// transactions is known again.
    /// - Returns: how many of its bytes are whole batches; what follows is the trace of an interrupted write.
    func recover(_ segment: Segment, verifiesChecksums: Bool, time: Int64) throws(StorageError) -> Int {
        var position = 0
        segments.append(segment)
        endOffset = max(endOffset, segment.baseOffset)
        while let header = try segment.header(at: position) {
            guard header.magic == 2, header.lastOffsetDelta >= 0, header.baseOffset >= segment.endOffset,
                header.baseOffset < .max - Int64(Int32.max),
                header.byteCount <= segment.storage.byteCount - position
            else { break }
            if verifiesChecksums || header.isControl {
                let batch = try segment.batch(header, at: position)
                let isIntact = batch.withUnsafeBytes { bytes in
                    guard header.isIntact(bytes) else { return false }
                    if header.isControl { recoverMarker(header, bytes, time: time) }
                    return true
                }
                guard isIntact else { break }
            }
            if header.producer.id >= 0 && !header.isControl {
                producers.recordBatch(header, baseOffset: header.baseOffset, time: time)
            }
            segment.indexBatch(header, baseOffset: header.baseOffset, position: position)
            endOffset = header.lastOffset + 1
            position += header.byteCount
        }
        segment.lastAppendMilliseconds = time
        // Records below the start may be missing from the files.
        endOffset = max(endOffset, startOffset)
        byteCount += position
        return position
    }

    private func recoverMarker(_ header: RecordBatchHeader, _ batch: UnsafeRawBufferPointer, time: Int64) {
        guard let outcome = TransactionMarker.outcome(of: batch) else { return }
        producers.recordMarker(
            outcome, producer: header.producer, coordinatorEpoch: TransactionMarker.coordinatorEpoch(of: batch),
            offset: header.baseOffset, time: time)
    }

    /// Puts the same bytes, without a torn tail, in the place of the last segment's.
    func replaceLastStorage(_ storage: any SegmentStorage) { segments.last?.storage = storage }
}
