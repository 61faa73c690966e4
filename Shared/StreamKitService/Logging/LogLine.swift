/// One event as bytes, in either format.
struct LogLine {
    let epochMilliseconds: Int64
    let level: LogLevel
    let message: StaticString
    let fields: [LogField]

    /// `{"time":"...","level":"info","message":"...","kafka.topic":"..."}` and a line break.
    func json() -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line += #"{"time":""#.utf8
        line += Timestamp.text(epochMilliseconds).utf8
        line += "\",\"level\":\"\(level.rawValue)\",\"message\":".utf8
        JSONText.appendQuoted("\(message)", to: &line)
        for field in effectiveFields {
            line.append(UInt8(ascii: ","))
            JSONText.appendQuoted("\(field.key)", to: &line)
            line.append(UInt8(ascii: ":"))
            switch field.value {
            case .text(let text): JSONText.appendQuoted(text, to: &line)
            case .integer(let number): line += "\(number)".utf8
            case .decimal(let number) where number.isFinite: line += "\(number)".utf8
            case .decimal(let number): JSONText.appendQuoted("\(number)", to: &line)
            case .boolean(let value): line += "\(value)".utf8
            }
        }
        line += "}\n".utf8
        return line
    }

    /// `2026-11-21T15:04:05.123Z info  message key=value` and a line break.
    func text(isColored: Bool) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        let paint = Paint(isOn: isColored)
        line += paint.dim(Timestamp.text(epochMilliseconds)).utf8
        let name = level.rawValue + String(repeating: " ", count: 5 - level.rawValue.count)
        line += " \(paint.level(name, level)) \(message)".utf8
        for field in effectiveFields {
            line += " \(paint.dim("\(field.key)="))".utf8
            switch field.value {
            case .text(let text) where Self.isBare(text): line += text.utf8
            case .text(let text): JSONText.appendQuoted(text, to: &line)
            case .integer(let number): line += "\(number)".utf8
            case .decimal(let number): line += "\(number)".utf8
            case .boolean(let value): line += "\(value)".utf8
            }
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// A key occurs once: the event's own value stands over one that the logger carries, and none over the line's own.
    private var effectiveFields: [LogField] {
        var seen: Set<String> = ["time", "level", "message"]
        return fields.reversed().filter { seen.insert("\($0.key)").inserted }.reversed()
    }

    private static func isBare(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.value > 0x20 && !JSONText.isControl(scalar) && scalar != "\"" && scalar != "=" && scalar != "\\"
            }
    }
}

/// Colours of a terminal, or none.
private struct Paint {
    let isOn: Bool

    func dim(_ text: String) -> String { wrap(text, "2") }

    func level(_ text: String, _ level: LogLevel) -> String {
        switch level {
        case .debug: wrap(text, "2")
        case .info: wrap(text, "32")
        case .warn: wrap(text, "33")
        case .error: wrap(text, "1;31")
        }
    }

    private func wrap(_ text: String, _ code: String) -> String {
        isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// RFC 3339 in UTC with milliseconds.
enum Timestamp {
    static func text(_ epochMilliseconds: Int64) -> String {
        let (days, millisecondOfDay) = divide(epochMilliseconds, by: 86_400_000)
        let (year, month, day) = civil(days)
        let seconds = millisecondOfDay / 1_000
        return
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3_600, 2)):\(pad(seconds / 60 % 60, 2)):"
            + "\(pad(seconds % 60, 2)).\(pad(millisecondOfDay % 1_000, 3))Z"
    }

    /// Year, month and day of the Gregorian calendar. Years are counted from 1 March, so that a leap day ends one, in cycles
    /// of 400 years of 146,097 days.
    private static func civil(_ daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (cycle, dayOfCycle) = divide(daysSinceEpoch + 719_468, by: 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, day)
    }

    private static func divide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = "\(value)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
