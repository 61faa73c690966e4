package import JSON

/// The form of a store's changelog: a compacted topic with a whole value for each key, or, of a store whose entries expire, with
/// bundles of entries that die together.
///
/// Every key begins with the version of this form. The first record of a partition tells what the entries mean, so that a
/// program that means something else by them stops before it touches anything.
package enum Changelog {
    package static let version: UInt8 = 1
    private static let entry: UInt8 = 0
    private static let definition: UInt8 = 1
    private static let bundle: UInt8 = 2

    /// `key` as it stands in the changelog, written over `buffer`.
    package static func encode(_ key: Bytes, into buffer: OutputBuffer) {
        buffer.removeAll()
        buffer.append(version)
        buffer.append(entry)
        buffer.append(key)
    }

    /// The key of a bundle, written over `buffer`: its bucket and its slot, the most significant byte first.
    package static func encode(_ name: EntryBundle.Name, into buffer: OutputBuffer) {
        buffer.removeAll()
        buffer.append(version)
        buffer.append(bundle)
        buffer.append(binary: name.bucketEndMilliseconds.byteSwapped)
        buffer.append(binary: name.slot.byteSwapped)
    }

    package static let definitionKey: [UInt8] = [version, definition]

    /// The value of a changelog's first record.
    package struct Definition: Hashable {
        /// What the entries mean.
        package var format: String
        /// Drawn when the changelog was begun: of two changelogs of one name, the second made after the first was deleted, it
        /// tells which one a store was built from. nil where nobody wrote it.
        package var identity: UInt64?

        private static let separator = "\nchangelog="

        package init(format: String, identity: UInt64?) {
            self.format = format
            self.identity = identity
        }

        package init(text: String) {
            if let range = text.ranges(of: Self.separator).last,
                let identity = UInt64(text[range.upperBound...], radix: 16)
            {
                self.init(format: String(text[..<range.lowerBound]), identity: identity)
            } else {
                self.init(format: text, identity: nil)
            }
        }

        package var text: String {
            format + (identity.map { Self.separator + String($0, radix: 16) } ?? "")
        }
    }

    package enum Item {
        case entry(key: Bytes)
        case definition
        case bundle(EntryBundle.Name)
    }

    package enum Failure: Error, Hashable {
        case newerVersion(UInt8)
        case malformed
    }

    package static func decode(_ key: Bytes?) throws(Failure) -> Item {
        guard let key, key.count >= 2 else { throw .malformed }
        guard key[0] == version else { throw .newerVersion(key[0]) }
        switch key[1] {
        case entry: return .entry(key: Bytes(rebasing: key[2...]))
        case definition: return .definition
        case bundle:
            guard key.count == 18 else { throw .malformed }
            let end = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 2, as: Int64.self))
            let slot = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 10, as: Int64.self))
            guard (0..<EntryBundle.slotMax).contains(slot) else { throw .malformed }
            return .bundle(EntryBundle.Name(bucketEndMilliseconds: end, slot: slot))
        default: throw .malformed
        }
    }
}
