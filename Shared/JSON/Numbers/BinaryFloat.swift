/// Decimal text as a binary float.
enum BinaryFloat {
    /// Powers of ten that a binary float holds exactly.
    private static let largestExactPower = 22

    /// The float nearest to a number whose grammar was checked; infinite beyond the range.
    static func nearest(to text: UnsafeRawBufferPointer) -> Double {
        // Both exact: then one division rounds once, correctly.
        if let number = Decimal(bytes: text), let mantissa = number.smallMantissa, mantissa.magnitude <= 1 << 53,
            number.scale <= largestExactPower
        {
            // A zero keeps its sign.
            if mantissa == 0 { return text.first == UInt8(ascii: "-") ? -0.0 : 0 }
            return Double(mantissa) / power(number.scale)
        }
        return Double(String(decoding: text, as: UTF8.self)) ?? .nan
    }

    private static func power(_ exponent: Int) -> Double {
        if exponent <= PowersOfTen.largestSmall { return Double(PowersOfTen.small(exponent)) }
        return Double(PowersOfTen.small(PowersOfTen.largestSmall))
            * Double(PowersOfTen.small(exponent - PowersOfTen.largestSmall))
    }
}
