/// Compaction (cleanup.policy=compact): of the records with one key, only the latest stays.
///
/// The last segment and everything above the last stable offset are left alone, as are compressed batches, which are not
/// opened. Offsets never change.
extension PartitionLog {
    /// Whether enough has been appended since the last compaction to be worth another.
    func isWorthCompacting(minimumDirtyRatio: Double) -> Bool {
        let cleanable = segments.dropLast().filter { $0.endOffset <= lastStableOffset }
        let dirty = cleanable.filter { $0.endOffset > compactedUpTo }.reduce(0) { $0 + $1.storage.byteCount }
        let total = cleanable.reduce(0) { $0 + $1.storage.byteCount }
        return dirty > 0 && Double(dirty) >= minimumDirtyRatio * Double(total)
    }

    /// - Parameter forgetTombstonesBefore: records without value that were written before then go altogether. It is the
    ///   broker's clock that counts, not their timestamps: whoever reads slowly must still learn of them.
    func compact(forgetTombstonesBefore: Int64) throws(StorageError) {
        let cleanable = segments.dropLast().prefix { $0.endOffset <= lastStableOffset }
        guard let last = cleanable.last else { return }
        var compaction = Compaction(
            aborted: producers.aborted(from: startOffset, to: last.endOffset),
            lastSequences: producers.producers.mapValues { $0.batches.last?.baseOffset ?? -1 },
            forgetTombstonesBefore: forgetTombstonesBefore)
        for segment in cleanable { try compaction.learn(segment) }
        for (index, segment) in cleanable.enumerated() {
            guard let cleaned = try compaction.clean(segment) else { continue }
            replaceSegment(at: index, with: cleaned)
        }
        compactedUpTo = last.endOffset
        dropEmptySegments()
    }
}

/// One run over the segments of a log: first what the latest offset of each key is, then what stays.
private struct Compaction {
    let aborted: [AbortedTransaction]
    /// The base offset of each producer's last batch: it stays, empty if need be, because its sequence must be known.
    let lastSequences: [Int64: Int64]
    let forgetTombstonesBefore: Int64
    private var latest: [[UInt8]: Int64] = [:]
    /// What compressed batches hold of a key is not known: a tombstone that follows one stays.
    private var firstCompressedOffset = Int64.max

    init(aborted: [AbortedTransaction], lastSequences: [Int64: Int64], forgetTombstonesBefore: Int64) {
        self.aborted = aborted
        self.lastSequences = lastSequences
        self.forgetTombstonesBefore = forgetTombstonesBefore
    }

    private func isAborted(_ header: RecordBatchHeader) -> Bool {
        header.isTransactional
            && aborted.contains {
                $0.producerID == header.producer.id && $0.firstOffset <= header.baseOffset
                    && header.baseOffset <= $0.lastOffset
            }
    }

    mutating func learn(_ segment: Segment) throws(StorageError) {
        var position = 0
        while let header = try segment.header(at: position) {
            if header.isCompressed {
                firstCompressedOffset = min(firstCompressedOffset, header.baseOffset)
            } else if !header.isControl && !isAborted(header) {
                let batch = try segment.batch(header, at: position)
                batch.withUnsafeBytes { bytes in
                    var records = RecordIterator(bytes)
                    while let record = records.next() {
                        guard let key = record.key else { continue }
                        latest[Array(bytes[key])] = header.baseOffset + Int64(record.offsetDelta)
                    }
                }
            }
            position += header.byteCount
        }
    }

    /// The segment without what is superseded; nil if all of it stays.
    func clean(_ segment: Segment) throws(StorageError) -> Segment? {
        let cleaned = Segment(baseOffset: segment.baseOffset, storage: try segment.storage.replacement())
        cleaned.lastAppendMilliseconds = segment.lastAppendMilliseconds
        let forgetsTombstones = segment.lastAppendMilliseconds < forgetTombstonesBefore
        var position = 0
        while let header = try segment.header(at: position) {
            let batch = try segment.batch(header, at: position)
            if let kept = keep(batch, header, forgetsTombstones: forgetsTombstones) {
                let newPosition = cleaned.storage.byteCount
                var storageError: StorageError?
                kept.withUnsafeBytes { bytes in
                    guard let newHeader = RecordBatchHeader(bytes) else { return }
                    do throws(StorageError) {
                        try cleaned.storage.append(head: bytes, rest: UnsafeRawBufferPointer(start: nil, count: 0))
                        cleaned.indexBatch(newHeader, baseOffset: newHeader.baseOffset, position: newPosition)
                    } catch {
                        storageError = error
                    }
                }
                if let storageError { throw storageError }
            }
            position += header.byteCount
        }
        cleaned.extendEnd(to: segment.endOffset)
        if cleaned.storage.byteCount == segment.storage.byteCount {
            cleaned.storage.delete()
            return nil
        }
        try cleaned.storage.takePlace(of: segment.storage)
        return cleaned
    }

    /// What stays of a batch; nil for nothing.
    private func keep(_ batch: [UInt8], _ header: RecordBatchHeader, forgetsTombstones: Bool) -> [UInt8]? {
        if header.isCompressed || header.isControl { return batch }
        let dropsAll = isAborted(header)
        var kept: [UInt8] = []
        var count: Int32 = 0
        batch.withUnsafeBytes { bytes in
            var records = RecordIterator(bytes)
            while !dropsAll, let record = records.next() {
                guard isLatest(record, header, bytes),
                    record.hasValue || !forgetsTombstones || header.baseOffset > firstCompressedOffset
                else { continue }
                kept += bytes[record.start..<record.end]
                count += 1
            }
        }
        if count == header.recordCount { return batch }
        if count == 0 && lastSequences[header.producer.id] != header.baseOffset { return nil }
        return RecordBatchHeader.replacingRecords(of: batch, with: kept, count: count)
    }

    private func isLatest(
        _ record: RecordIterator.Record, _ header: RecordBatchHeader, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        guard let key = record.key, let newest = latest[Array(bytes[key])] else { return true }
        return newest <= header.baseOffset + Int64(record.offsetDelta)
    }
}

extension RecordBatchHeader {
    /// A batch with fewer records under the same offsets, producer and times.
    static func replacingRecords(of batch: [UInt8], with records: [UInt8], count: Int32) -> [UInt8] {
        var replaced = Array(batch[..<byteCount]) + records
        replaced.withUnsafeMutableBytes { bytes in
            let length = Int32(bytes.count - lengthPrefix)
            bytes.storeBytes(of: length.bigEndian, toByteOffset: 8, as: Int32.self)
            bytes.storeBytes(of: count.bigEndian, toByteOffset: 57, as: Int32.self)
            let checksummed = UnsafeRawBufferPointer(rebasing: bytes[checksummedFrom...])
            bytes.storeBytes(of: CRC32C.checksum(checksummed).bigEndian, toByteOffset: 17, as: UInt32.self)
        }
        return replaced
    }
}
