internal import Glibc
internal import RocksDB
internal import StreamKit

/// A store in a column family of its own. What a transaction writes stays in memory until its commit, which is one write
/// batch with the changelog position in it.
///
/// A key in the family is one byte, `e` for an entry and `m` for what the store knows of itself, and then the key.
final class RocksDBStore: StoreBackend {
    private let database: Database
    private let name: String
    private let definition: String
    private var family: ColumnFamily
    private var pending = PendingWrites()
    private var batch = WriteBatch()
    /// A prefixed key, built here.
    private var keyBuffer = ByteBuffer()
    private(set) var position: ChangelogPosition?

    private static let entryPrefix = UInt8(ascii: "e")
    private static let offsetKey = Array("moffset".utf8)
    private static let identityKey = Array("mchangelog".utf8)
    private static let bundlesKey = Array("mbundles".utf8)
    private static let definitionKey = Array("mdefinition".utf8)
    private static let versionKey = Array("mversion".utf8)
    private static let version = "1"
    /// While restoring: enough for a batch to pay, little enough not to be noticed in memory.
    private static let restoreBatchCount = 4_096

    /// - Throws: before anything is changed, if the family holds a store of another definition or of a newer version.
    init(_ database: Database, name: String, definition: String) throws(StoreFailure) {
        self.database = database
        self.name = name
        self.definition = definition
        do throws(RocksDBError) { family = try database.family(name) } catch { throw StoreFailure(error.description) }
        if let version = try meta(Self.versionKey), version != Self.version {
            throw StoreFailure(
                "the store \(name) in \(database.path) is of version \(version), this program reads \(Self.version); "
                    + "run a newer one, or delete the folder to restore from the changelog")
        }
        let found = try meta(Self.definitionKey)
        if let offset = try meta(Self.offsetKey).flatMap({ Int64($0) }) {
            let identity = try meta(Self.identityKey).flatMap { UInt64($0, radix: 16) }
            position = ChangelogPosition(offset: offset, identity: identity, bundles: try bundles())
        }
        if let found, found != definition, position != nil {
            throw StoreFailure(
                "the store \(name) in \(database.path) holds entries of the form \(found), this program reads "
                    + "\(definition); run the program that wrote it, or begin anew with streamctl reset")
        }
        if position != nil { return }
        if found == nil {
            try describe()
            return
        }
        // A first restore that was broken off (by a changelog of another definition, perhaps): what is there says nothing.
        let isLeftOver = found == definition ? try hasEntries() : true
        if isLeftOver { try reset() }
    }

    /// The bundles of the changelog, as they were at the position.
    private func bundles() throws(StoreFailure) -> BundleDirectory {
        guard let bytes = try meta(Self.bundlesKey, as: { [UInt8]($0) }) else { return BundleDirectory() }
        guard let bundles = bytes.withUnsafeBytes({ BundleDirectory($0) }) else {
            throw StoreFailure(
                "the store \(name) in \(database.path) does not say in a form that this program reads which bundles its "
                    + "changelog holds; delete the folder to restore from the changelog")
        }
        return bundles
    }

    private func hasEntries() throws(StoreFailure) -> Bool {
        var found = false
        try forEachEntry(KeyRange(prefix: [Self.entryPrefix])) { _, _ in
            found = true
            return false
        }
        return found
    }

    private func describe() throws(StoreFailure) {
        put(Self.definitionKey, definition)
        put(Self.versionKey, Self.version)
        try writeBatch()
    }

    // MARK: Reading and writing

    func get(_ key: Bytes) throws(StoreFailure) -> Bytes? {
        switch pending.find(key) {
        case .value(let value): return value
        case .removed: return nil
        case .none: break
        }
        do throws(RocksDBError) {
            return try family.get(keyBuffer.set(Self.entryPrefix, key))
        } catch {
            throw StoreFailure(error.description)
        }
    }

    func put(_ key: Bytes, _ value: Bytes) throws(StoreFailure) { pending.write(key, value) }

    func remove(_ key: Bytes) throws(StoreFailure) { pending.write(key, nil) }

    // MARK: The transaction's end

    var pendingCount: Int { pending.count }

    func forEachPending(
        _ body: (_ key: Bytes, _ value: Bytes?) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        try pending.forEach(body)
    }

    func commit(_ position: ChangelogPosition) throws(StoreFailure) {
        pending.forEach { (key: Bytes, value: Bytes?) in add(key, value) }
        try writeBatch(reaching: position)
        pending.clear()
    }

    func rollback() throws(StoreFailure) { pending.clear() }

    // MARK: All entries

    func scan(prefix: Bytes, _ body: (_ key: Bytes, _ value: Bytes) -> Bool) throws(StoreFailure) {
        // Pending entries stand between those on disk, and in place of them.
        let written = pending.sorted(prefix: prefix)
        var next = 0
        var goesOn = true
        func visitPending(before limit: Bytes?) {
            while goesOn && next < written.count {
                let key = pending.key(written[next])
                if let limit, compare(key, limit) >= 0 { return }
                if let value = pending.value(written[next]) { goesOn = body(key, value) }
                next += 1
            }
        }
        try forEachEntry(KeyRange(prefix: [Self.entryPrefix] + prefix)) { key, value in
            visitPending(before: key)
            if !goesOn { return false }
            if next < written.count && compare(pending.key(written[next]), key) == 0 {
                let (key, value) = (pending.key(written[next]), pending.value(written[next]))
                next += 1
                if let value { goesOn = body(key, value) }
            } else {
                goesOn = body(key, value)
            }
            return goesOn
        }
        visitPending(before: nil)
    }

    func sweep(
        _ cursor: inout SweepCursor, limit: Int, remove: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StoreFailure) -> Bool {
        var visited = 0
        var last: [UInt8]?
        var removed: [[UInt8]] = []
        let from = [Self.entryPrefix] + cursor.key
        try forEachEntry(KeyRange(from: from, to: [Self.entryPrefix + 1])) { key, value in
            if visited >= limit {
                // Where the next call begins: this key, which was not visited.
                last = Array(key)
                return false
            }
            visited += 1
            switch pending.find(key) {
            case .removed: break
            case .value(let value): if remove(key, value) { removed.append(Array(key)) }
            case .none: if remove(key, value) { removed.append(Array(key)) }
            }
            return true
        }
        for key in removed { key.withUnsafeBytes { pending.write($0, nil) } }
        cursor.key = last ?? []
        return last == nil
    }

    private func forEachEntry(
        _ range: KeyRange, _ body: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StoreFailure) {
        do throws(RocksDBError) {
            try family.forEach(in: range) { key, value in body(Bytes(rebasing: key.dropFirst()), value) }
        } catch {
            throw StoreFailure(error.description)
        }
    }

    // MARK: Restoring

    func restore(_ key: Bytes, _ value: Bytes?) throws(StoreFailure) {
        add(key, value)
        if batch.count >= Self.restoreBatchCount { try writeBatch() }
    }

    func restored(_ position: ChangelogPosition) throws(StoreFailure) {
        try writeBatch(reaching: position)
    }

    func reset() throws(StoreFailure) {
        pending.clear()
        batch.clear()
        position = nil
        do throws(RocksDBError) {
            try database.drop(family)
            family = try database.family(name)
        } catch {
            throw StoreFailure(error.description)
        }
        try describe()
    }

    // MARK: Size and end

    /// About: RocksDB counts a key that was written again twice until it compacts.
    var entryCount: Int { max(0, family.estimatedKeys - 3) + pending.count }

    var byteCount: Int { family.bytes + pending.byteCount }

    /// What is pending is dropped. The database stays open for the other stores.
    func close() { pending.clear() }

    // MARK: The family

    private func add(_ key: Bytes, _ value: Bytes?) {
        let key = keyBuffer.set(Self.entryPrefix, key)
        if let value { batch.put(key, value, in: family) } else { batch.delete(key, in: family) }
    }

    private func writeBatch(reaching reached: ChangelogPosition? = nil) throws(StoreFailure) {
        if let reached {
            put(Self.offsetKey, "\(reached.offset)")
            if let identity = reached.identity, identity != position?.identity {
                put(Self.identityKey, String(identity, radix: 16))
            }
            if reached.bundles != position?.bundles ?? BundleDirectory() {
                put(Self.bundlesKey, reached.bundles.bytes)
            }
        }
        do throws(RocksDBError) { try database.write(batch) } catch { throw StoreFailure(error.description) }
        batch.clear()
        if let reached { position = reached }
    }

    private func put(_ key: [UInt8], _ value: String) { put(key, Array(value.utf8)) }

    private func put(_ key: [UInt8], _ value: [UInt8]) {
        key.withUnsafeBytes { key in value.withUnsafeBytes { batch.put(key, $0, in: family) } }
    }

    private func meta(_ key: [UInt8]) throws(StoreFailure) -> String? {
        try meta(key) { String(decoding: $0, as: UTF8.self) }
    }

    private func meta<Value>(_ key: [UInt8], as value: (Bytes) -> Value) throws(StoreFailure) -> Value? {
        do {
            return try key.withUnsafeBytes { try family.get($0).map { value($0) } }
        } catch {
            throw StoreFailure("\(error)")
        }
    }
}

/// Memory for one key, used again.
struct ByteBuffer: ~Copyable {
    private var base = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 16)
    private var capacity = 256

    deinit { base.deallocate() }

    /// The prefix and the key, valid until the next call.
    mutating func set(_ prefix: UInt8, _ key: Bytes) -> Bytes {
        if key.count + 1 > capacity {
            base.deallocate()
            capacity = key.count + 1
            base = .allocate(byteCount: capacity, alignment: 16)
        }
        base.storeBytes(of: prefix, as: UInt8.self)
        if let source = key.baseAddress { memcpy(base + 1, source, key.count) }
        return Bytes(start: base, count: key.count + 1)
    }
}
