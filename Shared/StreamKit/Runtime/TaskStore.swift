internal import JSON

/// A store of a task with its changelog partition.
final class TaskStore {
    let definition: StoreDefinition
    let backend: any StoreBackend
    let changelog: TopicPartition
    /// The changelog's number for `TaskOutput`.
    private let target: Int32
    /// The first record of a changelog tells what the entries mean. It is owed until a transaction that holds it is committed.
    var needsDefinition = false
    private var sentDefinition: Changelog.Definition?
    /// Only we write to this partition, and each record takes one offset and each transaction one more for its marker at least,
    /// so counting gives a lower bound; and to read whole values once more changes nothing.
    private var position: ChangelogPosition
    private var writtenCount: Int64 = 0
    /// As the open transaction leaves them; as they are committed: in `position`.
    private var bundles: BundleDirectory
    /// nil where each entry has a record of its own.
    private let packer: BundlePacker?
    private let key = OutputBuffer()

    /// A commit must not grow with what died since the one before it.
    private static let tombstonesPerCommit = 2_000

    init(_ definition: StoreDefinition, _ backend: any StoreBackend, changelog: TopicPartition, target: Int32) {
        self.definition = definition
        self.backend = backend
        self.changelog = changelog
        self.target = target
        packer = definition.expiry.map { BundlePacker($0) }
        position = backend.position ?? ChangelogPosition(offset: 0)
        bundles = position.bundles
    }

    func restored(to position: ChangelogPosition) throws(StoreFailure) {
        self.position = position
        bundles = position.bundles
        try backend.restored(position)
    }

    /// The transaction's writes, the last value of each key once; of those that expire, in bundles.
    func writeChangelog(to output: TaskOutput, _ time: TaskTime) throws(StreamFault) {
        if let packer, let expiry = definition.expiry {
            try writeBundles(packer, expiry, to: output, time)
            try buryBundles(to: output, time)
        } else {
            try backend.forEachPending { (entry, value) throws(StreamFault) in
                Changelog.encode(entry, into: key)
                try send(key.bytes, value, to: output)
            }
        }
    }

    func committed() throws(StoreFailure) {
        let hasWritten = writtenCount > 0
        if hasWritten {
            position.offset += writtenCount + 1
            position.bundles = bundles
        }
        writtenCount = 0
        if let sentDefinition {
            needsDefinition = false
            position.identity = sentDefinition.identity
        }
        sentDefinition = nil
        if hasWritten || backend.pendingCount > 0 { try backend.commit(position) }
    }

    func aborted() throws(StoreFailure) {
        writtenCount = 0
        sentDefinition = nil
        bundles = position.bundles
        try backend.rollback()
    }

    // MARK: Bundles

    /// What is over by now goes into none: nobody would miss it.
    private func writeBundles(
        _ packer: BundlePacker, _ expiry: StoreExpiry, to output: TaskOutput, _ time: TaskTime
    ) throws(StreamFault) {
        if backend.pendingCount == 0 { return }
        let watermark = time.leastWatermarkMilliseconds
        packer.begin(reference: watermark == TaskTime.none ? time.nowMilliseconds : watermark)
        try backend.forEachPending { (entry, value) throws(StreamFault) in
            // A removal is a sweep's, of what is over.
            guard let value else { return }
            let over = expiry.time(value)
            if over <= watermark { return }
            if packer.add(entry, value, expiry: over) { return }
            try packer.writeFull { (end, bundle) throws(StreamFault) in try send(bundle, of: end, to: output) }
            _ = packer.add(entry, value, expiry: over)
        }
        try packer.finish { (end, bundle) throws(StreamFault) in try send(bundle, of: end, to: output) }
    }

    private func send(_ bundle: Bytes, of endMilliseconds: Int64, to output: TaskOutput) throws(StreamFault) {
        Changelog.encode(bundles.add(to: endMilliseconds), into: key)
        try send(key.bytes, bundle, to: output)
    }

    /// What the watermark has passed gets its tombstone, a part of it at each commit.
    private func buryBundles(to output: TaskOutput, _ time: TaskTime) throws(StreamFault) {
        let watermark = time.leastWatermarkMilliseconds
        guard bundles.hasDead(at: watermark) else { return }
        for name in bundles.bury(at: watermark, limit: Self.tombstonesPerCommit) {
            Changelog.encode(name, into: key)
            try send(key.bytes, nil, to: output)
        }
    }

    // MARK: Records

    private func send(_ key: Bytes, _ value: Bytes?, to output: TaskOutput) throws(StreamFault) {
        if needsDefinition && sentDefinition == nil {
            let definition = Changelog.Definition(format: definition.format, identity: .random(in: 0 ... .max))
            sentDefinition = definition
            try Changelog.definitionKey.withBytes { (key) throws(StreamFault) in
                try Array(definition.text.utf8).withBytes { (text) throws(StreamFault) in
                    try sendRecord(key, text, to: output)
                }
            }
        }
        try sendRecord(key, value, to: output)
    }

    @inline(__always)
    private func sendRecord(_ key: Bytes, _ value: Bytes?, to output: TaskOutput) throws(StreamFault) {
        do throws(SendFailure) {
            // Timestamp -1, the producer's clock: retention by old event times would delete what is needed.
            try output.send(
                to: target, partition: changelog.partition, key: key, value: value, timestampMilliseconds: -1)
        } catch {
            throw error.fault
        }
        writtenCount += 1
    }
}
