/// How long the entries of a store live.
public struct StoreExpiry: Sendable {
    /// How far ahead of the watermark an entry's expiry usually is. By sixteenths of it entries leave the changelog together.
    public let spanMilliseconds: Int64
    /// The event time at which an entry of this value is over.
    public let time: @Sendable (_ value: Bytes) -> Int64

    public init(spanMilliseconds: Int64, time: @escaping @Sendable (_ value: Bytes) -> Int64) {
        self.spanMilliseconds = spanMilliseconds
        self.time = time
    }
}

/// A store whose entries live until event time has passed them, as a processor sees it; writes are part of the open transaction.
///
/// An entry is absent once the task's watermark (`TaskTime.leastWatermarkMilliseconds`) has reached its expiry. There is no other
/// removal, so that none has to be written: the changelog holds bundles of entries (`EntryBundle`), each dead as a whole once the
/// watermark is past it.
///
/// **A value that replaces one whose life is not over must not expire sooner than it.** The changelog keeps both until each one's
/// time has come, and whoever restores the store reads those that are left: were the newer to go first, the older would be
/// back. As it is, what comes back is over too, and so absent.
public final class ExpiringStore {
    public let definition: StoreDefinition
    private let expiry: StoreExpiry
    private let backend: any StoreBackend
    private let time: TaskTime

    init(_ definition: StoreDefinition, _ expiry: StoreExpiry, _ backend: any StoreBackend, _ time: TaskTime) {
        self.definition = definition
        self.expiry = expiry
        self.backend = backend
        self.time = time
    }

    /// The value of a key whose life is not over, valid until the next call on this store.
    public func get(_ key: Bytes) throws(StreamFault) -> Bytes? {
        let found: Bytes?
        do { found = try backend.get(key) } catch { throw .store(error) }
        guard let found, expiry.time(found) > time.leastWatermarkMilliseconds else { return nil }
        return found
    }

    public func put(_ key: Bytes, _ value: Bytes) throws(StreamFault) {
        do { try backend.put(key, value) } catch { throw .store(error) }
    }

    /// Looks a key up and writes it: `change` gets its value if the life of that is not over, and answers the new one, or nil to
    /// leave it as it is. It must not use this store.
    public func update(_ key: Bytes, _ change: (_ present: Bytes?) -> Bytes?) throws(StreamFault) {
        let watermark = time.leastWatermarkMilliseconds
        do {
            try backend.update(key) { found in
                guard let found, expiry.time(found) > watermark else { return change(nil) }
                return change(found)
            }
        } catch {
            throw .store(error)
        }
    }

    /// Goes on with a walk over all entries and takes those out that are over, to save memory; true when it went round.
    @discardableResult
    public func sweep(_ cursor: inout SweepCursor, limit: Int) throws(StreamFault) -> Bool {
        let watermark = time.leastWatermarkMilliseconds
        do {
            return try backend.sweep(&cursor, limit: limit) { _, value in expiry.time(value) <= watermark }
        } catch {
            throw .store(error)
        }
    }

    /// Those that are over and not yet swept among them.
    public var entryCount: Int { backend.entryCount }
}

/// A store as the step has it that was declared with it.
enum StoreAccess {
    case keyValue(KeyValueStore)
    case expiring(ExpiringStore)

    init(_ definition: StoreDefinition, _ backend: any StoreBackend, _ time: TaskTime) {
        self =
            if let expiry = definition.expiry {
                .expiring(ExpiringStore(definition, expiry, backend, time))
            } else {
                .keyValue(KeyValueStore(definition, backend))
            }
    }
}
