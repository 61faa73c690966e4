/// Which bundles of a changelog are alive: of each bucket a run of slots, `first` and those after it before `next`.
///
/// Bundles are added at a bucket's end and buried from its beginning, so that a run is all there is to know. It is changed as a
/// copy by a transaction, and takes the copy's place with its commit; a store that outlives its process keeps it beside its
/// position in the changelog, of which it then reads only the tail.
///
/// While a changelog is read its records come in order, but some may be missing, because compaction took them away, and some come
/// once more, because the position is a lower bound. So a tombstone says that every bundle at or before its slot is dead. What is
/// read misses no bundle that lives; it may name dead ones whose tombstones are gone, which get another.
public struct BundleDirectory: Hashable, Sendable {
    struct Bucket: Hashable, Sendable {
        var endMilliseconds: Int64
        var first: Int64
        var next: Int64
    }

    /// By their ends.
    private(set) var buckets: [Bucket] = []

    public init() {}

    /// How many buckets there are, for tests of their bounds.
    package var bucketCount: Int { buckets.count }

    /// The bundles that are alive, each by its name.
    package var names: [EntryBundle.Name] {
        buckets.flatMap { bucket in
            (bucket.first..<bucket.next).map {
                EntryBundle.Name(bucketEndMilliseconds: bucket.endMilliseconds, slot: $0)
            }
        }
    }

    // MARK: Writing

    /// A bundle is written; returns its name.
    package mutating func add(to endMilliseconds: Int64) -> EntryBundle.Name {
        let index = index(of: endMilliseconds)
        if !has(endMilliseconds, at: index) {
            buckets.insert(Bucket(endMilliseconds: endMilliseconds, first: 0, next: 0), at: index)
        }
        defer { buckets[index].next += 1 }
        return EntryBundle.Name(bucketEndMilliseconds: endMilliseconds, slot: buckets[index].next)
    }

    /// Whether the watermark has passed a bucket.
    package func hasDead(at watermark: Int64) -> Bool {
        guard watermark != TaskTime.none, let first = buckets.first else { return false }
        return first.endMilliseconds <= watermark
    }

    /// Takes bundles out whose bucket the watermark has passed, at most `limit`: each is to get a tombstone.
    package mutating func bury(at watermark: Int64, limit: Int) -> [EntryBundle.Name] {
        var buried: [EntryBundle.Name] = []
        while buried.count < limit, hasDead(at: watermark) {
            buried.append(EntryBundle.Name(bucketEndMilliseconds: buckets[0].endMilliseconds, slot: buckets[0].first))
            buckets[0].first += 1
            if buckets[0].first == buckets[0].next { buckets.removeFirst() }
        }
        return buried
    }

    // MARK: Reading

    /// A bundle was found in the changelog.
    package mutating func found(_ name: EntryBundle.Name) {
        let index = index(of: name.bucketEndMilliseconds)
        guard has(name.bucketEndMilliseconds, at: index) else {
            let bucket = Bucket(
                endMilliseconds: name.bucketEndMilliseconds, first: name.slot, next: name.slot + 1)
            return buckets.insert(bucket, at: index)
        }
        buckets[index].first = min(buckets[index].first, name.slot)
        buckets[index].next = max(buckets[index].next, name.slot + 1)
    }

    /// A bundle's tombstone was found.
    package mutating func foundTombstone(of name: EntryBundle.Name) {
        let index = index(of: name.bucketEndMilliseconds)
        guard has(name.bucketEndMilliseconds, at: index) else { return }
        buckets[index].first = max(buckets[index].first, name.slot + 1)
        if buckets[index].first >= buckets[index].next { buckets.remove(at: index) }
    }

    private func has(_ endMilliseconds: Int64, at index: Int) -> Bool {
        index < buckets.count && buckets[index].endMilliseconds == endMilliseconds
    }

    /// Where the bucket is, or where it belongs.
    private func index(of endMilliseconds: Int64) -> Int {
        var (low, high) = (0, buckets.count)
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].endMilliseconds < endMilliseconds { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// As a store keeps it.
extension BundleDirectory {
    private static let version: UInt8 = 1

    public var bytes: [UInt8] {
        var bytes = [Self.version]
        for bucket in buckets {
            bytes.append(integer: bucket.endMilliseconds)
            bytes.append(integer: bucket.first)
            bytes.append(integer: bucket.next)
        }
        return bytes
    }

    /// nil for bytes that are not of this form.
    public init?(_ bytes: Bytes) {
        var reader = ByteReader(bytes)
        guard reader.byte() == Self.version else { return nil }
        while !reader.isAtEnd {
            guard let end = reader.int64(), let first = reader.int64(), let next = reader.int64(),
                first >= 0, first < next, next <= EntryBundle.slotMax, end > buckets.last?.endMilliseconds ?? .min
            else { return nil }
            buckets.append(Bucket(endMilliseconds: end, first: first, next: next))
        }
    }
}
