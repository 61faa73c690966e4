/// What a number of a time counts.
public enum TimeUnit: String, Sendable, Hashable, CaseIterable {
    case milliseconds
    case microseconds
    case nanoseconds

    var perSecond: Int64 {
        switch self {
        case .milliseconds: 1_000
        case .microseconds: 1_000_000
        case .nanoseconds: 1_000_000_000
        }
    }
}

/// How a connector encodes a column whose JSON alone does not tell.
///
/// An event that carries a schema says so itself; for one without, it is configuration.
public indirect enum ColumnEncoding: Sendable, Hashable {
    /// What JSON says: text, numbers, booleans.
    case plain
    /// A decimal number. With a scale, strings are base64 of the unscaled value (Debezium's `decimal.handling.mode=precise`);
    /// without, they are the number's text (`string`). JSON numbers (`double`) and `{"scale","value"}` are read either way.
    case decimal(scale: Int?)
    /// Days since 1970-01-01, or an ISO date.
    case date
    /// Time since midnight, or an ISO time.
    case timeOfDay(TimeUnit)
    /// Time since 1970-01-01T00:00:00Z, or an ISO date and time.
    case timestamp(TimeUnit)
    case array(of: ColumnEncoding)

    /// The encoding as configuration writes it: `decimal`, `decimal(2)`, `date`, `time(microseconds)`,
    /// `timestamp(milliseconds)`, `array(decimal(2))`, `plain`. nil for all else.
    public init?(_ text: String) {
        let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first else { return nil }
        var argument: String?
        if parts.count == 2 {
            guard parts[1].last == ")" else { return nil }
            argument = String(parts[1].dropLast())
        }
        switch (name, argument) {
        case ("plain", nil): self = .plain
        case ("date", nil): self = .date
        case ("decimal", nil): self = .decimal(scale: nil)
        case ("decimal", let scale?):
            guard let scale = Int(scale), DecimalText.scales.contains(scale) else { return nil }
            self = .decimal(scale: scale)
        case ("time", let unit?):
            guard let unit = TimeUnit(rawValue: unit) else { return nil }
            self = .timeOfDay(unit)
        case ("timestamp", let unit?):
            guard let unit = TimeUnit(rawValue: unit) else { return nil }
            self = .timestamp(unit)
        case ("array", let element?):
            guard let element = ColumnEncoding(element) else { return nil }
            self = .array(of: element)
        default: return nil
        }
    }

    /// How configuration writes an encoding, for error messages.
    public static let grammar =
        "plain, decimal, decimal(SCALE), date, time(UNIT), timestamp(UNIT) or array(ENCODING), "
        + "where UNIT is milliseconds, microseconds or nanoseconds"
}

/// The columns of a table that are not plain; few, so that looking for one is comparing with each.
struct RowEncodings {
    struct Column {
        let name: [UInt8]
        let encoding: ColumnEncoding
    }

    private(set) var columns: [Column] = []

    mutating func set(_ name: String, _ encoding: ColumnEncoding) {
        let name = [UInt8](name.utf8)
        columns.removeAll { $0.name == name }
        if encoding != .plain { columns.append(Column(name: name, encoding: encoding)) }
    }
}
