internal import JSON

/// How timestamps are written for those who read the event. Dates and times of day are always ISO 8601.
public enum TimeForm: String, Sendable, Hashable, CaseIterable {
    /// A string in RFC 3339: `"2026-03-01T10:00:00.123456Z"`. PostgreSQL's infinite times are `"infinity"` and `"-infinity"`.
    case rfc3339
    /// A number: milliseconds since 1970, rounded down.
    case epochMilliseconds = "epoch_milliseconds"
}

/// Times, from every encoding that Debezium has for them to ISO 8601 or an epoch.
enum TimeText {
    /// What Debezium makes of the infinities of PostgreSQL's `timestamp`, in microseconds.
    private static let infinityMicroseconds: Int64 = 9_223_372_036_825_200_000
    private static let minusInfinityMicroseconds: Int64 = -9_223_372_036_832_400_000
    /// The same as days: 32 bits have overflowed, so that both are negative.
    private static let infinityDays: Int64 = -2_147_472_692
    private static let minusInfinityDays: Int64 = -2_147_472_691
    /// The same in its ISO modes.
    private static let infinityTexts: [StaticString] = ["+294247-01-10T04:00:25.2Z", "-5877611-06-21Z"]
    private static let minusInfinityTexts: [StaticString] = ["-290308-12-21T19:59:27.6Z", "-5877611-06-22Z"]

    // MARK: Dates

    static func writeDate(_ value: JSONValue, into output: OutputBuffer) throws(ColumnProblem) {
        if let text = value.string { return writeWithoutZone(text, into: output) }
        guard let days = value.int64 else { throw .kind(value.kind, expected: "a number of days or a date") }
        switch days {
        case infinityDays: quote("infinity", output)
        case minusInfinityDays: quote("-infinity", output)
        default:
            let (seconds, overflow) = days.multipliedReportingOverflow(by: 86_400)
            guard !overflow, let midnight = Instant(seconds: seconds) else { throw .noSuchTime("\(days) days") }
            output.append(UInt8(ascii: "\""))
            let start = output.count
            output.append(midnight)
            // The date is what stands before the T.
            if let end = output.bytes[start...].firstIndex(of: UInt8(ascii: "T")) { output.truncate(to: end) }
            output.append(UInt8(ascii: "\""))
        }
    }

    // MARK: Times of day

    static func writeTimeOfDay(_ value: JSONValue, unit: TimeUnit, into output: OutputBuffer) throws(ColumnProblem) {
        if let text = value.string { return writeWithoutZone(text, into: output) }
        guard let count = value.int64 else { throw .kind(value.kind, expected: "a time since midnight") }
        let (seconds, rest) = count.quotientAndRemainder(dividingBy: unit.perSecond)
        // 24:00:00 is a time of day in SQL.
        guard count >= 0, seconds < 86_400 || seconds == 86_400 && rest == 0 else {
            throw .noSuchTime("a time of day of \(count) \(unit.rawValue)")
        }
        output.append(UInt8(ascii: "\""))
        append(seconds / 3_600, digits: 2, to: output)
        output.append(UInt8(ascii: ":"))
        append(seconds / 60 % 60, digits: 2, to: output)
        output.append(UInt8(ascii: ":"))
        append(seconds % 60, digits: 2, to: output)
        if rest != 0 {
            var fraction = rest * (1_000_000_000 / unit.perSecond)
            var digits = 9
            while fraction % 1_000 == 0 {
                fraction /= 1_000
                digits -= 3
            }
            output.append(UInt8(ascii: "."))
            append(fraction, digits: digits, to: output)
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func append(_ value: Int64, digits: Int, to output: OutputBuffer) {
        var power: Int64 = 1
        for _ in 1..<digits { power *= 10 }
        while power > 1, value < power {
            output.append(UInt8(ascii: "0"))
            power /= 10
        }
        output.append(value)
    }

    /// `2026-02-28Z` and `13:14:15Z` say what a clock on the wall showed; the Z is not the column's.
    private static func writeWithoutZone(_ text: JSONString, into output: OutputBuffer) {
        if let infinity = infinity(text) { return quote(infinity, output) }
        var bytes = text.rawBytes[...]
        if bytes.last == UInt8(ascii: "Z") { bytes = bytes.dropLast() }
        output.append(UInt8(ascii: "\""))
        output.append(UnsafeRawBufferPointer(rebasing: bytes))
        output.append(UInt8(ascii: "\""))
    }

    // MARK: Timestamps

    static func writeTimestamp(
        _ value: JSONValue, unit: TimeUnit, form: TimeForm, into output: OutputBuffer
    ) throws(ColumnProblem) {
        if let text = value.string { return try write(text, form: form, into: output) }
        guard let count = value.int64 else { throw .kind(value.kind, expected: "a time since 1970 or in ISO 8601") }
        if let infinity = infinity(count, unit) {
            if form == .epochMilliseconds { throw .noSuchTime(infinity.description) }
            return quote(infinity, output)
        }
        var (seconds, rest) = count.quotientAndRemainder(dividingBy: unit.perSecond)
        if rest < 0 {
            seconds -= 1
            rest += unit.perSecond
        }
        guard let instant = Instant(seconds: seconds, nanoseconds: Int32(rest * (1_000_000_000 / unit.perSecond)))
        else {
            throw .noSuchTime("\(count) \(unit.rawValue)")
        }
        switch form {
        case .rfc3339: JSONWriter(output).instant(instant)
        case .epochMilliseconds: output.append(instant.millisecondsSinceEpoch)
        }
    }

    private static func write(_ text: JSONString, form: TimeForm, into output: OutputBuffer) throws(ColumnProblem) {
        let instant = Instant(rfc3339: text.rawBytes)
        switch form {
        case .epochMilliseconds:
            guard let instant else { throw .noSuchTime("\"\(text.string.shortened)\"") }
            output.append(instant.millisecondsSinceEpoch)
        case .rfc3339:
            if instant == nil, let infinity = infinity(text) { return quote(infinity, output) }
            // Years that RFC 3339 has not, and infinities, are passed on as they are: nobody can do better.
            guard instant != nil || isBeyondRFC3339(text) else { throw .notATimestamp(text.string.shortened) }
            output.append(UInt8(ascii: "\""))
            output.append(text.rawBytes)
            output.append(UInt8(ascii: "\""))
        }
    }

    private static func isBeyondRFC3339(_ text: JSONString) -> Bool {
        guard let first = text.rawBytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") else {
            return false
        }
        return text.rawBytes.last == UInt8(ascii: "Z")
    }

    private static func infinity(_ text: JSONString) -> StaticString? {
        if text.isEqual(to: "infinity") || infinityTexts.contains(where: { text.isEqual(to: $0) }) { return "infinity" }
        if text.isEqual(to: "-infinity") || minusInfinityTexts.contains(where: { text.isEqual(to: $0) }) {
            return "-infinity"
        }
        return nil
    }

    private static func quote(_ text: StaticString, _ output: OutputBuffer) {
        output.append(UInt8(ascii: "\""))
        output.append(text)
        output.append(UInt8(ascii: "\""))
    }

    private static func infinity(_ count: Int64, _ unit: TimeUnit) -> StaticString? {
        let divisor: Int64
        switch unit {
        case .milliseconds: divisor = 1_000
        case .microseconds: divisor = 1
        case .nanoseconds: return nil
        }
        if count == infinityMicroseconds / divisor { return "infinity" }
        if count == minusInfinityMicroseconds / divisor { return "-infinity" }
        return nil
    }
}
