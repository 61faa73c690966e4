/// Walks the records of an uncompressed batch without copying them.
struct RecordIterator {
    struct Record {
        /// Of the record's length field, from the start of the batch.
        let start: Int
        let end: Int
        let timestampDelta: Int64
        let offsetDelta: Int32
        /// Nil for a record without key.
        let key: Range<Int>?
        let hasValue: Bool
    }

    private let batch: UnsafeRawBufferPointer
    private var position = RecordBatchHeader.byteCount

    init(_ batch: UnsafeRawBufferPointer) { self.batch = batch }

    /// The next record; nil at the end, and at the first one that is malformed.
    mutating func next() -> Record? {
        guard position < batch.count else { return nil }
        let start = position
        guard let length = varint(), length > 0, length <= Int64(batch.count - position) else { return nil }
        let end = position + Int(length)
        position += 1
        guard let timestampDelta = varint(), let rawOffsetDelta = varint(),
            let offsetDelta = Int32(exactly: rawOffsetDelta), let keyLength = varint(), keyLength >= -1
        else { return nil }
        var key: Range<Int>?
        if keyLength >= 0 {
            guard keyLength <= Int64(end - position) else { return nil }
            key = position..<position + Int(keyLength)
            position += Int(keyLength)
        }
        guard let valueLength = varint(), valueLength >= -1, valueLength <= Int64(end - position) else { return nil }
        position += max(0, Int(valueLength))
        guard skipHeaders(), position == end else { return nil }
        return Record(
            start: start, end: end, timestampDelta: timestampDelta, offsetDelta: offsetDelta, key: key,
            hasValue: valueLength >= 0)
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { position == batch.count }

    private mutating func skipHeaders() -> Bool {
        guard let count = varint(), count >= 0 else { return false }
        for _ in 0..<count {
            guard let keyLength = varint(), keyLength >= 0, keyLength <= Int64(batch.count - position) else {
                return false
            }
            position += Int(keyLength)
            guard let valueLength = varint(), valueLength >= -1, valueLength <= Int64(batch.count - position) else {
                return false
            }
            position += max(0, Int(valueLength))
        }
        return true
    }

    /// A zigzag integer of at most ten bytes.
    private mutating func varint() -> Int64? {
        var raw: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard position < batch.count else { return nil }
            let byte = batch[position]
            position += 1
            raw |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1) }
        }
        return nil
    }
}
