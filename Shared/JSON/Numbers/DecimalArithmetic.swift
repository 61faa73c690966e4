/// What becomes of the digits that a rounding takes away.
public enum RoundingMode: Sendable, Hashable, CaseIterable {
    /// To the nearest; halfway to the even neighbour (bankers' rounding).
    case halfEven
    /// To the nearest; halfway away from zero.
    case halfUp
    /// To the nearest; halfway towards zero.
    case halfDown
    /// Away from zero.
    case up
    /// Towards zero: the digits are cut off.
    case down
    /// Towards positive infinity.
    case ceiling
    /// Towards negative infinity.
    case floor
}

extension Decimal {
    /// The sum, exact, with the greater of the two scales.
    public func adding(_ other: Decimal) throws(DecimalError) -> Decimal {
        if storedScale == other.storedScale {
            let (sum, overflow) = mantissa.addingReportingOverflow(other.mantissa)
            if overflow { throw .overflow }
            return Decimal(unchecked: sum, scale: scale)
        }
        let common = max(scale, other.scale)
        let (sum, overflow) = try aligned(to: common).addingReportingOverflow(try other.aligned(to: common))
        if overflow { throw .overflow }
        return Decimal(unchecked: sum, scale: common)
    }

    /// The difference, exact, with the greater of the two scales.
    public func subtracting(_ other: Decimal) throws(DecimalError) -> Decimal {
        try adding(other.negated())
    }

    /// The product, exact, with the sum of both scales.
    public func multiplied(by other: Decimal) throws(DecimalError) -> Decimal {
        let scale = scale + other.scale
        let product: Int128
        if let left = smallMantissa, let right = other.smallMantissa {
            product = Int128(left) &* Int128(right)
        } else {
            let (wide, overflow) = mantissa.multipliedReportingOverflow(by: other.mantissa)
            if !overflow {
                product = wide
            } else {
                // Zeros at the end may be all that does not fit.
                let left = normalized
                let right = other.normalized
                if left.storedScale == storedScale, right.storedScale == other.storedScale { throw .overflow }
                return try left.multiplied(by: right)
            }
        }
        if scale <= Decimal.maximumScale { return Decimal(unchecked: product, scale: scale) }
        return try Decimal.shortened(product, scale: scale)
    }

    /// The product with exactly `scale` digits after the point: what multiplying, then rounding half to even yields.
    public func multiplied(by other: Decimal, roundedTo scale: Int) throws(DecimalError) -> Decimal {
        let exact = self.scale &+ other.scale
        if scale >= 0, exact > scale, exact <= 18, let left = smallMantissa, let right = other.smallMantissa {
            let (product, overflow) = left.multipliedReportingOverflow(by: right)
            if !overflow {
                let divisor = PowersOfTen.small(exact &- scale)
                let (quotient, remainder) = product.magnitude.quotientAndRemainder(dividingBy: divisor)
                let kept = RoundingMode.halfEven.apply(
                    to: quotient, remainder: remainder, divisor: divisor, negative: product < 0)
                // A tenth of what fits 64 bits, at most.
                let magnitude = Int64(truncatingIfNeeded: kept)
                return Decimal(unchecked: Int128(product < 0 ? 0 &- magnitude : magnitude), scale: scale)
            }
        }
        return try multiplied(by: other).rounded(scale: scale)
    }

    /// The quotient with `scale` digits after the point (0...38), rounded by `rounding`.
    public func divided(
        by other: Decimal, scale: Int, rounding: RoundingMode = .halfEven
    ) throws(DecimalError) -> Decimal {
        guard (0...Decimal.maximumScale).contains(scale) else { throw .scaleOutOfRange(scale) }
        if other.mantissa == 0 { throw .divisionByZero }
        let negative = isNegative != other.isNegative
        let dividend = mantissa.magnitude
        var divisor = other.mantissa.magnitude
        let shift = scale + other.scale - self.scale
        var quotient: UInt128
        var remainder: UInt128
        if shift < 0 {
            let (wide, overflow) = divisor.multipliedReportingOverflow(by: PowersOfTen.wide(-shift))
            if overflow {
                // The dividend is below 2^127 and the divisor above 2^128: less than a half, but not nothing.
                quotient = 0
                remainder = dividend == 0 ? 0 : 1
                divisor = .max
            } else {
                divisor = wide
                (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
            }
        } else {
            // Up to 76 digits are appended to the dividend, in two steps of at most 38.
            (quotient, remainder) = try Decimal.divide(dividend, PowersOfTen.wide(min(shift, 38)), by: divisor)
            if shift > 38 {
                let power = PowersOfTen.wide(shift - 38)
                let (head, overflow) = quotient.multipliedReportingOverflow(by: power)
                if overflow { throw .overflow }
                let tail = try Decimal.divide(remainder, power, by: divisor)
                let (sum, carried) = head.addingReportingOverflow(tail.quotient)
                if carried { throw .overflow }
                (quotient, remainder) = (sum, tail.remainder)
            }
        }
        let rounded = rounding.apply(to: quotient, remainder: remainder, divisor: divisor, negative: negative)
        return Decimal(unchecked: try Decimal.signed(rounded, negative: negative), scale: scale)
    }

    /// The number with exactly `scale` digits after the point: digits are rounded away by `mode` or zeros appended.
    ///
    /// A negative scale rounds before the point: -2 gives whole hundreds.
    public func rounded(scale: Int, mode: RoundingMode = .halfEven) throws(DecimalError) -> Decimal {
        if scale == self.scale { return self }
        guard (-Decimal.maximumScale...Decimal.maximumScale).contains(scale) else { throw .scaleOutOfRange(scale) }
        if scale > self.scale { return Decimal(unchecked: try aligned(to: scale), scale: scale) }
        let dropped = self.scale - scale
        let magnitude = mantissa.magnitude
        let negative = mantissa < 0
        var kept: UInt128
        if dropped <= PowersOfTen.largestSmall, let small = UInt64(exactly: magnitude) {
            let divisor = PowersOfTen.small(dropped)
            let (quotient, remainder) = small.quotientAndRemainder(dividingBy: divisor)
            kept = UInt128(mode.apply(to: quotient, remainder: remainder, divisor: divisor, negative: negative))
        } else if dropped <= PowersOfTen.largest {
            let divisor = PowersOfTen.wide(dropped)
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: divisor)
            kept = mode.apply(to: quotient, remainder: remainder, divisor: divisor, negative: negative)
        } else {
            // More digits go than a mantissa has: less than a half of the unit remains.
            kept = mode.apply(to: 0, remainder: magnitude == 0 ? 0 : 1, divisor: UInt128.max, negative: negative)
        }
        if scale < 0 {
            let (wide, overflow) = kept.multipliedReportingOverflow(by: PowersOfTen.wide(-scale))
            if overflow { throw .overflow }
            kept = wide
        }
        return Decimal(unchecked: try Decimal.signed(kept, negative: negative), scale: max(0, scale))
    }

    /// The number with the other sign.
    public func negated() throws(DecimalError) -> Decimal {
        let (mantissa, overflow) = Int128(0).subtractingReportingOverflow(mantissa)
        if overflow { throw .overflow }
        return Decimal(unchecked: mantissa, scale: scale)
    }

    /// The distance from zero.
    public func absolute() throws(DecimalError) -> Decimal {
        isNegative ? try negated() : self
    }

    /// Whether the number is a whole multiple of `divisor`, exactly. Nothing is a multiple of zero.
    public func isMultiple(of divisor: Decimal) -> Bool {
        if divisor.mantissa == 0 { return false }
        if mantissa == 0 { return true }
        let dividend = mantissa.magnitude
        let unit = divisor.mantissa.magnitude
        if scale == divisor.scale { return dividend % unit == 0 }
        if scale < divisor.scale {
            // dividend * 10^d mod unit, over 256 bits.
            let wide = dividend.multipliedFullWidth(by: PowersOfTen.wide(divisor.scale - scale))
            return unit.dividingFullWidth((wide.high % unit, wide.low)).remainder == 0
        }
        let (wide, overflow) = unit.multipliedReportingOverflow(by: PowersOfTen.wide(scale - divisor.scale))
        // A non-zero number below the divisor is not its multiple.
        return overflow ? false : dividend % wide == 0
    }

    /// The mantissa that the number has at a greater or equal scale.
    @inline(__always)
    private func aligned(to scale: Int) throws(DecimalError) -> Int128 {
        let difference = scale - self.scale
        if difference == 0 { return mantissa }
        if difference <= 18, let small = smallMantissa {
            return Int128(small) &* Int128(PowersOfTen.small(difference))
        }
        let (wide, overflow) = mantissa.multipliedReportingOverflow(
            by: Int128(truncatingIfNeeded: PowersOfTen.wide(difference)))
        if overflow { throw .overflow }
        return wide
    }

    /// `mantissa` at a scale above 38, brought to 38 by dropping zeros, or refused where other digits would go.
    static func shortened(_ mantissa: Int128, scale: Int) throws(DecimalError) -> Decimal {
        if mantissa == 0 { return Decimal(unchecked: 0, scale: maximumScale) }
        var mantissa = mantissa
        var scale = scale
        while scale > maximumScale {
            let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: 10)
            if remainder != 0 { throw .overflow }
            mantissa = quotient
            scale -= 1
        }
        return Decimal(unchecked: mantissa, scale: scale)
    }

    private static func signed(_ magnitude: UInt128, negative: Bool) throws(DecimalError) -> Int128 {
        if magnitude <= UInt128(Int128.max) {
            let value = Int128(truncatingIfNeeded: magnitude)
            return negative ? 0 &- value : value
        }
        throw .overflow
    }

    /// `value * factor / divisor` over 256 bits; an error where the quotient needs more than 128.
    private static func divide(
        _ value: UInt128, _ factor: UInt128, by divisor: UInt128
    ) throws(DecimalError) -> (quotient: UInt128, remainder: UInt128) {
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        if !overflow { return product.quotientAndRemainder(dividingBy: divisor) }
        let wide = value.multipliedFullWidth(by: factor)
        if wide.high >= divisor { throw .overflow }
        return divisor.dividingFullWidth((wide.high, wide.low))
    }
}

extension RoundingMode {
    /// The quotient's magnitude after rounding. It is at most the magnitude plus one, which the callers' ranges allow.
    @inline(__always)
    func apply<Magnitude: FixedWidthInteger & UnsignedInteger>(
        to quotient: Magnitude, remainder: Magnitude, divisor: Magnitude, negative: Bool
    ) -> Magnitude {
        if remainder == 0 { return quotient }
        let rest = divisor &- remainder  // compares with the half without doubling
        let away: Bool
        switch self {
        case .halfEven: away = remainder > rest || (remainder == rest && quotient & 1 == 1)
        case .halfUp: away = remainder >= rest
        case .halfDown: away = remainder > rest
        case .up: away = true
        case .down: away = false
        case .ceiling: away = !negative
        case .floor: away = negative
        }
        // A quotient of all ones would wrap to zero; kept as it is, the caller's range check refuses it.
        return away && quotient != .max ? quotient &+ 1 : quotient
    }
}
