/// A date-time as nearly everyone writes it, `2026-11-21T14:30:05.120Z`: capital letters, UTC, no leap second, at most nine digits of
/// a fraction. Read eight bytes at a time; whatever else RFC 3339 allows is left to ``RFC3339``.
struct PlainDateTime {
    let date: PlainDate
    let time: PlainTime

    /// nil where the bytes are no such date-time.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= 20, bytes.count <= 30,
            let date = PlainDate(PlainDate.words(base)), let time = PlainTime(base, count: bytes.count)
        else { return nil }
        self.date = date
        self.time = time
    }

    /// The same, where the day is the one known, of the time alone.
    @inline(__always)
    static func instant(_ bytes: UnsafeRawBufferPointer, day: inout KnownDay) -> Instant? {
        guard let base = bytes.baseAddress, bytes.count >= 20, bytes.count <= 30 else { return nil }
        let words = PlainDate.words(base)
        if words != day.words {
            guard let date = PlainDate(words) else { return nil }
            day.words = words
            day.seconds = Int64(date.daysSinceEpoch &* 86_400)
        }
        guard let time = PlainTime(base, count: bytes.count) else { return nil }
        return Instant(unchecked: day.seconds &+ Int64(time.secondOfDay), time.nanoseconds)
    }
}

/// The day of the time read last: of a stream, that of the next as a rule.
public struct KnownDay {
    fileprivate var words: (UInt64, UInt64)
    fileprivate var seconds: Int64

    /// 1970-01-01, until another is read.
    public init() {
        words = (PlainWord.pattern("1970-01-"), PlainWord.pattern("0-01-01T"))
        seconds = 0
    }
}

/// The first eleven bytes of a date-time, the `T` among them. Exclusive or makes digits 0 to 9 and the rest of a pattern 0.
struct PlainDate {
    let year: Int
    let month: Int
    let day: Int

    /// They overlap: each covers whole pairs of digits.
    @inline(__always)
    static func words(_ base: UnsafeRawPointer) -> (UInt64, UInt64) {
        (PlainWord.load(base, 0), PlainWord.load(base, 3))
    }

    @inline(__always)
    init?(_ words: (UInt64, UInt64)) {
        let date = words.0 ^ PlainWord.pattern("0000-00-")
        let dayWord = words.1 ^ PlainWord.pattern("0-00-00T")
        // Adding takes what is beyond its place's limit to 0x80; a carry comes only from bytes that have hit themselves.
        let faults =
            (date &+ 0x7F76_767F_7676_7676) | date | (dayWord &+ 0x7F76_767F_7676_7F76) | dayWord
        guard faults & 0x8080_8080_8080_8080 == 0 else { return nil }
        // Of each pair, the tens times ten and the ones.
        let dates = date &* 10 &+ date >> 8
        let days = dayWord &* 10 &+ dayWord >> 8
        year = PlainWord.byte(dates, 0) &* 100 &+ PlainWord.byte(dates, 2)
        month = PlainWord.byte(dates, 5)
        day = PlainWord.byte(days, 5)
        guard month &- 1 < 12, month > 0, day > 0 else { return nil }
        if day > 28, day > CivilDate.daysInMonth(month, of: year) { return nil }
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
}

/// The rest of a date-time of 20 to 30 bytes.
struct PlainTime {
    let secondOfDay: Int
    let nanoseconds: Int32

    @inline(__always)
    init?(_ base: UnsafeRawPointer, count: Int) {
        let time = PlainWord.load(base, 11) ^ PlainWord.pattern("00:00:00")
        guard ((time &+ 0x7676_7F76_767F_7676) | time) & 0x8080_8080_8080_8080 == 0 else { return nil }
        let times = time &* 10 &+ time >> 8
        let hour = PlainWord.byte(times, 0)
        let minute = PlainWord.byte(times, 3)
        let second = PlainWord.byte(times, 6)
        guard hour < 24, minute < 60, second < 60 else { return nil }
        secondOfDay = hour &* 3_600 &+ minute &* 60 &+ second
        let last = count &- 1
        if last == 23 {
            // Milliseconds.
            let end = PlainWord.load(base, 16) ^ PlainWord.pattern(":00.000Z")
            guard ((end &+ 0x7F76_7676_7F76_767F) | end) & 0x8080_8080_8080_8080 == 0 else { return nil }
            let milliseconds = PlainWord.byte(end, 4) &* 100 &+ PlainWord.byte(end, 5) &* 10 &+ PlainWord.byte(end, 6)
            nanoseconds = Int32(truncatingIfNeeded: milliseconds &* 1_000_000)
            return
        }
        guard base.load(fromByteOffset: last, as: UInt8.self) == UInt8(ascii: "Z") else { return nil }
        var fraction: UInt64 = 0
        if last > 19 {
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
}

/// Eight bytes of a text, the first in the lowest bits.
private enum PlainWord {
    @inline(__always)
    static func load(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    static func pattern(_ text: StaticString) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    static func byte(_ word: UInt64, _ index: UInt64) -> Int {
        Int(truncatingIfNeeded: word >> (index &* 8) & 0xFF)
    }
}
