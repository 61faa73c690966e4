internal import JSON

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

    /// A bundle being written.
    package final class Buffer {
        private var content = RawList<UInt8>(capacity: 512)

        package init() {}

        package var bytes: Bytes { Bytes(start: content.base, count: content.count) }
        package var count: Int { content.count }
        package var isEmpty: Bool { content.count == 0 }

        package func removeAll() { content.removeAll(keeping: .max) }

        /// Neither is longer than four bytes can say.
        @inline(__always)
        package func append(_ key: Bytes, _ value: Bytes) {
            let lengths = UInt64(truncatingIfNeeded: key.count) | UInt64(truncatingIfNeeded: value.count) << 32
            let target = UnsafeMutableRawPointer(content.extend(by: EntryBundle.byteCount(key, value)))
            target.storeBytes(of: lengths.littleEndian, as: UInt64.self)
            let entry = target + EntryBundle.lengthsBytes
            if let base = key.baseAddress { ShortCopy.copy(base, to: entry, count: key.count) }
            if let base = value.baseAddress { ShortCopy.copy(base, to: entry + key.count, count: value.count) }
        }
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
