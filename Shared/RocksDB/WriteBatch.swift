internal import CRocksDB

/// Writes that are applied together, to several column families of one database if need be. It is reused: see ``clear()``.
public struct WriteBatch: ~Copyable {
    let pointer: OpaquePointer

    public init() {
        pointer = rocksdb_writebatch_create()
    }

    deinit { rocksdb_writebatch_destroy(pointer) }

    public var count: Int { Int(rocksdb_writebatch_count(pointer)) }

    public mutating func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in family: ColumnFamily
    ) {
        rocksdb_writebatch_put_cf(
            pointer, family.handle, characters(key), key.count, characters(value), value.count)
    }

    public mutating func delete(_ key: UnsafeRawBufferPointer, in family: ColumnFamily) {
        rocksdb_writebatch_delete_cf(pointer, family.handle, characters(key), key.count)
    }

    /// Deletes all keys of a range.
    ///
    /// - Precondition: the range has an end.
    public mutating func delete(_ range: KeyRange, in family: ColumnFamily) {
        precondition(!range.isUnbounded, "a range to be deleted has an end; drop the column family to delete all")
        range.start.withUnsafeBytes { start in
            range.end.withUnsafeBytes { end in
                rocksdb_writebatch_delete_range_cf(
                    pointer, family.handle, characters(start), start.count, characters(end), end.count)
            }
        }
    }

    /// Empties it and keeps its memory.
    public mutating func clear() {
        rocksdb_writebatch_clear(pointer)
    }
}
