/// The productions of RFC 3339, section 5.6, over raw bytes: shared by instants and by the formats of JSON Schema.
public enum RFC3339 {
    /// A `full-time`: partial-time and offset.
    public struct Time: Sendable {
        /// 0...86,400; 86,400 only for a leap second at an offset of zero.
        public let secondOfDay: Int
        public let nanoseconds: Int32
        public let offsetSeconds: Int
        /// Written as `:60`. In UTC it is then 23:59:60; whether that day ends a month only a date can tell.
        public let isLeapSecond: Bool
    }

    /// Whether all bytes are a `full-date` that the calendar has.
    public static func isDate(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.count == 10 else { return false }
        return date(base) != nil
    }

    /// Whether all bytes are a `date-time` that calendar and clock have: an ``Instant``, not computed.
    public static func isDateTime(_ bytes: UnsafeRawBufferPointer) -> Bool {
        PlainDateTime(bytes) != nil || Instant(anyRFC3339: bytes) != nil
    }

    /// The `full-date` in the ten bytes at `base`.
    @inline(__always)
    static func date(_ base: UnsafeRawPointer) -> CivilDate? {
        let year = twoDigits(base, 0) &* 100 &+ twoDigits(base, 2)
        let month = twoDigits(base, 5)
        let day = twoDigits(base, 8)
        guard year | month | day < invalid, base.load(fromByteOffset: 4, as: UInt8.self) == UInt8(ascii: "-"),
            base.load(fromByteOffset: 7, as: UInt8.self) == UInt8(ascii: "-"),
            month >= 1, month <= 12, day >= 1
        else { return nil }
        if day > 28, day > CivilDate.daysInMonth(month, of: year) { return nil }
        return CivilDate(unchecked: year, month, day)
    }

    /// All bytes as a `full-time`, such as `23:20:50.52Z` or `08:30:06+01:00`.
    @inline(__always)
    public static func time(_ bytes: UnsafeRawBufferPointer) -> Time? {
        guard let base = bytes.baseAddress, bytes.count >= 9 else { return nil }
        let hour = twoDigits(base, 0)
        let minute = twoDigits(base, 3)
        let second = twoDigits(base, 6)
        guard hour <= 23, minute <= 59, second <= 60,
            base.load(fromByteOffset: 2, as: UInt8.self) == UInt8(ascii: ":"),
            base.load(fromByteOffset: 5, as: UInt8.self) == UInt8(ascii: ":")
        else { return nil }
        var position = 8
        var nanoseconds: UInt64 = 0
        if base.load(fromByteOffset: 8, as: UInt8.self) == UInt8(ascii: ".") {
            position = 9
            while position < bytes.count {
                let digit = base.load(fromByteOffset: position, as: UInt8.self) &- 0x30
                if digit > 9 { break }
                if position < 18 { nanoseconds = nanoseconds &* 10 &+ UInt64(digit) }
                position &+= 1
            }
            if position == 9 { return nil }
            if position < 18 { nanoseconds = nanoseconds &* PowersOfTen.small(18 &- position) }
        }
        guard position < bytes.count else { return nil }
        let sign = base.load(fromByteOffset: position, as: UInt8.self)
        var offset = 0
        if sign | 0x20 == UInt8(ascii: "z") {
            guard position &+ 1 == bytes.count else { return nil }
        } else {
            guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), position &+ 6 == bytes.count else {
                return nil
            }
            let offsetHour = twoDigits(base, position &+ 1)
            let offsetMinute = twoDigits(base, position &+ 4)
            guard offsetHour <= 23, offsetMinute <= 59,
                base.load(fromByteOffset: position &+ 3, as: UInt8.self) == UInt8(ascii: ":")
            else { return nil }
            offset = offsetHour &* 3_600 &+ offsetMinute &* 60
            if sign == UInt8(ascii: "-") { offset = 0 &- offset }
        }
        let secondOfDay = hour &* 3_600 &+ minute &* 60 &+ second
        if second == 60 {
            // A leap second is 23:59:60 in UTC, wherever it is written.
            let utc = secondOfDay &- offset
            guard utc == 0 || utc == 86_400 || utc == 172_800 else { return nil }
        }
        return Time(
            secondOfDay: secondOfDay, nanoseconds: Int32(truncatingIfNeeded: nanoseconds), offsetSeconds: offset,
            isLeapSecond: second == 60)
    }

    /// What a pair that is not two digits counts as; greater than any sum of valid parts.
    private static let invalid = 1 << 20

    @inline(__always)
    private static func twoDigits(_ base: UnsafeRawPointer, _ offset: Int) -> Int {
        let tens = base.load(fromByteOffset: offset, as: UInt8.self) &- 0x30
        let ones = base.load(fromByteOffset: offset &+ 1, as: UInt8.self) &- 0x30
        return tens <= 9 && ones <= 9 ? Int(tens) &* 10 &+ Int(ones) : invalid
    }
}
