/// A store as a processor sees it: keys and values are bytes, writes are part of the open transaction.
public final class KeyValueStore {
    public let definition: StoreDefinition
    private let backend: any StoreBackend

    init(_ definition: StoreDefinition, _ backend: any StoreBackend) {
        self.definition = definition
        self.backend = backend
    }

    /// The value of a key, valid until the next call on this store.
    public func get(_ key: Bytes) throws(StreamFault) -> Bytes? {
        do { return try backend.get(key) } catch { throw .store(error) }
    }

    public func put(_ key: Bytes, _ value: Bytes) throws(StreamFault) {
        do { try backend.put(key, value) } catch { throw .store(error) }
    }

    func put(_ key: [UInt8], _ value: [UInt8]) throws(StreamFault) {
        try key.withBytes { (key) throws(StreamFault) in
            try value.withBytes { (value) throws(StreamFault) in try put(key, value) }
        }
    }

    public func remove(_ key: Bytes) throws(StreamFault) {
        do { try backend.remove(key) } catch { throw .store(error) }
    }

    /// All entries whose key begins with `prefix`, while the body returns true. The body must not write to the store.
    public func scan(prefix: Bytes, _ body: (_ key: Bytes, _ value: Bytes) -> Bool) throws(StreamFault) {
        do { try backend.scan(prefix: prefix, body) } catch { throw .store(error) }
    }

    /// Goes on with a walk over all entries and removes those the body says; true when it went round.
    @discardableResult
    public func sweep(
        _ cursor: inout SweepCursor, limit: Int, remove: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StreamFault) -> Bool {
        do { return try backend.sweep(&cursor, limit: limit, remove: remove) } catch { throw .store(error) }
    }

    public var entryCount: Int { backend.entryCount }
}
