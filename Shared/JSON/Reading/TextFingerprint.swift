/// A text as two words and its length: all of it up to 16 bytes, both ends of a longer one. What tables of names and constants compare
/// in place of bytes.
@frozen
public struct TextFingerprint: Equatable {
    public let low: UInt64
    public let high: UInt64
    public let count: Int

    /// So many bytes are told apart by their fingerprints alone.
    @inlinable public static var exactLength: Int { 16 }

    /// Of the empty text.
    @inlinable
    public init() {
        low = 0
        high = 0
        count = 0
    }

    /// Words that overlap cover any length up to 16.
    @inlinable @inline(__always)
    public init(_ base: UnsafeRawPointer, count: Int) {
        self.count = count
        if count > 8 {
            low = UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
            high = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        } else {
            low = TextFingerprint.word(base, count: count)
            high = 0
        }
    }

    /// Up to eight bytes in the order of memory, the first in the lowest bits, with zeros behind.
    @inlinable @inline(__always)
    static func word(_ base: UnsafeRawPointer, count: Int) -> UInt64 {
        func half(_ offset: Int) -> UInt64 {
            UInt64(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        func byte(_ offset: Int) -> UInt64 { UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) }
        // What overlaps is the same bytes.
        if count >= 4 { return half(0) | half(count &- 4) << UInt64(truncatingIfNeeded: (count &- 4) &* 8) }
        if count <= 0 { return 0 }
        let (middle, last) = (count &>> 1, count &- 1)
        return byte(0) | byte(middle) << UInt64(truncatingIfNeeded: middle &* 8)
            | byte(last) << UInt64(truncatingIfNeeded: last &* 8)
    }

    /// Well spread; for tables that no record can fill.
    @inlinable
    public var hash: Int {
        @inline(__always) get {
            let mixed =
                (low ^ high &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)) &* 0xD6E8_FEB8_6659_FD93
            return Int(truncatingIfNeeded: mixed >> 32)
        }
    }
}
