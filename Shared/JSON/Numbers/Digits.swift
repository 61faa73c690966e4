/// Integers as decimal digits, straight into memory.
enum Digits {
    /// The number of decimal digits: 1 for zero.
    static func count(_ value: UInt128) -> Int {
        if let small = UInt64(exactly: value) { return count(small) }
        var digits = PowersOfTen.largestSmall + 1
        while digits <= PowersOfTen.largest, value >= PowersOfTen.wide(digits) { digits += 1 }
        return digits
    }

    static func count(_ value: UInt64) -> Int {
        var digits = 1
        while digits <= PowersOfTen.largestSmall, value >= PowersOfTen.small(digits) { digits += 1 }
        return digits
    }

    /// Writes exactly `count` digits of `value`, padded with zeros at the front.
    @inline(__always)
    static func write(_ value: UInt64, count: Int, to base: UnsafeMutableRawPointer) {
        var rest = value
        var cursor = count
        while cursor > 0 {
            cursor -= 1
            let quotient = rest / 10
            base.storeBytes(
                of: UInt8(truncatingIfNeeded: rest &- quotient &* 10) &+ 0x30, toByteOffset: cursor, as: UInt8.self)
            rest = quotient
        }
    }

    /// Writes an integer with its sign and answers the number of bytes: at most 20.
    static func write(_ value: Int64, to base: UnsafeMutableRawPointer) -> Int {
        var position = 0
        if value < 0 {
            base.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            position = 1
        }
        let digits = count(value.magnitude)
        write(value.magnitude, count: digits, to: base + position)
        return position + digits
    }
}
