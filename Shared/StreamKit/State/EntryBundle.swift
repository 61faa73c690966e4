package import JSON

/// A record of a changelog that holds many entries: those of one transaction that die together.
///
/// The value is entries one after another: the key's length and the value's, four bytes each with the least significant first,
/// then the key and the value.
package enum EntryBundle {
    /// What tells a bundle from the others of its changelog.
    package struct Name: Hashable, Sendable {
        /// The event time by which all its entries are over.
        package var bucketEndMilliseconds: Int64
        /// Counts the bundles of a bucket.
        package var slot: Int64

        package init(bucketEndMilliseconds: Int64, slot: Int64) {
            self.bucketEndMilliseconds = bucketEndMilliseconds
            self.slot = slot
        }
    }

    /// A slot that no program reaches; one more must still be a number.
    package static let slotMax = Int64.max / 2
    /// A bundle is cut before it would become larger; an entry that is larger alone is a bundle alone.
    package static let bytesMax = 64 << 10
    private static let lengthsBytes = 8

    package struct Malformed: Error, Hashable {}

    @inline(__always)
    package static func byteCount(_ key: Bytes, _ value: Bytes) -> Int { lengthsBytes &+ key.count &+ value.count }

    /// Neither is longer than four bytes can say.
    @inline(__always)
    package static func append(_ key: Bytes, _ value: Bytes, to buffer: OutputBuffer) {
        buffer.append(binary: UInt64(truncatingIfNeeded: key.count) | UInt64(truncatingIfNeeded: value.count) << 32)
        buffer.append(key)
        buffer.append(value)
    }

    /// All entries of a bundle, up to where it turns out not to be one.
    package static func forEachEntry<Failure: Error>(
        in bundle: Bytes, _ body: (_ key: Bytes, _ value: Bytes) throws(Failure) -> Void
    ) throws(Failure) -> Malformed? {
        var rest = bundle
        while !rest.isEmpty {
            guard rest.count >= lengthsBytes else { return Malformed() }
            let lengths = UInt64(littleEndian: rest.loadUnaligned(as: UInt64.self))
            let (keyCount, valueCount) = (Int(lengths & 0xffff_ffff), Int(lengths >> 32))
            let valueStart = lengthsBytes + keyCount
            guard rest.count - lengthsBytes >= keyCount + valueCount else { return Malformed() }
            try body(
                Bytes(rebasing: rest[lengthsBytes..<valueStart]),
                Bytes(rebasing: rest[valueStart..<valueStart + valueCount]))
            rest = Bytes(rebasing: rest[(valueStart + valueCount)...])
        }
        return nil
    }
}
