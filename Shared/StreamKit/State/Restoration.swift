/// Brings a task's stores to where their changelogs end, a batch at a time, so that the thread stays a member of its group
/// meanwhile.
///
/// First it is made sure, for stores that hold something already, that their changelogs are the ones they were built from; then
/// what is missing is read.
final class Restoration {
    private struct Target {
        let store: TaskStore
        let bounds: OffsetBounds
        var position: Int64
        /// The changelog is read from its beginning.
        var isWhole: Bool
        var sawDefinition = false
        /// Of the changelog that the store was built from, as far as is known.
        var identity: UInt64?
        /// The bundles that live before `position`.
        var bundles: BundleDirectory

        var end: Int64 { bounds.end }
    }

    let task: TaskID
    private let reader: any PartitionReader
    /// The task's, as it was committed.
    private let watermark: Int64
    /// By the reader's dense number of the changelog partition.
    private var targets: [Int32: Target] = [:]
    /// The changelogs whose first record has yet to say which they are.
    private var unidentified: Set<Int32> = []
    private(set) var remainingCount: Int64 = 0
    /// For whoever watches: what was left when it last changed, and when that was.
    var progress: (remaining: Int64, since: Int64) = (-1, 0)
    /// The changelogs that turned out not to be those that the stores were built from.
    private(set) var replaced: [TopicPartition] = []

    /// Looks where each changelog begins and ends; nothing is read yet.
    init(_ task: StreamTask, reader: any PartitionReader) throws(StreamFault) {
        self.task = task.id
        self.reader = reader
        watermark = task.time.leastWatermarkMilliseconds
        do throws(BrokerFailure) {
            for store in task.stores { try add(store) }
            try readOn()
        } catch {
            throw .broker(error)
        }
    }

    private func add(_ store: TaskStore) throws(BrokerFailure) {
        let bounds = try reader.bounds(of: store.changelog)
        let position = store.backend.position
        let start = position?.offset ?? bounds.first
        let index = reader.index(of: store.changelog)
        targets[index] = Target(
            store: store, bounds: bounds, position: max(start, bounds.first), isWhole: start <= bounds.first,
            identity: position?.identity, bundles: position?.bundles ?? BundleDirectory())
        let isCut = start < bounds.first ? try !Self.isEmpty(store) : false
        if start > bounds.end || isCut {
            try begin(index)
        } else if position?.identity != nil, bounds.first < bounds.end {
            unidentified.insert(index)
        }
        countRemaining()
    }

    /// The changelog was deleted, or made anew: what the store holds is not what it says.
    private func begin(_ index: Int32) throws(BrokerFailure) {
        guard let target = targets[index] else { return }
        do { try target.store.backend.reset() } catch {
            throw BrokerFailure(
                .stop, operation: "set the store \(target.store.definition.name) aside", reason: "\(error)")
        }
        targets[index]?.position = target.bounds.first
        targets[index]?.isWhole = true
        targets[index]?.identity = nil
        targets[index]?.bundles = BundleDirectory()
        replaced.append(target.store.changelog)
    }

    /// The first records of those not yet identified, then each from where its store stands.
    private func readOn() throws(BrokerFailure) {
        let starts: [StartOffset]
        if unidentified.isEmpty {
            countRemaining()
            starts = targets.values.filter { $0.position < $0.end }.map {
                StartOffset($0.store.changelog, offset: $0.position, paused: false)
            }
        } else {
            starts = unidentified.compactMap { index in
                targets[index].map { StartOffset($0.store.changelog, offset: $0.bounds.first, paused: false) }
            }
        }
        if !starts.isEmpty { try reader.assign(starts) }
    }

    private func countRemaining() {
        remainingCount = targets.values.reduce(0) { $0 + max(0, $1.end - $1.position) }
    }

    /// Exactly: a backend's `entryCount` may be an estimate.
    private static func isEmpty(_ store: TaskStore) throws(BrokerFailure) -> Bool {
        var isEmpty = true
        do throws(StoreFailure) {
            try store.backend.scan(prefix: Bytes(start: nil, count: 0)) { _, _ in
                isEmpty = false
                return false
            }
        } catch {
            throw BrokerFailure(.stop, operation: "read the store \(store.definition.name)", reason: "\(error)")
        }
        return isEmpty
    }

    /// Reads one batch. True when all stores are where their changelogs ended.
    func step(timeoutMilliseconds: Int32) throws(StreamFault) -> Bool {
        if unidentified.isEmpty && isDone { return try finish() }
        do throws(BrokerFailure) {
            let batch = try reader.poll(
                timeoutMilliseconds: timeoutMilliseconds, maximum: unidentified.isEmpty ? 4096 : 1)
            defer { reader.release() }
            if let lost = batch.lostPositions.first {
                throw BrokerFailure(
                    .stop, operation: "restore from \(lost)",
                    reason: "its records were deleted while they were read; start again")
            }
            if !unidentified.isEmpty {
                try identify(batch.records)
                return false
            }
            try apply(batch.records)
        } catch {
            throw .broker(error)
        }
        for (index, target) in targets {
            // Control records and aborted ones take offsets too: the reader's position passes over them.
            let partition = reader.partition(at: index)
            targets[index]?.position = max(target.position, reader.position(of: partition) ?? target.position)
        }
        countRemaining()
        return isDone ? try finish() : false
    }

    func close() { reader.close() }

    private var isDone: Bool { targets.values.allSatisfy { $0.position >= $0.end } }

    /// The first record of a changelog tells which it is. One that says nothing of it (somebody cut its beginning off) speaks
    /// against nothing.
    private func identify(_ records: UnsafeBufferPointer<Record>) throws(BrokerFailure) {
        let before = unidentified.count
        for record in records where unidentified.remove(record.origin.source) != nil {
            let index = record.origin.source
            guard let known = targets[index]?.identity, case .definition? = try? Changelog.decode(record.key) else {
                continue
            }
            if Changelog.Definition(record.value).identity != known { try begin(index) }
        }
        for index in unidentified {
            guard let end = targets[index]?.end, let position = reader.position(of: reader.partition(at: index)),
                position >= end
            else { continue }
            unidentified.remove(index)
        }
        if unidentified.count < before { try readOn() }
    }

    private func finish() throws(StreamFault) -> Bool {
        for target in targets.values {
            if !target.sawDefinition && target.identity == nil { try definitionMissing(target) }
            do {
                try target.store.restored(
                    to: ChangelogPosition(offset: target.end, identity: target.identity, bundles: target.bundles))
            } catch {
                throw .store(error)
            }
        }
        return true
    }

    /// An empty changelog gets its definition with the first entries. (So does one whose entries are all removed: nothing
    /// tells it from one of which only an aborted transaction is left.)
    private func definitionMissing(_ target: Target) throws(StreamFault) {
        let isEmpty: Bool
        do { isEmpty = try Self.isEmpty(target.store) } catch { throw .broker(error) }
        if isEmpty {
            target.store.needsDefinition = true
        } else if target.isWhole {
            throw .broker(
                refused(
                    target.store.definition.name,
                    "its changelog \(target.store.changelog) does not say what its entries mean; no program of this kind wrote it"
                ))
        }
    }

    /// Records of a changelog come in runs: its target is looked up once for each.
    private func apply(_ records: UnsafeBufferPointer<Record>) throws(BrokerFailure) {
        var next = records.startIndex
        while next < records.endIndex {
            let source = records[next].origin.source
            guard var target = targets[source] else {
                next += 1
                continue
            }
            defer { targets[source] = target }
            let backend = target.store.backend
            while next < records.endIndex, records[next].origin.source == source {
                let record = records[next]
                next += 1
                // What lies before was read when the store was built: an old value must not replace a newer one.
                if record.origin.offset < target.position || record.origin.offset >= target.end { continue }
                target.position = record.origin.offset + 1
                let item: Changelog.Item
                do { item = try Changelog.decode(record.key) } catch { throw unreadable(error, record, target) }
                switch item {
                case .entry(let key):
                    if target.store.definition.expiry != nil { throw unreadable(.malformed, record, target) }
                    do { try backend.restore(key, record.value) } catch {
                        throw refused(target.store.definition.name, "\(error)")
                    }
                case .bundle(let name):
                    if target.store.definition.expiry == nil { throw unreadable(.malformed, record, target) }
                    if let bundle = record.value {
                        // Brokers compact rarely: most of a changelog may be over, and would not fit into memory.
                        if name.bucketEndMilliseconds > watermark { try restore(bundle, record, target) }
                        target.bundles.found(name)
                    } else {
                        target.bundles.foundTombstone(of: name)
                    }
                case .definition:
                    let found = Changelog.Definition(record.value)
                    if found.format != target.store.definition.format {
                        throw isOfAnotherForm(found.format, record, target)
                    }
                    target.sawDefinition = true
                    target.identity = found.identity
                }
            }
        }
    }

    private func restore(_ bundle: Bytes, _ record: Record, _ target: Target) throws(BrokerFailure) {
        let backend = target.store.backend
        let malformed: EntryBundle.Malformed?
        do throws(StoreFailure) {
            malformed = try EntryBundle.forEachEntry(in: bundle) { (key, value) throws(StoreFailure) in
                try backend.restore(key, value)
            }
        } catch {
            throw refused(target.store.definition.name, "\(error)")
        }
        if malformed != nil { throw unreadable(.malformed, record, target) }
    }

    private func isOfAnotherForm(_ format: String, _ record: Record, _ target: Target) -> BrokerFailure {
        let definition = target.store.definition
        return refused(
            definition.name,
            "its changelog (\(place(of: record, target))) holds entries of the form \(format), this program reads "
                + "\(definition.format); run the program that wrote it, or begin anew with streamctl reset")
    }

    private func unreadable(_ failure: Changelog.Failure, _ record: Record, _ target: Target) -> BrokerFailure {
        let place = place(of: record, target)
        let reason =
            switch failure {
            case .newerVersion(let version):
                "its changelog (\(place)) is of version \(version), this program reads \(Changelog.version); run a newer one"
            case .malformed: "its changelog (\(place)) holds a record that no program of this kind wrote"
            }
        return refused(target.store.definition.name, reason)
    }

    private func place(of record: Record, _ target: Target) -> String {
        "\(target.store.changelog) offset \(record.origin.offset)"
    }

    private func refused(_ store: String, _ reason: String) -> BrokerFailure {
        BrokerFailure(.stop, operation: "restore the store \(store)", reason: reason)
    }
}

extension Changelog.Definition {
    fileprivate init(_ value: Bytes?) {
        self.init(text: value.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }
}
