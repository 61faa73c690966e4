internal import Glibc

/// A point in time to the nanosecond, counted as POSIX does: every day has 86,400 seconds.
///
/// The range is what 64 bits of milliseconds reach, some 292 million years either side of 1970. RFC 3339 writes the years 0000 to
/// 9999 of it.
///
/// ```swift
/// let placed = Instant("2026-11-21T14:30:05.120+01:00")    // nil where the text is no such time
/// placed?.description                                       // 2026-11-21T13:30:05.120Z
/// placed?.millisecondsSinceEpoch                            // what Kafka has for timestamps
/// ```
public struct Instant: Sendable, Hashable {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    public let seconds: Int64
    @usableFromInline let storedNanoseconds: Int32

    /// What is to be added to ``seconds``: 0...999,999,999, also before 1970.
    public var nanoseconds: Int32 { storedNanoseconds }

    public static let epoch = Instant(unchecked: 0, 0)

    /// The greatest distance from 1970 in seconds.
    static let secondsLimit = Int64.max / 1_000

    /// nil where `nanoseconds` is not in 0..<1,000,000,000 or the seconds are out of range.
    public init?(seconds: Int64, nanoseconds: Int32 = 0) {
        guard (0..<1_000_000_000).contains(nanoseconds), seconds >= -Instant.secondsLimit - 1,
            seconds <= Instant.secondsLimit
        else { return nil }
        self.init(unchecked: seconds, nanoseconds)
    }

    @inline(__always)
    init(unchecked seconds: Int64, _ nanoseconds: Int32) {
        self.seconds = seconds
        self.storedNanoseconds = nanoseconds
    }

    /// The instant of a Kafka timestamp. Every 64-bit value is one.
    public init(millisecondsSinceEpoch: Int64) {
        var seconds = millisecondsSinceEpoch / 1_000
        var rest = millisecondsSinceEpoch % 1_000
        if rest < 0 {
            seconds -= 1
            rest += 1_000
        }
        self.init(unchecked: seconds, Int32(truncatingIfNeeded: rest * 1_000_000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down; at the very ends of the range, the nearest that 64 bits hold.
    public var millisecondsSinceEpoch: Int64 {
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = milliseconds.addingReportingOverflow(Int64(storedNanoseconds / 1_000_000))
        return carried ? .max : sum
    }

    /// The time of the system's clock.
    public static func now() -> Instant {
        // Two words: which module the compiler counts timespec's members to depends on what else a file uses, so they stay
        // unnamed.
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { words in
            words.initialize(repeating: 0)
            words.withMemoryRebound(to: timespec.self) { time in
                if let time = time.baseAddress { clock_gettime(CLOCK_REALTIME, time) }
            }
            return Instant(unchecked: Int64(words[0]), Int32(truncatingIfNeeded: words[1]))
        }
    }

    /// The instant `duration` later, to the nanosecond (rounded down); nil beyond the range.
    public func advanced(by duration: Duration) -> Instant? {
        let (wholeSeconds, attoseconds) = duration.components
        var nanoseconds = Int64(storedNanoseconds) + attoseconds.quotientRoundedDown(by: 1_000_000_000)
        let (sum, overflow) = seconds.addingReportingOverflow(wholeSeconds)
        if overflow { return nil }
        let carry = nanoseconds.quotientRoundedDown(by: 1_000_000_000)
        nanoseconds -= carry * 1_000_000_000
        let (total, carried) = sum.addingReportingOverflow(carry)
        return carried ? nil : Instant(seconds: total, nanoseconds: Int32(nanoseconds))
    }

    /// The time from `other` to this instant; negative where `other` is later.
    public func duration(since other: Instant) -> Duration {
        // Both are within Int64.max / 1000: the difference cannot overflow.
        .seconds(seconds - other.seconds) + .nanoseconds(Int64(storedNanoseconds) - Int64(other.storedNanoseconds))
    }
}

extension Instant: Comparable {
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.seconds == right.seconds
            ? left.storedNanoseconds < right.storedNanoseconds : left.seconds < right.seconds
    }
}

extension Int64 {
    fileprivate func quotientRoundedDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
