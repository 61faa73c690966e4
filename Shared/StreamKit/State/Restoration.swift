/// Brings a task's stores to where their changelogs end, a batch at a time, so that the thread stays a member of its group
/// meanwhile.
final class Restoration {
    private struct Target {
        let store: TaskStore
        let end: Int64
        var position: Int64
        /// The changelog is read from its beginning.
        let isWhole: Bool
        var sawDefinition = false
    }

    let task: TaskID
    private let reader: any PartitionReader
    /// By the reader's dense number of the changelog partition.
    private var targets: [Int32: Target] = [:]
    private(set) var remainingCount: Int64 = 0

    /// Looks where each changelog begins and ends; nothing is read yet.
    init(_ task: TaskID, stores: [TaskStore], reader: any PartitionReader) throws(StreamFault) {
        self.task = task
        self.reader = reader
        do throws(BrokerFailure) {
            var starts: [StartOffset] = []
            for store in stores {
                let bounds = try reader.bounds(of: store.changelog)
                var start = store.store.backend.changelogOffset ?? bounds.first
                let isCut = start < bounds.first ? try !Self.isEmpty(store) : false
                if start > bounds.end || isCut {
                    // The changelog was deleted, or made anew: what the store holds is not what it says.
                    try Self.reset(store)
                    start = bounds.first
                }
                start = max(start, bounds.first)
                targets[reader.index(of: store.changelog)] = Target(
                    store: store, end: bounds.end, position: start, isWhole: start <= bounds.first)
                remainingCount += max(0, bounds.end - start)
                if start < bounds.end {
                    starts.append(StartOffset(store.changelog, offset: start, paused: false))
                }
            }
            if !starts.isEmpty { try reader.assign(starts) }
        } catch {
            throw .broker(error)
        }
    }

    /// Exactly: a backend's `entryCount` may be an estimate.
    private static func isEmpty(_ store: TaskStore) throws(BrokerFailure) -> Bool {
        var isEmpty = true
        do throws(StoreFailure) {
            try store.store.backend.scan(prefix: Bytes(start: nil, count: 0)) { _, _ in
                isEmpty = false
                return false
            }
        } catch {
            throw BrokerFailure(.stop, operation: "read the store \(store.store.definition.name)", reason: "\(error)")
        }
        return isEmpty
    }

    private static func reset(_ store: TaskStore) throws(BrokerFailure) {
        do { try store.store.backend.reset() } catch {
            throw BrokerFailure(
                .stop, operation: "set the store \(store.store.definition.name) aside", reason: "\(error)")
        }
    }

    /// Reads one batch. True when all stores are where their changelogs ended.
    func step(timeoutMilliseconds: Int32) throws(StreamFault) -> Bool {
        if isDone { return try finish() }
        do throws(BrokerFailure) {
            let batch = try reader.poll(timeoutMilliseconds: timeoutMilliseconds, maximum: 4096)
            defer { reader.release() }
            for record in batch.records { try apply(record) }
            if let lost = batch.lostPositions.first {
                throw BrokerFailure(
                    .stop, operation: "restore from \(lost)",
                    reason: "its records were deleted while they were read; start again")
            }
        } catch {
            throw .broker(error)
        }
        remainingCount = 0
        for (index, target) in targets {
            // Control records and aborted ones take offsets too: the reader's position passes over them.
            let partition = reader.partition(at: index)
            targets[index]?.position = max(target.position, reader.position(of: partition) ?? target.position)
            remainingCount += max(0, target.end - (targets[index]?.position ?? 0))
        }
        return isDone ? try finish() : false
    }

    func close() { reader.close() }

    private var isDone: Bool { targets.values.allSatisfy { $0.position >= $0.end } }

    private func finish() throws(StreamFault) -> Bool {
        for target in targets.values {
            if !target.sawDefinition { try definitionMissing(target) }
            do { try target.store.restored(to: target.end) } catch { throw .store(error) }
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
                    target.store.store.definition.name,
                    "its changelog \(target.store.changelog) does not say what its entries mean; no program of this kind wrote it"
                ))
        }
    }

    private func apply(_ record: Record) throws(BrokerFailure) {
        let source = record.origin.source
        guard let target = targets[source], record.origin.offset < target.end else { return }
        targets[source]?.position = record.origin.offset + 1
        let definition = target.store.store.definition
        let place = "\(target.store.changelog) offset \(record.origin.offset)"
        do {
            switch try Changelog.decode(record.key) {
            case .entry(let key):
                do { try target.store.store.backend.restore(key, record.value) } catch {
                    throw refused(definition.name, "\(error)")
                }
            case .definition:
                targets[source]?.sawDefinition = true
                let found = record.value.map { String(decoding: $0, as: UTF8.self) } ?? ""
                guard found == definition.format else {
                    throw refused(
                        definition.name,
                        "its changelog (\(place)) holds entries of the form \(found), this program reads \(definition.format); "
                            + "give the store another name, or reset the application")
                }
            }
        } catch let failure as BrokerFailure {
            throw failure
        } catch let failure as Changelog.Failure {
            switch failure {
            case .newerVersion(let version):
                throw refused(
                    definition.name,
                    "its changelog (\(place)) is of version \(version), this program reads \(Changelog.version); run a newer one"
                )
            case .malformed:
                throw refused(
                    definition.name, "its changelog (\(place)) holds a record that no program of this kind wrote")
            }
        } catch {
            throw refused(definition.name, "\(error)")
        }
    }

    private func refused(_ store: String, _ reason: String) -> BrokerFailure {
        BrokerFailure(.stop, operation: "restore the store \(store)", reason: reason)
    }
}
