public import StreamKit

/// Opens stores for a test, and lets the test look into them.
///
/// `.volatile` stores are the production ones in memory: a crash loses them, and the changelog brings them back. `.durable` ones
/// stand for a disk: what was committed outlives a crash (`crash`), what was pending does not.
public final class InMemoryStores: StoreBackendFactory, @unchecked Sendable {  // single-threaded, as the cluster is
    public enum Kind: Sendable, CaseIterable { case volatile, durable }

    private struct Key: Hashable {
        let name: String
        let partition: Int32
    }

    public let kind: Kind
    public let faults: FaultPlan
    private var disks: [Key: DurableStore.Disk] = [:]
    private var opened: [Key: any StoreBackend] = [:]

    public init(_ kind: Kind = .volatile, faults: FaultPlan = FaultPlan()) {
        self.kind = kind
        self.faults = faults
    }

    public func open(store name: String, partition: Int32, definition: String) throws(StoreFailure) -> any StoreBackend
    {
        let key = Key(name: name, partition: partition)
        do { try faults.call(.openStore) {} } catch { throw StoreFailure("\(error)") }
        let backend: any StoreBackend
        switch kind {
        case .volatile:
            backend = MemoryStore()
        case .durable:
            let disk = disks[key] ?? DurableStore.Disk(definition: definition)
            // What was never restored to its end holds nothing that could be misread.
            guard disk.definition == definition || disk.position == nil else {
                throw StoreFailure(
                    "the store \(name) holds entries of the form \(disk.definition), this program reads \(definition)")
            }
            disks[key] = disk
            if disk.definition != definition {
                disk.entries = [:]
                disk.definition = definition
            }
            backend = DurableStore(disk, faults: faults)
        }
        opened[key] = backend
        return backend
    }

    /// The store that was opened last under this name for this partition.
    public func backend(_ name: String, partition: Int32 = 0) -> (any StoreBackend)? {
        opened[Key(name: name, partition: partition)]
    }

    /// Everything in a store, what is pending too.
    public func entries(of name: String, partition: Int32 = 0) -> [[UInt8]: [UInt8]] {
        var entries: [[UInt8]: [UInt8]] = [:]
        let none = Bytes(start: nil, count: 0)
        try? backend(name, partition: partition)?.scan(prefix: none) { key, value in
            entries[[UInt8](key)] = [UInt8](value)
            return true
        }
        return entries
    }

    /// The process died: only what durable stores had committed is left.
    public func crash() { opened = [:] }

    /// The disk is lost too.
    public func loseDisk() {
        opened = [:]
        disks = [:]
    }
}

/// A store whose committed entries outlive its process; written apart from the production ones, so that tests of the runtime
/// rest on two independent readings of the port.
///
/// What `get` lends is overwritten with the next call, as the port allows.
final class DurableStore: StoreBackend {
    final class Disk {
        var definition: String
        var entries: [[UInt8]: [UInt8]] = [:]
        var position: ChangelogPosition?
        init(definition: String) { self.definition = definition }
    }

    private let disk: Disk
    private let faults: FaultPlan
    private var pending: [[UInt8]: [UInt8]?] = [:]
    private var lent: UnsafeMutableRawBufferPointer?

    init(_ disk: Disk, faults: FaultPlan) {
        self.disk = disk
        self.faults = faults
    }

    deinit { takeBack() }

    var pendingCount: Int { pending.count }
    var position: ChangelogPosition? { disk.position }
    /// Off by one, as an estimate may be.
    var entryCount: Int { merged.count + 1 }
    var byteCount: Int { merged.reduce(0) { $0 + $1.key.count + $1.value.count } }

    private var merged: [[UInt8]: [UInt8]] {
        var entries = disk.entries
        for (key, value) in pending { entries[key] = value }
        return entries
    }

    func get(_ key: Bytes) throws(StoreFailure) -> Bytes? {
        takeBack()
        let key = [UInt8](key)
        let found: [UInt8]? = if let write = pending[key] { write } else { disk.entries[key] }
        guard let found else { return nil }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, found.count), alignment: 1)
        memory.copyBytes(from: found)
        lent = memory
        return Bytes(rebasing: memory[..<found.count])
    }

    func put(_ key: Bytes, _ value: Bytes) throws(StoreFailure) {
        // Copied before what was lent is overwritten: the value may come from `get`.
        pending[[UInt8](key)] = .some([UInt8](value))
        takeBack()
    }

    func remove(_ key: Bytes) throws(StoreFailure) {
        pending[[UInt8](key)] = .some(nil)
        takeBack()
    }

    func forEachPending(
        _ body: (_ key: Bytes, _ value: Bytes?) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        for (key, value) in pending.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            try lend(key, value, body)
        }
    }

    private func lend(
        _ key: [UInt8], _ value: [UInt8]?, _ body: (_ key: Bytes, _ value: Bytes?) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        var failure: StreamFault?
        key.withUnsafeBytes { key in
            do throws(StreamFault) {
                guard let value else { return try body(key, nil) }
                var inner: StreamFault?
                value.withUnsafeBytes { value in
                    do throws(StreamFault) { try body(key, value) } catch { inner = error }
                }
                if let inner { throw inner }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    func commit(_ position: ChangelogPosition) throws(StoreFailure) {
        try call(.storeCommit) {
            for (key, value) in pending { disk.entries[key] = value }
            disk.position = position
            pending = [:]
        }
    }

    func rollback() throws(StoreFailure) { try call(.storeRollback) { pending = [:] } }

    private func call(_ operation: PortOperation, _ body: () -> Void) throws(StoreFailure) {
        do throws(BrokerFailure) { try faults.call(operation) { body() } } catch { throw StoreFailure("\(error)") }
    }

    func scan(prefix: Bytes, _ body: (_ key: Bytes, _ value: Bytes) -> Bool) throws(StoreFailure) {
        let prefix = [UInt8](prefix)
        for (key, value) in merged.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
        where key.starts(with: prefix) {
            let goesOn = key.withUnsafeBytes { key in value.withUnsafeBytes { value in body(key, value) } }
            if !goesOn { return }
        }
    }

    func sweep(
        _ cursor: inout SweepCursor, limit: Int, remove: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StoreFailure) -> Bool {
        let left = merged.filter { cursor.key.isEmpty || cursor.key.lexicographicallyPrecedes($0.key) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (key, value) in left.prefix(limit) {
            if key.withUnsafeBytes({ key in value.withUnsafeBytes { value in remove(key, value) } }) {
                pending[key] = .some(nil)
            }
            cursor.key = key
        }
        if left.count > limit { return false }
        cursor.key = []
        return true
    }

    func restore(_ key: Bytes, _ value: Bytes?) throws(StoreFailure) {
        disk.entries[[UInt8](key)] = value.map { [UInt8]($0) }
    }

    func restored(_ position: ChangelogPosition) throws(StoreFailure) { disk.position = position }

    func reset() throws(StoreFailure) {
        disk.entries = [:]
        disk.position = nil
        pending = [:]
    }

    func close() { takeBack() }

    private func takeBack() {
        lent?.initializeMemory(as: UInt8.self, repeating: 0xDD)
        lent?.deallocate()
        lent = nil
    }
}
