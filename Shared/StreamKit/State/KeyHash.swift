/// A hash of keys in tables in memory: words multiplied and folded, fast, and good enough behind a secret seed. (Keys come from
/// outside; with a fixed seed somebody could send only such as collide.)
public struct KeyHash: Sendable {
    @usableFromInline let seed = UInt64.random(in: 1 ... .max)

    public init() {}

    @inlinable
    public func callAsFunction(_ key: Bytes) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: key.count)
        var index = 0
        while index &+ 8 <= key.count {
            hash = Self.mix(hash ^ key.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        var last: UInt64 = 0
        while index < key.count {
            last = last << 8 | UInt64(key[index])
            index &+= 1
        }
        return Self.mix(hash ^ last)
    }

    @inlinable
    static func mix(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }
}
