/// A duration of ISO 8601, such as `P1Y2M10DT2H30M` or `PT1.5S` or `P2W`.
///
/// Months differ in length, and days where clocks change; so both are kept beside the exact time, and only what has none of them is a
/// ``Swift/Duration``.
public struct CalendarDuration: Sendable, Hashable {
    /// Years and months, in months.
    public let months: Int64
    /// Weeks and days, in days.
    public let days: Int64
    /// Hours, minutes and seconds.
    public let time: Duration

    public init(months: Int64 = 0, days: Int64 = 0, time: Duration = .zero) {
        self.months = months
        self.days = days
        self.time = time
    }

    /// The exact duration, with days of 24 hours; nil where there are months, or beyond 64 bits of seconds.
    public var duration: Duration? {
        guard months == 0 else { return nil }
        let (seconds, overflow) = days.multipliedReportingOverflow(by: 86_400)
        let (total, carried) = time.components.seconds.addingReportingOverflow(seconds)
        if overflow || carried { return nil }
        return Duration(secondsComponent: total, attosecondsComponent: time.components.attoseconds)
    }

    /// Parses ISO 8601: units from the greatest to the smallest, each once, a fraction (to the nanosecond, the rest cut off) only
    /// of seconds; a sign in front is taken for all. nil where the text is malformed or a part does not fit 64 bits.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { CalendarDuration(iso8601: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The same, of UTF-8 bytes.
    public init?(iso8601 bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard rest.popFirst() == UInt8(ascii: "P"), !rest.isEmpty else { return nil }
        var parts = Parts()
        guard parts.read(&rest, units: "YMWD") else { return nil }
        if rest.first == UInt8(ascii: "T") {
            rest.removeFirst()
            guard !rest.isEmpty, parts.read(&rest, units: "HMS", isTime: true) else { return nil }
        }
        guard rest.isEmpty else { return nil }
        let sign: Int64 = isNegative ? -1 : 1
        self.init(
            months: sign * parts.months, days: sign * parts.days,
            time: .seconds(sign * parts.seconds) + .nanoseconds(sign * parts.nanoseconds))
    }

    private struct Parts {
        var months: Int64 = 0
        var days: Int64 = 0
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0

        /// Reads numbers with units that follow the order of `units`, up to a `T` or the end.
        mutating func read(
            _ rest: inout Slice<UnsafeRawBufferPointer>, units: StaticString, isTime: Bool = false
        ) -> Bool {
            var least = 0
            while let first = rest.first, first != UInt8(ascii: "T") {
                guard let value = number(&rest) else { return false }
                var fraction: Int64?
                if rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") {
                    rest.removeFirst()
                    fraction = nanosecondFraction(&rest)
                    if fraction == nil { return false }
                }
                guard let unit = rest.popFirst(),
                    let place = (least..<units.utf8CodeUnitCount).first(where: { units.utf8Start[$0] == unit })
                else { return false }
                least = place + 1
                if let fraction {
                    guard isTime, unit == UInt8(ascii: "S") else { return false }
                    nanoseconds = fraction
                }
                guard add(value, unit, isTime: isTime) else { return false }
            }
            return true
        }

        private mutating func add(_ value: Int64, _ unit: UInt8, isTime: Bool) -> Bool {
            func sum(_ total: Int64, _ factor: Int64) -> Int64? {
                let (product, overflow) = value.multipliedReportingOverflow(by: factor)
                let (sum, carried) = total.addingReportingOverflow(product)
                return overflow || carried ? nil : sum
            }
            switch (unit, isTime) {
            case (UInt8(ascii: "Y"), _): return set(&months, sum(months, 12))
            case (UInt8(ascii: "M"), false): return set(&months, sum(months, 1))
            case (UInt8(ascii: "W"), _): return set(&days, sum(days, 7))
            case (UInt8(ascii: "D"), _): return set(&days, sum(days, 1))
            case (UInt8(ascii: "H"), _): return set(&seconds, sum(seconds, 3_600))
            case (UInt8(ascii: "M"), true): return set(&seconds, sum(seconds, 60))
            default: return set(&seconds, sum(seconds, 1))
            }
        }

        private func set(_ part: inout Int64, _ value: Int64?) -> Bool {
            guard let value else { return false }
            part = value
            return true
        }

        private func number(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Int64? {
            var value: Int64?
            while let byte = rest.first, byte &- 0x30 <= 9 {
                let (product, overflow) = (value ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, carried) = product.addingReportingOverflow(Int64(byte &- 0x30))
                if overflow || carried { return nil }
                value = sum
                rest.removeFirst()
            }
            return value
        }

        private func nanosecondFraction(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Int64? {
            var value: Int64 = 0
            var digits = 0
            while let byte = rest.first, byte &- 0x30 <= 9 {
                if digits < 9 { value = value * 10 + Int64(byte &- 0x30) }
                digits += 1
                rest.removeFirst()
            }
            if digits == 0 { return nil }
            return digits < 9 ? value * Int64(PowersOfTen.small(9 - digits)) : value
        }
    }
}

extension CalendarDuration: CustomStringConvertible {
    /// ISO 8601 in its shortest form: `P1Y2M3DT4H5M6.5S`, `PT0S`. Parts of different signs, which it has no text for, each show
    /// their own.
    public var description: String {
        let (seconds, attoseconds) = time.components
        let nanoseconds = attoseconds / 1_000_000_000
        let isNegative = months <= 0 && days <= 0 && seconds <= 0 && nanoseconds <= 0 && self != CalendarDuration()
        func digits(_ value: Int64) -> String { isNegative ? "\(value.magnitude)" : "\(value)" }
        var date = ""
        if months / 12 != 0 { date += digits(months / 12) + "Y" }
        if months % 12 != 0 { date += digits(months % 12) + "M" }
        if days != 0 { date += digits(days) + "D" }
        var clock = ""
        if seconds / 3_600 != 0 { clock += digits(seconds / 3_600) + "H" }
        if seconds / 60 % 60 != 0 { clock += digits(seconds / 60 % 60) + "M" }
        if seconds % 60 != 0 || nanoseconds != 0 {
            if !isNegative, seconds % 60 == 0, nanoseconds < 0 { clock += "-" }
            clock += digits(seconds % 60)
            if nanoseconds != 0 {
                var fraction = "\(nanoseconds.magnitude)"
                fraction = String(repeating: "0", count: 9 - fraction.count) + fraction
                while fraction.hasSuffix("0") { fraction.removeLast() }
                clock += "." + fraction
            }
            clock += "S"
        }
        if date.isEmpty, clock.isEmpty { return "PT0S" }
        return (isNegative ? "-P" : "P") + date + (clock.isEmpty ? "" : "T" + clock)
    }
}
