import Foundation

/// Times as text and back, by the calendar alone and independent of the services' own.
enum CivilClock {
    /// `2025-01-13T15:30:45.123Z`, or with an offset.
    static func text(_ milliseconds: Int64, offsetMinutes: Int64 = 0) -> String {
        let local = milliseconds + offsetMinutes * 60_000
        let day = Int64((Double(local) / 86_400_000).rounded(.down))
        let rest = local - day * 86_400_000
        let (year, month, dayOfMonth) = date(daysSince1970: day)
        let time = String(
            format: "%04d-%02d-%02dT%02d:%02d:%02d.%03d", year, month, dayOfMonth, rest / 3_600_000, rest / 60_000 % 60,
            rest / 1_000 % 60, rest % 1_000)
        if offsetMinutes == 0 { return time + "Z" }
        let size = abs(offsetMinutes)
        return time + String(format: "%@%02d:%02d", offsetMinutes < 0 ? "-" : "+", size / 60, size % 60)
    }

    /// Milliseconds of an RFC 3339 date-time; nil for all else.
    static func milliseconds(_ text: String) -> Int64? {
        let bytes = [UInt8](text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] | 0x20 == 0x74, bytes[13] == 0x3A,
            bytes[16] == 0x3A, let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
            let second = number(bytes[17..<19]), hour < 24, minute < 60, second < 60
        else { return nil }
        let days = daysSince1970(year, month, day)
        guard days >= -719_528, date(daysSince1970: days) == (year, month, day) else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == 0x2E {
            position += 1
            var scale: Int64 = 100
            let start = position
            while position < bytes.count, let digit = number(bytes[position...position]) {
                fraction += digit * scale
                scale /= 10
                position += 1
            }
            if position == start { return nil }
        }
        var offset: Int64 = 0
        let zone = bytes[position...]
        if zone.count == 6, zone[position + 3] == 0x3A, zone[position] == 0x2B || zone[position] == 0x2D,
            let hours = number(zone[(position + 1)...(position + 2)]), let minutes = number(zone[(position + 4)...]),
            hours < 24, minutes < 60
        {
            offset = (hours * 60 + minutes) * (zone[position] == 0x2B ? 1 : -1)
        } else if zone.count != 1 || zone[position] | 0x20 != 0x7A {
            return nil
        }
        return ((days * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1_000 + fraction
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return digits.isEmpty ? nil : value
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func length(_ month: Int64, _ year: Int64) -> Int64 {
        month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Counted year by year and month by month: slow, and plainly right.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        guard (1...12).contains(month), (1...length(month, year)).contains(day) else { return .min }
        var days = yearStart(year)
        for earlier in 1..<13 as Range<Int64> where earlier < month { days += length(earlier, year) }
        return days + day - 1
    }

    private static func yearStart(_ year: Int64) -> Int64 {
        let before = year - 1
        return before * 365 + before / 4 - before / 100 + before / 400 - 719_162
    }

    private static func date(daysSince1970 days: Int64) -> (Int64, Int64, Int64) {
        var year = 1970 + days / 366
        while yearStart(year + 1) <= days { year += 1 }
        while yearStart(year) > days { year -= 1 }
        var rest = days - yearStart(year)
        var month: Int64 = 1
        while rest >= length(month, year) {
            rest -= length(month, year)
            month += 1
        }
        return (year, month, rest + 1)
    }
}
