import EmbeddedBroker

/// Record batches as producers send them.
enum Batches {
    struct Record {
        var key: String?
        var value: String?
        var timestampDelta = 0

        init(_ value: String?, key: String? = nil, timestampDelta: Int = 0) {
            self.key = key
            self.value = value
            self.timestampDelta = timestampDelta
        }
    }

    static let baseTimestamp: Int64 = 1_700_000_000_000

    static func batch(
        _ records: [Record], producer: ProducerIdentity? = nil, sequence: Int32 = -1, transactional: Bool = false,
        control: Bool = false, baseTimestamp: Int64 = baseTimestamp
    ) -> [UInt8] {
        var body: [UInt8] = []
        for (index, record) in records.enumerated() { body += encode(record, offsetDelta: index) }
        var checked = WireWriter(flexible: false)
        checked.int16((transactional ? 0x10 : 0) | (control ? 0x20 : 0))
        checked.int32(Int32(records.count - 1))
        checked.int64(baseTimestamp)
        checked.int64(baseTimestamp + Int64(records.map(\.timestampDelta).max() ?? 0))
        checked.int64(producer?.id ?? -1)
        checked.int16(producer?.epoch ?? -1)
        checked.int32(sequence)
        checked.int32(Int32(records.count))
        let checksummed = checked.written + body
        var batch = WireWriter(flexible: false)
        batch.int64(0)
        batch.int32(Int32(9 + checksummed.count))
        batch.int32(-1)
        batch.int8(2)
        batch.int32(Int32(bitPattern: checksummed.withUnsafeBytes { CRC32C.checksum($0) }))
        return batch.written + checksummed
    }

    static func batch(_ values: String...) -> [UInt8] { batch(values.map { Record($0) }) }

    private static func encode(_ record: Record, offsetDelta: Int) -> [UInt8] {
        var body: [UInt8] = [0]
        body += varint(record.timestampDelta) + varint(offsetDelta)
        for part in [record.key, record.value] {
            body += varint(part.map { $0.utf8.count } ?? -1) + Array((part ?? "").utf8)
        }
        body += varint(0)
        return varint(body.count) + body
    }

    private static func varint(_ value: Int) -> [UInt8] {
        var rest = UInt64(bitPattern: Int64(value << 1 ^ value >> 63))
        var bytes: [UInt8] = []
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

extension Batches {
    static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Three records without keys, a millisecond apart from `baseTimestamp` on, as a Java producer packs them.
    static let gzip = bytes(
        "0000000000000003 00000059 00000000 02 fd33037d 0001 00000002 0000018bcfe56800 0000018bcfe56802"
            + "ffffffffffffffff ffff ffffffff 00000003"
            + "1f8b08000000000000fff36160606074482400187c1898988852c6c24284320089b6d29375000000")

    /// The batch with other bytes in it and a checksum that matches them.
    static func altered(_ batch: [UInt8], _ alter: (inout [UInt8]) -> Void) -> [UInt8] {
        var altered = batch
        alter(&altered)
        let checksum = altered[21...].withUnsafeBytes { CRC32C.checksum($0) }
        for index in 0..<4 { altered[17 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index)) }
        return altered
    }
}

extension Batches {
    struct Decoded {
        let offset: Int64
        let value: String?
    }

    struct DecodedBatch {
        let baseOffset: Int64
        let lastOffset: Int64
        let isIntact: Bool
        let producerID: Int64
        let isTransactional: Bool
        /// Of a control batch: 0 for an abort, 1 for a commit.
        let outcome: Int64?
        /// Empty for control batches.
        let records: [Decoded]
    }

    /// Of a topic's batches from its first one on those whose transaction was committed, or that have none, in their order.
    static func committed(_ batches: [DecodedBatch]) -> [DecodedBatch] {
        var open: [Int64: [DecodedBatch]] = [:]
        var committed: [DecodedBatch] = []
        for batch in batches {
            if let outcome = batch.outcome {
                let ended = open.removeValue(forKey: batch.producerID) ?? []
                if outcome == 1 { committed += ended }
            } else if batch.isTransactional {
                open[batch.producerID, default: []].append(batch)
            } else {
                committed.append(batch)
            }
        }
        return committed.sorted { $0.baseOffset < $1.baseOffset }
    }

    /// Reads uncompressed batches as a client would.
    static func decode(_ bytes: [UInt8]) -> [DecodedBatch] {
        var batches: [DecodedBatch] = []
        var rest = bytes
        func number(_ range: Range<Int>) -> Int64 { rest[range].reduce(0) { $0 << 8 | Int64($1) } }
        while rest.count >= 61 {
            let count = 12 + Int(number(8..<12))
            let batch = Array(rest[..<count])
            let checksum = batch[21...].withUnsafeBytes { CRC32C.checksum($0) }
            let baseOffset = number(0..<8)
            var records: [Decoded] = []
            var position = 61
            func varint() -> Int {
                var raw: UInt64 = 0
                var shift: UInt64 = 0
                while true {
                    let byte = batch[position]
                    position += 1
                    raw |= UInt64(byte & 0x7f) << shift
                    if byte & 0x80 == 0 { return Int(Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)) }
                    shift += 7
                }
            }
            let isControl = batch[22] & 0x20 != 0
            for _ in 0..<(isControl ? 0 : number(57..<61)) {
                _ = varint()
                position += 1
                _ = varint()
                let offsetDelta = varint()
                let keyLength = varint()
                position += max(0, keyLength)
                let valueLength = varint()
                let value =
                    valueLength < 0 ? nil : String(decoding: batch[position..<position + valueLength], as: UTF8.self)
                position += max(0, valueLength)
                _ = varint()
                records.append(Decoded(offset: baseOffset + Int64(offsetDelta), value: value))
            }
            batches.append(
                DecodedBatch(
                    baseOffset: baseOffset, lastOffset: baseOffset + number(23..<27),
                    isIntact: number(17..<21) == Int64(checksum), producerID: number(43..<51),
                    isTransactional: batch[22] & 0x10 != 0, outcome: isControl ? number(68..<70) : nil,
                    records: records))
            rest.removeFirst(count)
        }
        return batches
    }
}
