/// Packs the entries of a transaction into bundles: one is open for each bucket that they fall into.
final class BundlePacker {
    private struct Open {
        let endMilliseconds: Int64
        let bytes: EntryBundle.Buffer
    }

    private let buckets: ExpiryBuckets
    private var reference: Int64 = 0
    private var open: [Open] = []
    /// Used again; after a transaction of many buckets only so many are kept.
    private var spare: [EntryBundle.Buffer] = []
    private static let spareMax = 2
    /// The bucket of the entry before, which is nearly always that of the next one too, and its bundle; `open` owns it.
    private var current: (bucket: ExpiryBuckets.Bucket, bytes: Uncounted<EntryBundle.Buffer>)?

    init(_ expiry: StoreExpiry) { buckets = ExpiryBuckets(spanMilliseconds: expiry.spanMilliseconds) }

    /// Begins a transaction's bundles. `reference` is the watermark, or the clock where there is none.
    func begin(reference: Int64) {
        for open in open where spare.count < Self.spareMax {
            open.bytes.removeAll()
            spare.append(open.bytes)
        }
        open.removeAll()
        current = nil
        self.reference = reference
    }

    /// Adds an entry; false if its bundle has no room for it, and must be written before: ``writeFull(_:)``.
    @inline(__always)
    func add(_ key: Bytes, _ value: Bytes, expiry: Int64) -> Bool {
        var isAdded = false
        bundle(of: expiry).bytes.with { (bytes) throws(Never) in
            if !bytes.isEmpty, bytes.count + EntryBundle.byteCount(key, value) > EntryBundle.bytesMax { return }
            bytes.append(key, value)
            isAdded = true
        }
        return isAdded
    }

    /// Writes the bundle that had no room, and begins another of its bucket.
    func writeFull(
        _ write: (_ endMilliseconds: Int64, _ bundle: Bytes) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        guard let current else { return }
        try current.bytes.with { (bytes) throws(StreamFault) in
            try write(current.bucket.end, bytes.bytes)
            bytes.removeAll()
        }
    }

    /// Writes the bundles that are open.
    func finish(
        write: (_ endMilliseconds: Int64, _ bundle: Bytes) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        for open in open where !open.bytes.isEmpty { try write(open.endMilliseconds, open.bytes.bytes) }
        begin(reference: reference)
    }

    @inline(__always)
    private func bundle(of expiry: Int64) -> (bucket: ExpiryBuckets.Bucket, bytes: Uncounted<EntryBundle.Buffer>) {
        if let current, expiry >= current.bucket.least, expiry <= current.bucket.greatest { return current }
        return otherBundle(of: expiry)
    }

    @inline(never)
    private func otherBundle(of expiry: Int64) -> (bucket: ExpiryBuckets.Bucket, bytes: Uncounted<EntryBundle.Buffer>) {
        let bucket = buckets.bucket(of: expiry, seenFrom: reference)
        let bytes: EntryBundle.Buffer
        if let found = open.first(where: { $0.endMilliseconds == bucket.end }) {
            bytes = found.bytes
        } else {
            bytes = spare.popLast() ?? EntryBundle.Buffer()
            open.append(Open(endMilliseconds: bucket.end, bytes: bytes))
        }
        let found = (bucket: bucket, bytes: Uncounted(bytes))
        current = found
        return found
    }
}
