internal import CLinux

/// The Castagnoli checksum of record batches and of the journal: the processor's own where it has one, else by tables,
/// sixteen bytes a step.
package enum CRC32C {
    private static let stepBytes = 16

    /// `tables[k * 256 + b]` is the checksum of byte b followed by k zero bytes.
    nonisolated(unsafe) private static let tables: UnsafePointer<UInt32> = {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: stepBytes * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<stepBytes * 256 {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xff)]
        }
        return UnsafePointer(tables)
    }()

    private static let isInHardware = clinux_has_crc32c()

    /// The checksum of `bytes`; give the result of one call as `previous` to go on with the bytes that follow.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, after previous: UInt32 = 0) -> UInt32 {
        guard let base = bytes.baseAddress else { return previous }
        if isInHardware { return ~clinux_crc32c(~previous, base.assumingMemoryBound(to: UInt8.self), bytes.count) }
        return checksumByTables(bytes, base, after: previous)
    }

    private static func checksumByTables(
        _ bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, after previous: UInt32
    ) -> UInt32 {
        let tables = Self.tables
        var crc = ~previous
        var position = 0
        let steps = bytes.count / stepBytes * stepBytes
        while position < steps {
            let low = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(crc)
            let high = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
            crc = fold(low, tables, firstTable: 15) ^ fold(high, tables, firstTable: 7)
            position += stepBytes
        }
        while position < bytes.count {
            crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[position])]
            position += 1
        }
        return ~crc
    }

    @inline(__always)
    private static func fold(_ word: UInt64, _ tables: UnsafePointer<UInt32>, firstTable: Int) -> UInt32 {
        @inline(__always)
        func entry(_ byte: Int) -> UInt32 {
            tables[(firstTable - byte) * 256 + Int(UInt8(truncatingIfNeeded: word >> UInt64(byte * 8)))]
        }
        return entry(0) ^ entry(1) ^ entry(2) ^ entry(3) ^ entry(4) ^ entry(5) ^ entry(6) ^ entry(7)
    }
}
