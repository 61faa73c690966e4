/// Powers of ten that fit 64 bits, by exponent. A fixed array, so that looking one up neither allocates nor counts.
private let smallPowers: InlineArray<20, UInt64> = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

enum PowersOfTen {
    /// The greatest exponent whose power fits `UInt64`.
    static let largestSmall = 19
    /// The greatest exponent whose power fits `Int128`.
    static let largest = 38

    /// 10 to the `exponent`, which is in 0...19.
    @inline(__always)
    static func small(_ exponent: Int) -> UInt64 {
        smallPowers[exponent]
    }

    /// 10 to the `exponent`, which is in 0...38.
    @inline(__always)
    static func wide(_ exponent: Int) -> UInt128 {
        if exponent <= largestSmall { return UInt128(smallPowers[exponent]) }
        // At most 10^19 * 10^19: fits 128 bits.
        return UInt128(smallPowers[largestSmall]) &* UInt128(smallPowers[exponent - largestSmall])
    }
}
