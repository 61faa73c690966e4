/// A date-time as nearly everyone writes it, `2026-11-21T14:30:05.120Z`: capital letters, UTC, no leap second, at most nine digits of
/// a fraction. Read eight bytes at a time; whatever else RFC 3339 allows is left to ``RFC3339``.
struct PlainDateTime {
    let year: Int
    let month: Int
    let day: Int
    let secondOfDay: Int
    let nanoseconds: Int32

    /// nil where the bytes are no such date-time.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= 20, bytes.count <= 30 else { return nil }
        // Exclusive or makes digits 0 to 9 and the rest of the pattern 0. Words overlap: each covers whole pairs of digits.
        let date = PlainDateTime.word(base, 0) ^ PlainDateTime.pattern("0000-00-")
        let dayWord = PlainDateTime.word(base, 3) ^ PlainDateTime.pattern("0-00-00T")
        let time = PlainDateTime.word(base, 11) ^ PlainDateTime.pattern("00:00:00")
        // Adding takes what is beyond its place's limit to 0x80; a carry comes only from bytes that have hit themselves.
        let faults =
            (date &+ 0x7F76_767F_7676_7676) | date | (dayWord &+ 0x7F76_767F_7676_7F76) | dayWord
            | (time &+ 0x7676_7F76_767F_7676) | time
        guard faults & 0x8080_8080_8080_8080 == 0 else { return nil }
        // Of each pair, the tens times ten and the ones.
        let dates = date &* 10 &+ date >> 8
        let days = dayWord &* 10 &+ dayWord >> 8
        let times = time &* 10 &+ time >> 8
        year = PlainDateTime.byte(dates, 0) &* 100 &+ PlainDateTime.byte(dates, 2)
        month = PlainDateTime.byte(dates, 5)
        day = PlainDateTime.byte(days, 5)
        let hour = PlainDateTime.byte(times, 0)
        let minute = PlainDateTime.byte(times, 3)
        let second = PlainDateTime.byte(times, 6)
        guard month &- 1 < 12, month > 0, day > 0, hour < 24, minute < 60, second < 60 else { return nil }
        if day > 28, day > CivilDate.daysInMonth(month, of: year) { return nil }
        secondOfDay = hour &* 3_600 &+ minute &* 60 &+ second
        let last = bytes.count &- 1
        guard base.load(fromByteOffset: last, as: UInt8.self) == UInt8(ascii: "Z") else { return nil }
        var fraction: UInt64 = 0
        if last == 23 {
            // Milliseconds.
            let end = PlainDateTime.word(base, 16) ^ PlainDateTime.pattern(":00.000Z")
            guard ((end &+ 0x7F76_7676_7F76_767F) | end) & 0x8080_8080_8080_8080 == 0 else { return nil }
            let milliseconds =
                PlainDateTime.byte(end, 4) &* 100 &+ PlainDateTime.byte(end, 5) &* 10 &+ PlainDateTime.byte(end, 6)
            fraction = UInt64(truncatingIfNeeded: milliseconds) &* 1_000_000
        } else if last > 19 {
            guard last > 20, base.load(fromByteOffset: 19, as: UInt8.self) == UInt8(ascii: ".") else { return nil }
            var position = 20
            while position < last {
                let digit = base.load(fromByteOffset: position, as: UInt8.self) &- 0x30
                if digit > 9 { return nil }
                fraction = fraction &* 10 &+ UInt64(digit)
                position &+= 1
            }
            fraction = fraction &* PowersOfTen.small(29 &- last)
        }
        nanoseconds = Int32(truncatingIfNeeded: fraction)
    }

    /// Since 1970-01-01. With the years from 0 on, March first, all divisions are of numbers that are not negative.
    var daysSinceEpoch: Int {
        @inline(__always) get {
            let isEarly = month <= 2
            let years = UInt64(truncatingIfNeeded: isEarly ? year &+ 399 : year &+ 400)
            let months = UInt64(truncatingIfNeeded: isEarly ? month &+ 9 : month &- 3)
            let centuries = years / 100
            let leapDays = years >> 2 &- centuries &+ centuries >> 2
            let days = years &* 365 &+ leapDays &+ (months &* 153 &+ 2) / 5
            // An era of 400 years was added.
            return Int(truncatingIfNeeded: days) &+ day &- 1 &- 719_468 &- 146_097
        }
    }

    @inline(__always)
    private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func pattern(_ text: StaticString) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    private static func byte(_ word: UInt64, _ index: UInt64) -> Int {
        Int(truncatingIfNeeded: word >> (index &* 8) & 0xFF)
    }
}
