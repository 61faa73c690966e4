import JSON

/// The rule of a TZif file's footer for all times to come, in the notation of POSIX's TZ: `EST5EDT,M3.2.0,M11.1.0`.
struct ZoneFooter: Sendable {
    /// A day of the year and a second of that day, by the clock before the change.
    private struct Change: Sendable {
        enum Day: Sendable {
            case weekday(month: Int, week: Int, day: Int)
            case julian(Int)
            case zeroBased(Int)
        }

        let day: Day
        let second: Int

        func seconds(of year: Int) -> Int {
            (days(of: year)) * 86_400 + second
        }

        private func days(of year: Int) -> Int {
            let newYear = CivilDate(year: year, month: 1, day: 1)?.daysSinceEpoch ?? 0
            switch day {
            case .zeroBased(let number): return newYear + number
            case .julian(let number):
                return newYear + number - (CivilDate.isLeapYear(year) && number >= 60 ? 0 : 1)
            case .weekday(let month, let week, let weekday):
                guard let first = CivilDate(year: year, month: month, day: 1) else { return newYear }
                var day = (weekday - first.weekday + 7) % 7 + 1 + (week - 1) * 7
                while day > CivilDate.daysInMonth(month, of: year) { day -= 7 }
                return first.daysSinceEpoch + day - 1
            }
        }
    }

    private let standardOffset: Int
    private var summer: (offset: Int, start: Change, end: Change)?

    init?(_ text: [UInt8]) {
        var reader = Reader(rest: text[...])
        guard reader.skipName(), let standard = reader.offset() else { return nil }
        standardOffset = -standard
        guard reader.skipName() else {
            if !reader.rest.isEmpty { return nil }
            return
        }
        var offset = standardOffset + 3600
        if reader.rest.first != UInt8(ascii: ",") {
            guard let given = reader.offset() else { return nil }
            offset = -given
        }
        guard let start = reader.change(), let end = reader.change(), reader.rest.isEmpty else { return nil }
        summer = (offset, start, end)
    }

    func offsetSeconds(at seconds: Int64) -> Int {
        guard let summer else { return standardOffset }
        let local = Int(seconds) + standardOffset
        let days = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let year = CivilDate(daysSinceEpoch: days).year
        let start = summer.start.seconds(of: year) - standardOffset
        let end = summer.end.seconds(of: year) - summer.offset
        let moment = Int(seconds)
        let isSummer = start < end ? start <= moment && moment < end : !(end <= moment && moment < start)
        return isSummer ? summer.offset : standardOffset
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skip(_ character: UInt8) -> Bool {
            guard rest.first == character else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// `CET` or `<+03>`.
        mutating func skipName() -> Bool {
            if skip(UInt8(ascii: "<")) {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            return name.count >= 3
        }

        mutating func number() -> Int? {
            let digits = rest.prefix { $0.isDigit }.prefix(4)
            rest = rest.dropFirst(digits.count)
            return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func offset() -> Int? {
            let sign = skip(UInt8(ascii: "-")) ? -1 : 1
            if sign == 1 { _ = skip(UInt8(ascii: "+")) }
            guard var seconds = number().map({ $0 * 3600 }) else { return nil }
            for unit in [60, 1] where skip(UInt8(ascii: ":")) {
                guard let part = number() else { return nil }
                seconds += part * unit
            }
            return sign * seconds
        }

        /// `,M3.2.0/2`, `,J60`, `,59`.
        mutating func change() -> Change? {
            guard skip(UInt8(ascii: ",")) else { return nil }
            let day: Change.Day
            if skip(UInt8(ascii: "M")) {
                guard let month = number(), (1...12).contains(month), skip(UInt8(ascii: ".")),
                    let week = number(), (1...5).contains(week), skip(UInt8(ascii: ".")),
                    let weekday = number(), (0...6).contains(weekday)
                else { return nil }
                day = .weekday(month: month, week: week, day: weekday)
            } else if skip(UInt8(ascii: "J")) {
                guard let number = number(), (1...365).contains(number) else { return nil }
                day = .julian(number)
            } else {
                guard let number = number(), (0...365).contains(number) else { return nil }
                day = .zeroBased(number)
            }
            var second = 7_200
            if skip(UInt8(ascii: "/")) {
                guard let given = offset() else { return nil }
                second = given
            }
            return Change(day: day, second: second)
        }
    }
}
