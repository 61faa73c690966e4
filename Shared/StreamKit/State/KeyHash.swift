/// A hash of keys in tables in memory: words multiplied and folded, fast, and good enough behind a secret seed. (Keys come from
/// outside; with a fixed seed somebody could send only such as collide.)
public struct KeyHash: Sendable {
    @usableFromInline let seed = UInt64.random(in: 1 ... .max)

    public init() {}

    @inlinable
    public func callAsFunction(_ key: Bytes) -> UInt64 {
        let count = key.count
        var hash = seed ^ UInt64(truncatingIfNeeded: count)
        guard let base = key.baseAddress, count > 0 else { return Self.mix(hash) }
        if count < 8 { return Self.mix(hash ^ Self.short(base, count)) }
        var index = 0
        while index &+ 8 < count {
            hash = Self.mix(hash ^ base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        // The last word may overlap the one before.
        return Self.mix(hash ^ base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    }

    /// The bytes of a key of less than a word, in words that overlap.
    @inlinable
    static func short(_ base: UnsafeRawPointer, _ count: Int) -> UInt64 {
        if count >= 4 {
            let first = UInt64(base.loadUnaligned(as: UInt32.self))
            return first << 32 | UInt64(base.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        }
        let (first, middle, last) = (
            base.load(as: UInt8.self), base.load(fromByteOffset: count &>> 1, as: UInt8.self),
            base.load(fromByteOffset: count &- 1, as: UInt8.self)
        )
        return UInt64(first) << 16 | UInt64(middle) << 8 | UInt64(last)
    }

    @inlinable
    static func mix(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }
}
