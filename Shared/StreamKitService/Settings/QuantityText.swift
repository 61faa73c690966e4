/// Why a quantity's text was refused, as what to write instead.
struct QuantityFailure: Error {
    let hint: String
}

/// Durations as people write them: a whole number and a unit, `250us`, `100ms`, `10s`, `5m`, `24h`, `7d`.
enum DurationText {
    /// Units in microseconds, the greatest first.
    private static let units: [(name: String, microseconds: Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1),
    ]

    static func parse(_ text: String) -> Result<Duration, QuantityFailure> {
        let unitNames = units.map(\.name)
        switch Quantity.split(text, units: unitNames, examples: "100ms, 10s, 5m, 24h or 7d") {
        case .failure(let failure): return .failure(failure)
        case .success(let quantity):
            guard let unit = units.first(where: { $0.name == quantity.unit }) else { return .failure(tooLarge) }
            let (microseconds, overflow) = quantity.count.multipliedReportingOverflow(by: unit.microseconds)
            return overflow ? .failure(tooLarge) : .success(.microseconds(microseconds))
        }
    }

    /// In the greatest unit that leaves no fraction: `90s`, `24h` is `1d`.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow, attoseconds % 1_000_000_000_000 == 0 else { return "\(duration)" }
        let microseconds = whole + attoseconds / 1_000_000_000_000
        if microseconds == 0 { return "0s" }
        for unit in units where microseconds % unit.microseconds == 0 {
            return "\(microseconds / unit.microseconds)\(unit.name)"
        }
        return "\(duration)"
    }

    private static let tooLarge = QuantityFailure(hint: "too large to count")
}

/// Numbers of bytes as people write them: `512B`, `64KiB` (1,024s), `10MB` (1,000s).
enum ByteSize {
    private static let units: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("KB", 1_000), ("B", 1),
    ]

    static func parse(_ text: String) -> Result<Int, QuantityFailure> {
        switch Quantity.split(text, units: units.map(\.name), examples: "512B, 64KiB, 16MiB or 1GiB") {
        case .failure(let failure): return .failure(failure)
        case .success(let quantity):
            guard let unit = units.first(where: { $0.name == quantity.unit }) else { return .failure(tooLarge) }
            let (bytes, overflow) = quantity.count.multipliedReportingOverflow(by: unit.bytes)
            guard !overflow, let bytes = Int(exactly: bytes) else { return .failure(tooLarge) }
            return .success(bytes)
        }
    }

    /// In the greatest unit that leaves no fraction.
    static func format(_ bytes: Int) -> String {
        for unit in units where bytes != 0 && Int64(bytes) % unit.bytes == 0 {
            return "\(Int64(bytes) / unit.bytes)\(unit.name)"
        }
        return "0B"
    }

    private static let tooLarge = QuantityFailure(hint: "too large to count")
}

private enum Quantity {
    static func split(
        _ text: String, units: [String], examples: String
    ) -> Result<(count: Int64, unit: String), QuantityFailure> {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = String(text[digits.endIndex...].drop { $0 == " " })
        guard !digits.isEmpty else {
            return .failure(QuantityFailure(hint: "write a whole number and a unit, such as \(examples)"))
        }
        guard let count = Int64(digits) else { return .failure(QuantityFailure(hint: "too large to count")) }
        if unit.isEmpty { return .failure(QuantityFailure(hint: "add a unit, as in \(examples)")) }
        guard units.contains(unit) else {
            return .failure(
                QuantityFailure(hint: "\"\(unit)\" is no unit; write a whole number and \(Prose.alternatives(units))"))
        }
        return .success((count, unit))
    }
}
