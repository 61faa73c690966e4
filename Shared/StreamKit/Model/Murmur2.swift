/// The partitioner of Kafka's Java clients: the same key goes to the same partition, whoever wrote it.
///
/// Kafka's murmur2 is Austin Appleby's MurmurHash2 with seed 0x9747b28c, over signed 32-bit words.
public enum Murmur2 {
    /// The partition of a key among `partitions`, which is at least 1.
    @inlinable
    @inline(__always)
    public static func partition(of key: Bytes, among partitions: Int32) -> Int32 {
        Int32(bitPattern: hash(key) & 0x7fff_ffff) % max(1, partitions)
    }

    @inlinable
    public static func hash(_ bytes: Bytes) -> UInt32 {
        let multiplier: UInt32 = 0x5bd1_e995
        let length = bytes.count
        var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: length)
        var index = 0
        while index &+ 4 <= length {
            var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)) &* multiplier
            word ^= word >> 24
            hash = (hash &* multiplier) ^ (word &* multiplier)
            index &+= 4
        }
        let left = length &- index
        if left == 3 { hash ^= UInt32(bytes[index &+ 2]) << 16 }
        if left >= 2 { hash ^= UInt32(bytes[index &+ 1]) << 8 }
        if left >= 1 {
            hash ^= UInt32(bytes[index])
            hash = hash &* multiplier
        }
        hash ^= hash >> 13
        hash = hash &* multiplier
        return hash ^ (hash >> 15)
    }
}
