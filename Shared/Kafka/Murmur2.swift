/// The hash by which Kafka's Java clients choose a partition; only the same one keeps equal keys together.
public enum Murmur2 {
    /// Kafka's `Utils.murmur2`: 32 bits, seed 0x9747b28c, the last one to three bytes as MurmurHash2 has them.
    @inlinable
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        let multiplier: UInt32 = 0x5bd1_e995
        var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
        let words = bytes.count &>> 2
        var index = 0
        while index < words {
            var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index &<< 2, as: UInt32.self))
            word = word &* multiplier
            word ^= word &>> 24
            word = word &* multiplier
            hash = (hash &* multiplier) ^ word
            index &+= 1
        }
        let tail = words &<< 2
        let rest = bytes.count &- tail
        if rest > 0 {
            if rest == 3 { hash ^= UInt32(bytes[tail &+ 2]) &<< 16 }
            if rest >= 2 { hash ^= UInt32(bytes[tail &+ 1]) &<< 8 }
            hash ^= UInt32(bytes[tail])
            hash = hash &* multiplier
        }
        hash ^= hash &>> 13
        hash = hash &* multiplier
        hash ^= hash &>> 15
        return Int32(bitPattern: hash)
    }

    /// The partition of a record with this key: the hash without its sign bit, modulo the count.
    ///
    /// - Precondition: `count` is positive.
    @inlinable
    public static func partition(of key: UnsafeRawBufferPointer, count: Int32) -> Int32 {
        (hash(key) & 0x7fff_ffff) % count
    }
}
