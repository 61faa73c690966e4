/// A day of the proleptic Gregorian calendar.
public struct CivilDate: Sendable, Hashable, Comparable {
    public let year: Int
    /// 1...12
    public let month: Int
    /// 1...31
    public let day: Int

    /// nil where the calendar has no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= CivilDate.daysInMonth(month, of: year) else { return nil }
        self.init(unchecked: year, month, day)
    }

    @inline(__always)
    init(unchecked year: Int, _ month: Int, _ day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that is `daysSinceEpoch` after 1970-01-01.
    ///
    /// Counts from 0000-03-01, so that the leap day is the last of its year; eras of 400 years (146,097 days) repeat.
    public init(daysSinceEpoch: Int) {
        let shifted = daysSinceEpoch &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra =
            (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
        let day = dayOfYear &- (153 &* monthFromMarch &+ 2) / 5 &+ 1
        let month = monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9
        let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        self.init(unchecked: year, month, day)
    }

    /// Days since 1970-01-01.
    public var daysSinceEpoch: Int {
        CivilDate.daysSinceEpoch(year, month, day)
    }

    @inline(__always)
    static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year &- 1 : year
        let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
        let yearOfEra = shifted &- era &* 400
        let monthFromMarch = month > 2 ? month &- 3 : month &+ 9
        let dayOfYear = (153 &* monthFromMarch &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    /// 0 for Sunday ... 6 for Saturday.
    public var weekday: Int {
        let remainder = (daysSinceEpoch &+ 4) % 7
        return remainder < 0 ? remainder &+ 7 : remainder
    }

    /// 1 for the first of January ... 365 or 366.
    public var dayOfYear: Int {
        daysSinceEpoch &- CivilDate.daysSinceEpoch(year, 1, 1) &+ 1
    }

    public static func isLeapYear(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The number of days in a month; `month` is in 1...12.
    @inline(__always)
    public static func daysInMonth(_ month: Int, of year: Int) -> Int {
        if month == 2 { return isLeapYear(year) ? 29 : 28 }
        // 31 and 30 alternate, and again from August.
        return 30 &+ ((month &+ month >> 3) & 1)
    }

    public static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

/// What a clock and a calendar on the wall show at an instant, at a given offset from UTC.
public struct CivilTime: Sendable, Hashable {
    public let date: CivilDate
    /// 0...23
    public let hour: Int
    /// 0...59
    public let minute: Int
    /// 0...59
    public let second: Int
    /// 0...999,999,999
    public let nanosecond: Int

    public var year: Int { date.year }
    public var month: Int { date.month }
    public var day: Int { date.day }
    /// 0 for Sunday ... 6 for Saturday.
    public var weekday: Int { date.weekday }
    /// 1 for the first of January.
    public var dayOfYear: Int { date.dayOfYear }

    /// nil where a part is out of its range.
    public init?(date: CivilDate, hour: Int, minute: Int, second: Int, nanosecond: Int = 0) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second),
            (0...999_999_999).contains(nanosecond)
        else { return nil }
        self.date = date
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanosecond = nanosecond
    }

    /// What a calendar and a clock show at an instant, so many seconds east of UTC.
    public init(_ instant: Instant, offsetSeconds: Int = 0) {
        let local = Int(instant.seconds) &+ offsetSeconds
        let days = (local >= 0 ? local : local &- 86_399) / 86_400
        let secondOfDay = local &- days &* 86_400
        date = CivilDate(daysSinceEpoch: days)
        hour = secondOfDay / 3_600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        nanosecond = Int(instant.nanoseconds)
    }

    /// The instant at which a clock `offsetSeconds` east of UTC shows this; nil beyond ``Instant``'s range.
    public func instant(offsetSeconds: Int = 0) -> Instant? {
        let secondOfDay = hour * 3_600 + minute * 60 + second
        let (days, overflow) = date.daysSinceEpoch.multipliedReportingOverflow(by: 86_400)
        if overflow { return nil }
        let (seconds, out) = days.addingReportingOverflow(secondOfDay - offsetSeconds)
        return out ? nil : Instant(seconds: Int64(seconds), nanoseconds: Int32(nanosecond))
    }
}
