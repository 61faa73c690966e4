/// Durations as text: Go's notation in (`1h30m`, `1.5s`, `-2ms`), seconds out (`5400s`).
func parseDuration(_ text: Text) throws(EvaluationError) -> Int64 {
    guard let nanoseconds = DurationReader(text: text.utf8).nanoseconds() else {
        throw .invalid("duration(): '\(text)' is no duration in range (1h30m, 1.5s, 20ms)")
    }
    return nanoseconds
}

func formatDuration(_ nanoseconds: Int64) -> String {
    let magnitude = nanoseconds.magnitude
    let (seconds, fraction) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    var text = (nanoseconds < 0 ? "-" : "") + String(seconds)
    if fraction != 0 {
        let digits = String(fraction)
        var padded = String(repeating: "0", count: 9 - digits.count) + digits
        while padded.hasSuffix("0") { padded.removeLast() }
        text += "." + padded
    }
    return text + "s"
}

private struct DurationReader {
    var rest: ArraySlice<UInt8>

    init(text: [UInt8]) {
        rest = text[...]
    }

    private static let units: [(name: [UInt8], nanoseconds: Int128)] = [
        (Array("ns".utf8), 1), (Array("us".utf8), 1_000), (Array("µs".utf8), 1_000), (Array("μs".utf8), 1_000),
        (Array("ms".utf8), 1_000_000), (Array("h".utf8), 3_600_000_000_000), (Array("m".utf8), 60_000_000_000),
        (Array("s".utf8), 1_000_000_000),
    ]

    func nanoseconds() -> Int64? {
        var reader = self
        var isNegative = false
        if let sign = reader.rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            reader.rest = reader.rest.dropFirst()
        }
        if reader.rest.elementsEqual("0".utf8) { return 0 }
        guard !reader.rest.isEmpty else { return nil }
        var total: Int128 = 0
        while !reader.rest.isEmpty {
            guard let part = reader.part() else { return nil }
            total += part
            guard total <= Int128(Int64.max) + 1 else { return nil }
        }
        return Int64(exactly: isNegative ? -total : total)
    }

    /// A number and its unit.
    private mutating func part() -> Int128? {
        guard let (whole, wholeDigits) = digits() else { return nil }
        var fraction: Int128 = 0
        var scale: Int128 = 1
        var fractionDigits = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            while let byte = rest.first, byte.isDigit {
                // More digits than a nanosecond of an hour has are cut off.
                if fractionDigits < 18 {
                    fraction = fraction * 10 + Int128(byte - UInt8(ascii: "0"))
                    scale *= 10
                }
                fractionDigits += 1
                rest = rest.dropFirst()
            }
        }
        guard wholeDigits + fractionDigits > 0, let unit = Self.units.first(where: { rest.starts(with: $0.name) })
        else {
            return nil
        }
        rest = rest.dropFirst(unit.name.count)
        return whole * unit.nanoseconds + fraction * unit.nanoseconds / scale
    }

    private mutating func digits() -> (value: Int128, count: Int)? {
        var value: Int128 = 0
        var count = 0
        while let byte = rest.first, byte.isDigit {
            value = value * 10 + Int128(byte - UInt8(ascii: "0"))
            guard value < 1_000_000_000_000_000_000_000 else { return nil }
            count += 1
            rest = rest.dropFirst()
        }
        return (value, count)
    }
}
