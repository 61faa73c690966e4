/// How many digits of the second's fraction to write.
public enum FractionDigits: Sendable, Hashable {
    /// None, 3, 6 or 9: the least that lose nothing.
    case asNeeded
    /// Exactly so many, 0...9; what does not fit is cut off.
    case exactly(Int)
}

extension Instant {
    /// Parses an RFC 3339 date-time: `2026-11-21T14:30:00.25+01:00`. The offset (or `Z`) is required; no `24:00`.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { Instant(rfc3339: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Parses the bytes of an RFC 3339 date-time (RFC 3339, section 5.6). Nothing is allocated.
    ///
    /// The calendar is checked, years 0000 to 9999. A leap second (`23:59:60` in UTC, on the last day of a month) is the
    /// instant after `23:59:59`, as POSIX time counts it. Digits beyond nanoseconds are checked and cut off.
    public init?(rfc3339 bytes: UnsafeRawBufferPointer) {
        if let plain = PlainDateTime(bytes) {
            let seconds = plain.date.daysSinceEpoch &* 86_400 &+ plain.time.secondOfDay
            self.init(unchecked: Int64(seconds), plain.time.nanoseconds)
            return
        }
        self.init(anyRFC3339: bytes)
    }

    /// The same for one of many that lie on the same day, as a rule.
    public init?(rfc3339 bytes: UnsafeRawBufferPointer, day: inout KnownDay) {
        if let plain = PlainDateTime.instant(bytes, day: &day) {
            self = plain
            return
        }
        self.init(anyRFC3339: bytes)
    }

    /// The whole grammar; what the way for plain date-times is tested against.
    @inline(never)
    package init?(anyRFC3339 bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= 20 else { return nil }
        guard let date = RFC3339.date(base), base.load(fromByteOffset: 10, as: UInt8.self) | 0x20 == UInt8(ascii: "t"),
            let time = RFC3339.time(UnsafeRawBufferPointer(start: base + 11, count: bytes.count &- 11))
        else { return nil }
        let days = date.daysSinceEpoch
        let local = days &* 86_400 &+ time.secondOfDay
        let seconds = local &- time.offsetSeconds
        if time.isLeapSecond {
            // Counted as the first second of the next day, which must be the first of a month.
            guard CivilDate(daysSinceEpoch: seconds / 86_400).day == 1 else { return nil }
        }
        self.init(unchecked: Int64(seconds), time.nanoseconds)
    }

    /// The most bytes that ``write(into:fraction:offsetSeconds:)`` writes.
    public static let maximumByteCount = 48

    /// Writes the instant as RFC 3339 and answers the number of bytes. Nothing is allocated.
    ///
    /// `buffer` holds at least ``maximumByteCount`` bytes; with fewer, nothing is written and the answer is 0. At offset 0 it
    /// ends in `Z`; other offsets are in whole minutes. Years beyond 9999 or before 0000, which RFC 3339 has not, get a sign and
    /// at least six digits, as ISO 8601 and ECMAScript write them.
    @discardableResult
    public func write(
        into buffer: UnsafeMutableRawBufferPointer, fraction: FractionDigits = .asNeeded, offsetSeconds: Int = 0
    ) -> Int {
        guard let base = buffer.baseAddress, buffer.count >= Instant.maximumByteCount else { return 0 }
        return write(to: base, fraction: fraction, offsetSeconds: offsetSeconds)
    }

    /// The same for memory known to hold ``maximumByteCount`` bytes.
    func write(to base: UnsafeMutableRawPointer, fraction: FractionDigits, offsetSeconds: Int) -> Int {
        let offsetMinutes = max(-1_439, min(1_439, offsetSeconds / 60))
        let civil = CivilTime(self, offsetSeconds: offsetMinutes &* 60)
        var position = 0
        func put(_ byte: UInt8) {
            base.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
            position &+= 1
        }
        func put(_ value: Int, digits: Int) {
            Digits.write(UInt64(value.magnitude), count: digits, to: base + position)
            position &+= digits
        }
        if (0...9_999).contains(civil.year) {
            put(civil.year, digits: 4)
        } else {
            put(UInt8(ascii: civil.year < 0 ? "-" : "+"))
            put(civil.year, digits: max(6, Digits.count(UInt64(civil.year.magnitude))))
        }
        put(UInt8(ascii: "-"))
        put(civil.month, digits: 2)
        put(UInt8(ascii: "-"))
        put(civil.day, digits: 2)
        put(UInt8(ascii: "T"))
        put(civil.hour, digits: 2)
        put(UInt8(ascii: ":"))
        put(civil.minute, digits: 2)
        put(UInt8(ascii: ":"))
        put(civil.second, digits: 2)
        let digits = fraction.count(of: civil.nanosecond)
        if digits > 0 {
            put(UInt8(ascii: "."))
            put(civil.nanosecond / Int(PowersOfTen.small(9 - digits)), digits: digits)
        }
        if offsetMinutes == 0 {
            put(UInt8(ascii: "Z"))
        } else {
            put(UInt8(ascii: offsetMinutes < 0 ? "-" : "+"))
            put(abs(offsetMinutes) / 60, digits: 2)
            put(UInt8(ascii: ":"))
            put(abs(offsetMinutes) % 60, digits: 2)
        }
        return position
    }

    /// The instant as RFC 3339 text.
    public func formatted(fraction: FractionDigits = .asNeeded, offsetSeconds: Int = 0) -> String {
        withUnsafeTemporaryAllocation(byteCount: Instant.maximumByteCount, alignment: 1) { buffer in
            let count = write(into: buffer, fraction: fraction, offsetSeconds: offsetSeconds)
            return String(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<count]), as: UTF8.self)
        }
    }
}

extension Instant: CustomStringConvertible {
    /// RFC 3339 in UTC, with as many digits as needed.
    public var description: String { formatted() }
}

extension FractionDigits {
    fileprivate func count(of nanosecond: Int) -> Int {
        switch self {
        case .exactly(let digits): max(0, min(9, digits))
        case .asNeeded:
            nanosecond == 0 ? 0 : nanosecond % 1_000_000 == 0 ? 3 : nanosecond % 1_000 == 0 ? 6 : 9
        }
    }
}
