/// Where a store's entries live. One backend holds one store of one partition; one thread uses it.
///
/// Writes since the last `commit` are pending: `get` and `scan` see them, `rollback` drops them, `commit` makes them last
/// together with the changelog position that they reflect, so that a crash at any instant leaves some committed past.
public protocol StoreBackend: AnyObject {
    /// The value, valid until the next call on this backend.
    func get(_ key: Bytes) throws(StoreFailure) -> Bytes?
    func put(_ key: Bytes, _ value: Bytes) throws(StoreFailure)
    func remove(_ key: Bytes) throws(StoreFailure)
    /// Looks a key up and writes what `change` answers for its value; nil leaves it. `change` must not call this backend.
    func update(_ key: Bytes, _ change: (_ present: Bytes?) -> Bytes?) throws(StoreFailure)

    /// Each key written since the last commit or rollback, once, with its present value (nil: removed).
    func forEachPending(_ body: (_ key: Bytes, _ value: Bytes?) throws(StreamFault) -> Void) throws(StreamFault)
    var pendingCount: Int { get }
    func commit(_ position: ChangelogPosition) throws(StoreFailure)
    func rollback() throws(StoreFailure)

    /// Entries whose key begins with `prefix`; in key order only if the backend is ordered. The body must not write.
    /// Returning false ends it.
    func scan(prefix: Bytes, _ body: (_ key: Bytes, _ value: Bytes) -> Bool) throws(StoreFailure)

    /// Visits about `limit` entries from where the last call with this cursor ended, all of them in the end; the body says which
    /// to remove (pending, like `remove`). Entries written meanwhile may or may not be seen. Returns true when it went round.
    func sweep(
        _ cursor: inout SweepCursor, limit: Int, remove: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StoreFailure) -> Bool

    /// While restoring: writes directly, without becoming pending.
    func restore(_ key: Bytes, _ value: Bytes?) throws(StoreFailure)
    /// Makes what was restored last, with the position to read on from.
    func restored(_ position: ChangelogPosition) throws(StoreFailure)
    /// What the entries reflect; nil for an empty new store.
    var position: ChangelogPosition? { get }

    /// Sets everything aside, to begin again empty.
    func reset() throws(StoreFailure)
    /// For people to see; it may be an estimate.
    var entryCount: Int { get }
    var byteCount: Int { get }
    func close()
}

extension StoreBackend {
    public func update(_ key: Bytes, _ change: (_ present: Bytes?) -> Bytes?) throws(StoreFailure) {
        if let value = change(try get(key)) { try put(key, value) }
    }
}

/// How far a store has come in its changelog, and in which one.
public struct ChangelogPosition: Hashable, Sendable {
    /// At or before the offset after the last record that the entries reflect. Reading the changelog from here on gives the
    /// present state, because changelog records are whole values.
    public var offset: Int64
    /// What tells this changelog from another of the same name, made after it was deleted; nil while it says nothing of itself.
    public var identity: UInt64?
    /// The bundles that live before the offset; none where the changelog has no bundles.
    public var bundles: BundleDirectory

    public init(offset: Int64, identity: UInt64? = nil, bundles: BundleDirectory = BundleDirectory()) {
        self.offset = offset
        self.identity = identity
        self.bundles = bundles
    }
}

public struct SweepCursor: Sendable {
    public var slot = 0
    public var key: [UInt8] = []
    public init() {}
}

public struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Opens the backend of a store; `name` is unique within the application, `definition` names what the entries mean.
public protocol StoreBackendFactory: Sendable {
    func open(store name: String, partition: Int32, definition: String) throws(StoreFailure) -> any StoreBackend
}
