/// A number of up to eight bytes that are digits with at most one point among them: `129.95`. Read as one word; everything else that
/// numbers may be is left to ``Decimal``.
struct PlainDecimal {
    let digits: UInt64
    let scale: Int

    /// nil where the bytes are no such number.
    @inline(__always)
    init?(_ base: UnsafeRawPointer, count: Int) {
        guard count &- 1 < 8, count > 0 else { return nil }
        // The last byte goes to the highest bits, and zeros to the front. Exclusive or makes digits 0 to 9 and the point 0x1E.
        let shift = UInt64(truncatingIfNeeded: 64 &- count &* 8)
        let zeros = ((0x3030_3030_3030_3030 as UInt64) &>> (56 &- shift)) >> 8
        var text = (TextFingerprint.word(base, count: count) &<< shift | zeros) ^ 0x3030_3030_3030_3030
        let points = text ^ 0x1E1E_1E1E_1E1E_1E1E
        // The highest bit of the first byte that is a point; what a borrow makes of those after it is no matter.
        let found = (points &- 0x0101_0101_0101_0101) & ~points & 0x8080_8080_8080_8080
        var scale = 0
        if found != 0 {
            let place = UInt64(truncatingIfNeeded: found.trailingZeroBitCount &- 7)
            // A digit before the point, and one behind it.
            guard place > shift, place < 56 else { return nil }
            scale = Int(truncatingIfNeeded: 7 &- place >> 3)
            let before: UInt64 = 1 &<< place &- 1
            // The digits before the point move to its place.
            text = (text & before) << 8 | text & ~(before << 8 | 0xFF)
        }
        // Adding takes what is above 9 to 0x80; a carry comes only from bytes that have hit themselves.
        guard (text &+ 0x7676_7676_7676_7676 | text) & 0x8080_8080_8080_8080 == 0 else { return nil }
        // Pairs of digits, then fours, then all eight.
        text = text &* 10 &+ text >> 8
        let low = (text & 0x0000_00FF_0000_00FF) &* (100 &+ 1_000_000 << 32)
        let high = (text >> 16 & 0x0000_00FF_0000_00FF) &* (1 &+ 10_000 << 32)
        digits = (low &+ high) >> 32
        self.scale = scale
    }
}
