/// Why a decimal operation has no result.
public enum DecimalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The exact result needs more than 38 digits, or more than 38 digits after the point.
    case overflow
    case divisionByZero
    /// A scale was asked for that is not in -38...38 (or, for a division, not in 0...38).
    case scaleOutOfRange(Int)

    public var description: String {
        switch self {
        case .overflow: "decimal overflow: the result does not fit 38 digits"
        case .divisionByZero: "decimal division by zero"
        case .scaleOutOfRange(let scale): "decimal scale \(scale) is out of range: at most 38 digits after the point"
        }
    }
}

/// An exact decimal number: `mantissa` divided by 10 to the `scale`.
///
/// For money and rates: no binary float is involved anywhere, and what does not fit is an error, never a wrap or a rounding that
/// nobody asked for. `scale` counts the digits after the point and is kept as written (`1.50` prints as `1.50`), but
/// equality, order and hashing are numeric: `1.5 == 1.50`.
///
/// ```swift
/// let amount = Decimal("129.95"), rate = Decimal("0.0825")                   // nil where the text is no such number
/// let tax = try amount.multiplied(by: rate).rounded(scale: 2)                // 10.72: half to even unless told
/// let share = try amount.divided(by: Decimal(3), scale: 4, rounding: .down)  // 43.3166
/// let large = Decimal("1E+3")                                                // prints as 1000
/// ```
public struct Decimal: Sendable {
    /// All digits as one integer, with the sign.
    public let mantissa: Int128
    @usableFromInline let storedScale: Int32

    /// The number of digits after the point: 0...38.
    public var scale: Int { Int(storedScale) }

    /// The greatest number of digits after the point.
    public static let maximumScale = 38

    public static let zero = Decimal(unchecked: 0, scale: 0)

    /// `mantissa` divided by 10 to the `scale`; nil unless `scale` is in 0...38.
    public init?(mantissa: Int128, scale: Int) {
        guard (0...Decimal.maximumScale).contains(scale) else { return nil }
        self.init(unchecked: mantissa, scale: scale)
    }

    /// An integer, with a scale of 0.
    public init(_ integer: Int64) {
        self.init(unchecked: Int128(integer), scale: 0)
    }

    public init(unsigned integer: UInt64) {
        self.init(unchecked: Int128(integer), scale: 0)
    }

    @inline(__always)
    init(unchecked mantissa: Int128, scale: Int) {
        self.mantissa = mantissa
        self.storedScale = Int32(truncatingIfNeeded: scale)
    }

    public var isZero: Bool { mantissa == 0 }
    public var isNegative: Bool { mantissa < 0 }
    /// -1, 0 or 1.
    public var signum: Int { Int(mantissa.signum()) }

    /// The mantissa where it fits 64 bits: the fast path of all arithmetic.
    @inline(__always)
    var smallMantissa: Int64? {
        let low = Int64(truncatingIfNeeded: mantissa)
        return Int128(low) == mantissa ? low : nil
    }

    /// The same number without trailing zeros after the point.
    public var normalized: Decimal {
        if storedScale == 0 { return self }
        if mantissa == 0 { return .zero }
        var scale = storedScale
        if var small = smallMantissa {
            while scale > 0, small % 10 == 0 {
                small /= 10
                scale -= 1
            }
            return Decimal(unchecked: Int128(small), scale: Int(scale))
        }
        var wide = mantissa
        while scale > 0, wide % 10 == 0 {
            wide /= 10
            scale -= 1
        }
        return Decimal(unchecked: wide, scale: Int(scale))
    }

    /// Whether the number has no fraction (`2.00` is an integer).
    public var isInteger: Bool { normalized.storedScale == 0 }

    /// The number as an integer, where it is one and fits.
    public var int64Value: Int64? {
        let number = normalized
        return number.storedScale == 0 ? number.smallMantissa : nil
    }

    /// The number as an integer without a sign, where it is one and fits.
    public var uint64Value: UInt64? {
        let number = normalized
        return number.storedScale == 0 ? UInt64(exactly: number.mantissa) : nil
    }
}

extension Decimal: Comparable, Hashable {
    public static func == (left: Decimal, right: Decimal) -> Bool {
        if left.storedScale == right.storedScale { return left.mantissa == right.mantissa }
        return compare(left, right) == 0
    }

    public static func < (left: Decimal, right: Decimal) -> Bool {
        if left.storedScale == right.storedScale { return left.mantissa < right.mantissa }
        return compare(left, right) < 0
    }

    public func hash(into hasher: inout Hasher) {
        let number = normalized
        hasher.combine(number.mantissa)
        hasher.combine(number.storedScale)
    }

    /// -1 where this number is less than the other, 0 where both are the same, 1 where it is greater.
    @inlinable @inline(__always)
    public func order(to other: Decimal) -> Int {
        if storedScale == other.storedScale {
            return mantissa < other.mantissa ? -1 : mantissa == other.mantissa ? 0 : 1
        }
        return orderOfScales(to: other)
    }

    @usableFromInline
    func orderOfScales(to other: Decimal) -> Int {
        // Amounts of few digits: the one with less of a scale is brought to the other's.
        let difference = Int(storedScale) &- Int(other.storedScale)
        if difference.magnitude <= 9, let left = smallMantissa, let right = other.smallMantissa,
            left.magnitude <= 1 << 32, right.magnitude <= 1 << 32
        {
            let power = Int64(truncatingIfNeeded: PowersOfTen.small(Int(difference.magnitude)))
            // Below 2^32 * 10^9, which is below 2^62.
            let (scaled, rescaled) = difference < 0 ? (left &* power, right) : (left, right &* power)
            return scaled < rescaled ? -1 : scaled == rescaled ? 0 : 1
        }
        return Decimal.compare(self, other)
    }

    /// Negative, zero or positive, for numbers of different scales.
    private static func compare(_ left: Decimal, _ right: Decimal) -> Int {
        if left.storedScale > right.storedScale { return -compare(right, left) }
        let difference = Int(right.storedScale - left.storedScale)
        if difference <= 18, let leftSmall = left.smallMantissa, let rightSmall = right.smallMantissa {
            let aligned = Int128(leftSmall) &* Int128(PowersOfTen.small(difference))
            let other = Int128(rightSmall)
            return aligned < other ? -1 : aligned == other ? 0 : 1
        }
        let (aligned, overflow) = left.mantissa.multipliedReportingOverflow(
            by: Int128(truncatingIfNeeded: PowersOfTen.wide(difference)))
        // What overflows is greater in magnitude than any mantissa.
        if overflow { return left.mantissa < 0 ? -1 : 1 }
        return aligned < right.mantissa ? -1 : aligned == right.mantissa ? 0 : 1
    }
}
