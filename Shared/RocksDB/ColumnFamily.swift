internal import CRocksDB
internal import Glibc

/// A named part of a database with keys of its own, in byte order. One thread at a time uses it.
// Sendable: it may wander from thread to thread, and what several threads share (the database) locks itself.
public final class ColumnFamily: @unchecked Sendable {
    public let name: String
    let core: DatabaseCore
    let handle: OpaquePointer
    private var pinned: OpaquePointer?

    init(_ core: DatabaseCore, _ name: String, _ handle: OpaquePointer) {
        self.core = core
        self.name = name
        self.handle = handle
    }

    deinit {
        if let pinned { rocksdb_pinnableslice_destroy(pinned) }
        rocksdb_column_family_handle_destroy(handle)
    }

    private var place: String { "\(core.path) (\(name))" }

    /// The value of a key, where it stands: valid until the next `get`. Nil if there is none.
    public func get(_ key: UnsafeRawBufferPointer) throws(RocksDBError) -> UnsafeRawBufferPointer? {
        if let pinned {
            rocksdb_pinnableslice_destroy(pinned)
            self.pinned = nil
        }
        let found = try attempt("reading", place) { error in
            rocksdb_get_pinned_cf(core.pointer, core.readOptions, handle, characters(key), key.count, error)
        }
        guard let found else { return nil }
        pinned = found
        var count = 0
        let base = rocksdb_pinnableslice_value(found, &count)
        return UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count)
    }

    /// Entries in key order, those of a range, until the body returns false. It sees the state of the call's beginning; its
    /// bytes are valid within the body.
    public func forEach(
        in range: KeyRange, _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(RocksDBError) {
        let iterator: OpaquePointer = rocksdb_create_iterator_cf(core.pointer, core.readOptions, handle)
        defer { rocksdb_iter_destroy(iterator) }
        range.start.withUnsafeBytes { rocksdb_iter_seek(iterator, characters($0), $0.count) }
        while rocksdb_iter_valid(iterator) != 0 {
            let (key, value) = (bytes(iterator, rocksdb_iter_key), bytes(iterator, rocksdb_iter_value))
            if !range.isUnbounded && !range.end.withUnsafeBytes({ isBefore(key, $0) }) { break }
            if !body(key, value) { return }
            rocksdb_iter_next(iterator)
        }
        _ = try attempt("reading a range of", place) { error in rocksdb_iter_get_error(iterator, error) }
    }

    private func bytes(
        _ iterator: OpaquePointer, _ read: (OpaquePointer?, UnsafeMutablePointer<Int>?) -> UnsafePointer<CChar>?
    ) -> UnsafeRawBufferPointer {
        var count = 0
        let base = read(iterator, &count)
        return UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count)
    }

    /// Writes what is in memory to disk and waits for it; a state that nobody writes to then needs no log.
    public func flush() throws(RocksDBError) {
        let options: OpaquePointer = rocksdb_flushoptions_create()
        defer { rocksdb_flushoptions_destroy(options) }
        rocksdb_flushoptions_set_wait(options, 1)
        try attempt("flushing", place) { error in rocksdb_flush_cf(core.pointer, options, handle, error) }
    }

    /// About how many keys there are.
    public var estimatedKeys: Int { property("rocksdb.estimate-num-keys") }

    /// Bytes on disk and in write buffers.
    public var bytes: Int { property("rocksdb.total-sst-files-size") + property("rocksdb.cur-size-all-mem-tables") }

    private func property(_ name: String) -> Int {
        var value: UInt64 = 0
        return rocksdb_property_int_cf(core.pointer, handle, name, &value) == 0 ? Int(clamping: value) : 0
    }
}

/// Keys from `start` up to but not including `end`, in byte order.
public struct KeyRange: Hashable, Sendable {
    public let start: [UInt8]
    let end: [UInt8]
    let isUnbounded: Bool

    /// - Parameter end: nil has no end.
    public init(from start: [UInt8] = [], to end: [UInt8]? = nil) {
        self.start = start
        self.end = end ?? []
        isUnbounded = end == nil
    }

    public static let all = KeyRange()

    /// All keys that begin with these bytes.
    public init(prefix: [UInt8]) {
        var end = prefix
        // The first key behind them: the prefix with its last byte that can grow grown.
        while let last = end.popLast() {
            if last < 0xff {
                end.append(last + 1)
                break
            }
        }
        self.init(from: prefix, to: end.isEmpty ? nil : end)
    }
}

/// Byte order, as RocksDB's.
private func isBefore(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let order = memcmp(characters(left), characters(right), min(left.count, right.count))
    return order != 0 ? order < 0 : left.count < right.count
}

/// RocksDB takes empty keys only with a pointer.
@inline(__always)
func characters(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar> {
    if let base = bytes.baseAddress { return base.assumingMemoryBound(to: CChar.self) }
    return UnsafeRawPointer(emptyBytes).assumingMemoryBound(to: CChar.self)
}

// Sendable in fact: one byte that nobody writes.
private nonisolated(unsafe) let emptyBytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
