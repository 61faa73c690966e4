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
