/// The 61 bytes in front of the records of a batch (message format 2).
struct RecordBatchHeader {
    static let byteCount = 61
    /// The bytes before those that `batchLength` counts: base offset and the length itself.
    static let lengthPrefix = 12
    /// The checksum covers everything from the attributes on; base offset and leader epoch lie before it.
    static let checksummedFrom = 21

    var baseOffset: Int64
    /// The whole batch, header included.
    var byteCount: Int
    var magic: Int8
    var checksum: UInt32
    var attributes: Int16
    var lastOffsetDelta: Int32
    var baseTimestamp: Int64
    var maximumTimestamp: Int64
    var producer: ProducerIdentity
    var baseSequence: Int32
    var recordCount: Int32

    var lastOffset: Int64 { baseOffset &+ Int64(lastOffsetDelta) }
    var isCompressed: Bool { attributes & 0x07 != 0 }
    var isTransactional: Bool { attributes & 0x10 != 0 }
    var isControl: Bool { attributes & 0x20 != 0 }
    var usesAppendTime: Bool { attributes & 0x08 != 0 }

    /// The sequence of the last record; after 2147483647 comes 0.
    var lastSequence: Int32 { SequenceNumber.advance(baseSequence, by: lastOffsetDelta) }

    /// Nil if `bytes` holds no whole header or its length cannot be.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        func load<T: FixedWidthInteger>(_ offset: Int, _ type: T.Type) -> T {
            T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        let length = load(8, Int32.self)
        guard length >= Int32(Self.byteCount - Self.lengthPrefix) else { return nil }
        baseOffset = load(0, Int64.self)
        byteCount = Int(length) + Self.lengthPrefix
        magic = load(16, Int8.self)
        checksum = load(17, UInt32.self)
        attributes = load(21, Int16.self)
        lastOffsetDelta = load(23, Int32.self)
        baseTimestamp = load(27, Int64.self)
        maximumTimestamp = load(35, Int64.self)
        producer = ProducerIdentity(id: load(43, Int64.self), epoch: load(51, Int16.self))
        baseSequence = load(53, Int32.self)
        recordCount = load(57, Int32.self)
    }

    /// Whether the checksum matches the bytes of the whole batch.
    func isIntact(_ batch: UnsafeRawBufferPointer) -> Bool {
        batch.count == byteCount
            && CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[Self.checksummedFrom...])) == checksum
    }
}

/// Arithmetic of idempotent producers' sequence numbers, which wrap to 0 after 2147483647.
enum SequenceNumber {
    static func advance(_ sequence: Int32, by count: Int32) -> Int32 {
        let sum = Int64(sequence) + Int64(count)
        return sum > Int64(Int32.max) ? Int32(sum - Int64(Int32.max) - 1) : Int32(sum)
    }
}

/// How a transaction ends.
enum TransactionOutcome: Int16 {
    case abort = 0
    case commit = 1
}

/// The control batch that ends a transaction in one partition.
enum TransactionMarker {
    /// A batch of one record whose key names the outcome; its base offset is still to be set.
    static func encode(
        _ outcome: TransactionOutcome, producer: ProducerIdentity, coordinatorEpoch: Int32, timestamp: Int64
    ) -> [UInt8] {
        var writer = WireWriter(flexible: false)
        // length (zigzag 16), attributes, timestamp and offset deltas, key length (4)
        let recordHead: [UInt8] = [0x20, 0, 0, 0, 0x08]
        let recordByteCount = 17
        writer.int64(0)
        writer.int32(Int32(RecordBatchHeader.byteCount - RecordBatchHeader.lengthPrefix + recordByteCount))
        writer.int32(0)
        writer.int8(2)
        writer.int32(0)
        writer.int16(0x30)
        writer.int32(0)
        writer.int64(timestamp)
        writer.int64(timestamp)
        writer.int64(producer.id)
        writer.int16(producer.epoch)
        writer.int32(-1)
        writer.int32(1)
        for byte in recordHead { writer.int8(Int8(bitPattern: byte)) }
        writer.int16(0)
        writer.int16(outcome.rawValue)
        // value length (6): version and coordinator epoch; no headers
        writer.int8(0x0c)
        writer.int16(0)
        writer.int32(coordinatorEpoch)
        writer.int8(0)
        let checksummed = UnsafeRawBufferPointer(rebasing: writer.buffer.bytes[RecordBatchHeader.checksummedFrom...])
        writer.buffer.overwriteInt32(Int32(bitPattern: CRC32C.checksum(checksummed)), at: 17)
        return Array(writer.buffer.bytes)
    }

    /// The epoch of the coordinator that wrote a marker.
    static func coordinatorEpoch(of batch: UnsafeRawBufferPointer) -> Int32 {
        let offset = RecordBatchHeader.byteCount + 12
        guard batch.count >= offset + 4 else { return -1 }
        return Int32(bigEndian: batch.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }

    /// The outcome a control batch declares; nil if it is no transaction marker.
    static func outcome(of batch: UnsafeRawBufferPointer) -> TransactionOutcome? {
        let typeOffset = RecordBatchHeader.byteCount + 7
        guard batch.count >= typeOffset + 2 else { return nil }
        return TransactionOutcome(
            rawValue: Int16(bigEndian: batch.loadUnaligned(fromByteOffset: typeOffset, as: Int16.self)))
    }
}

extension RecordBatchHeader {
    /// A copy of a batch that bears the broker's time in place of its records' own (message.timestamp.type=LogAppendTime).
    static func stamped(_ batch: UnsafeRawBufferPointer, appendTime: Int64) -> [UInt8] {
        var copy = Array(batch)
        copy.withUnsafeMutableBytes { bytes in
            guard bytes.count >= byteCount else { return }
            bytes[22] |= 0x08
            bytes.storeBytes(of: appendTime.bigEndian, toByteOffset: 35, as: Int64.self)
            let checksummed = UnsafeRawBufferPointer(rebasing: bytes[checksummedFrom...])
            bytes.storeBytes(of: CRC32C.checksum(checksummed).bigEndian, toByteOffset: 17, as: UInt32.self)
        }
        return copy
    }
}
