/// Integers as decimal digits, straight into memory.
public enum Digits {
    /// Writes an integer with its sign and answers the number of bytes. With room for fewer than 20, nothing is written.
    public static func write(_ value: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = buffer.baseAddress, buffer.count >= 20 else { return 0 }
        return write(value, to: base)
    }

    /// Writes a number below 10^8 with zeros before it up to `width`, and answers the number of bytes: at most 8, for which there is
    /// room.
    public static func write(short value: UInt64, width: Int, to base: UnsafeMutableRawPointer) -> Int {
        let digits = min(8, max(count(value), width))
        let text = eight(value) &>> UInt64(truncatingIfNeeded: (8 &- digits) &* 8)
        base.storeBytes(of: text.littleEndian, as: UInt64.self)
        return digits
    }

    /// The number of decimal digits: 1 for zero.
    static func count(_ value: UInt128) -> Int {
        if let small = UInt64(exactly: value) { return count(small) }
        var digits = PowersOfTen.largestSmall + 1
        while digits <= PowersOfTen.largest, value >= PowersOfTen.wide(digits) { digits += 1 }
        return digits
    }

    static func count(_ value: UInt64) -> Int {
        // 1,233 of 4,096 is the logarithm of 2: so many digits a number of so many bits has, or one more. Zero counts as 1.
        let bits = 64 &- (value | 1).leadingZeroBitCount
        let digits = (bits &* 1_233) >> 12
        return value | 1 < PowersOfTen.small(digits) ? digits : digits &+ 1
    }

    /// The eight digits of a number below 10^8 as text, the first in the lowest byte. Halves, quarters and digits are divided side by
    /// side, by multiplications that are exact for so few digits.
    @inline(__always)
    static func eight(_ value: UInt64) -> UInt64 {
        let high = value / 10_000
        let halves = high | (value &- high &* 10_000) << 32
        let hundreds = (halves &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let quarters = hundreds | (halves &- hundreds &* 100) << 16
        let tens = (quarters &* 103) >> 10 & 0x000F_000F_000F_000F
        return (tens | (quarters &- tens &* 10) << 8) | 0x3030_3030_3030_3030
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
    @inline(__always)
    static func write(_ value: Int64, to base: UnsafeMutableRawPointer) -> Int {
        var position = 0
        if value < 0 {
            base.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            position = 1
        }
        return position + write(value.magnitude, to: base + position)
    }

    /// Writes an integer and answers the number of bytes: at most 20. There is room for eight at least, and for all its digits.
    static func write(_ value: UInt64, to base: UnsafeMutableRawPointer) -> Int {
        if value < 100_000_000 {
            let digits = count(value)
            // Stored whole; what follows overwrites what is too much.
            let text = eight(value) &>> UInt64(truncatingIfNeeded: (8 &- digits) &* 8)
            base.storeBytes(of: text.littleEndian, as: UInt64.self)
            return digits
        }
        var high = value / 100_000_000
        let rest = eight(value &- high &* 100_000_000)
        var position = 0
        if high >= 100_000_000 {
            // Four digits more at most.
            position = write(high / 100_000_000, to: base)
            high %= 100_000_000
            base.storeBytes(of: eight(high).littleEndian, toByteOffset: position, as: UInt64.self)
            position &+= 8
        } else {
            position = count(high)
            let text = eight(high) &>> UInt64(truncatingIfNeeded: (8 &- position) &* 8)
            base.storeBytes(of: text.littleEndian, as: UInt64.self)
        }
        base.storeBytes(of: rest.littleEndian, toByteOffset: position, as: UInt64.self)
        return position &+ 8
    }
}
