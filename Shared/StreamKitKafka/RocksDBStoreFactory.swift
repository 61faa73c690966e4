internal import Glibc
internal import RocksDB
public import StreamKit

/// All stores of a process in one RocksDB database, a column family for each store's partition, so that cache, buffers and
/// log are shared and bounded whatever their number.
public final class RocksDBStoreFactory: StoreBackendFactory {
    private let database: Database

    public struct Memory: Sendable {
        /// Recently read blocks, indexes and filters.
        public var cacheBytes: Int
        /// Writes not yet on disk, of all stores; it bounds, too, what a start after a crash reads again from the log.
        public var writeBufferBytes: Int

        public init(cacheBytes: Int = 32 << 20, writeBufferBytes: Int = 32 << 20) {
            self.cacheBytes = cacheBytes
            self.writeBufferBytes = writeBufferBytes
        }
    }

    /// Opens the database in this folder, which one process has at a time. One that is damaged is moved aside (to the same
    /// name with `.damaged`) and rebuilt from the changelogs.
    public init(folder: String, memory: Memory = Memory(), log: any RuntimeLog) throws(StoreFailure) {
        var options = DatabaseOptions(cache: BlockCache(bytes: memory.cacheBytes))
        options.writeBufferBytes = memory.writeBufferBytes
        options.familyWriteBufferBytes = max(1 << 20, memory.writeBufferBytes / 2)
        do throws(RocksDBError) {
            database = try Self.open(folder, options, log)
        } catch {
            let advice = error.kind == .locked ? "; another process of this state folder is running" : ""
            throw StoreFailure(error.description + advice)
        }
    }

    private static func open(
        _ folder: String, _ options: DatabaseOptions, _ log: any RuntimeLog
    ) throws(RocksDBError) -> Database {
        do throws(RocksDBError) {
            return try Database(path: folder, options: options)
        } catch {
            guard error.kind == .corrupted else { throw error }
            let aside = folder + ".damaged"
            log.log(
                .error, "the state on disk is damaged; it is set aside and rebuilt from the changelogs",
                [("folder", folder), ("aside", aside), ("error", error.description)])
            if access(aside, F_OK) == 0 { try Database.destroy(path: aside) }
            guard rename(folder, aside) == 0 else { throw error }
            return try Database(path: folder, options: options)
        }
    }

    public func open(
        store name: String, partition: Int32, definition: String
    ) throws(StoreFailure) -> any StoreBackend {
        try RocksDBStore(database, name: "\(name)-\(partition)", definition: definition)
    }
}
