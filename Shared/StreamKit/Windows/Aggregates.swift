public import JSON

/// What is kept of the records of a group.
public enum AggregateFunction: String, Hashable, Sendable, CaseIterable {
    case count, sum, minimum, maximum
}

extension AggregateFunction {
    /// A running value with one more operand in it.
    @inline(__always)
    func taking(_ operand: Decimal, into value: Decimal?) throws(DecimalError) -> Decimal? {
        switch self {
        case .count: try (value ?? .zero).adding(Decimal(1))
        case .sum: try (value ?? .zero).adding(operand)
        case .minimum: value.map { operand.order(to: $0) < 0 ? operand : $0 } ?? operand
        case .maximum: value.map { operand.order(to: $0) > 0 ? operand : $0 } ?? operand
        }
    }
}

/// The running values of a list of aggregate functions: they start empty, take one operand for each function, and can be
/// combined with others of the same list in any order and grouping.
public struct Aggregates: Hashable, Sendable {
    /// nil: no operand was taken yet (of minimum and maximum).
    public private(set) var values: [Decimal?]

    init(values: [Decimal?]) { self.values = values }

    public init(_ functions: [AggregateFunction]) {
        values = functions.map { function in
            switch function {
            case .count, .sum: Decimal.zero
            case .minimum, .maximum: nil
            }
        }
    }

    /// An operand as it may be taken: up to twelve decimal places and fourteen digits before them, so that no sum of 10^12 of
    /// them leaves the range of a decimal. nil: it may not.
    ///
    /// Zeros beyond twelve places are taken away. A sum has the places of its operands, and with the 38 of one would have no room
    /// for the others.
    public static func bounded(_ operand: Decimal) -> Decimal? {
        if isPlainlyBounded(operand) { return operand }
        let plain = operand.scale > 12 ? operand.normalized : operand
        guard plain.scale <= 12, plain.mantissa.magnitude < limits[plain.scale] else { return nil }
        return plain
    }

    /// Fewer than 14 digits in all, as nearly all operands have: bounded as it is.
    @inline(__always)
    static func isPlainlyBounded(_ operand: Decimal) -> Bool {
        guard operand.scale <= 12, let mantissa = Int64(exactly: operand.mantissa) else { return false }
        return mantissa > -100_000_000_000_000 && mantissa < 100_000_000_000_000
    }

    /// 10^14 at each scale.
    private static let limits: [UInt128] = (0...12).map { scale in
        (0..<(14 + scale)).reduce(UInt128(1)) { power, _ in power * 10 }
    }

    public mutating func combine(_ other: Aggregates, _ functions: [AggregateFunction]) throws(DecimalError) {
        for (index, function) in functions.enumerated() {
            guard index < values.count, index < other.values.count, let value = other.values[index] else { continue }
            switch function {
            case .count, .sum: values[index] = try (values[index] ?? .zero).adding(value)
            case .minimum, .maximum: values[index] = try function.taking(value, into: values[index])
            }
        }
    }

    /// Appends the binary form: for each value a byte for its scale (255: none) and 16 bytes of mantissa.
    func encode(into bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: values.count))
        for value in values {
            bytes.append(value.map { UInt8(truncatingIfNeeded: $0.scale) } ?? 255)
            withUnsafeBytes(of: (value?.mantissa ?? 0).littleEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// Reads what `encode` wrote; nil if it does not hold `count` values.
    init?(_ reader: inout ByteReader, count: Int) {
        guard let written = reader.byte(), Int(written) == count else { return nil }
        var values: [Decimal?] = []
        for _ in 0..<count {
            guard let scale = reader.byte(), let mantissa = reader.int128() else { return nil }
            if scale == 255 {
                values.append(nil)
            } else {
                guard let value = Decimal(mantissa: mantissa, scale: Int(scale)) else { return nil }
                values.append(value)
            }
        }
        self.values = values
    }
}
