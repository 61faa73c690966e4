internal import CRocksDB
internal import Glibc
internal import Synchronization

/// A RocksDB database: a folder that one process has open, with named column families that share its log and its buffers.
/// It is closed when it and its column families are gone; nothing is lost then, whatever was not flushed is in the log.
public final class Database: Sendable {
    private let core: DatabaseCore
    private let families: Mutex<[String: ColumnFamily]>

    public var path: String { core.path }

    /// Opens the folder, or makes it.
    ///
    /// - Throws: ``RocksDBError/Kind/locked`` if it is open elsewhere, ``RocksDBError/Kind/corrupted`` if it has to be set aside.
    public init(path: String, options: DatabaseOptions) throws(RocksDBError) {
        let core = try DatabaseCore(path: path, options: options)
        self.core = core
        var found: [String: ColumnFamily] = [:]
        for (name, handle) in core.takeOpened() { found[name] = ColumnFamily(core, name, handle) }
        families = Mutex(found)
    }

    /// The names of the column families that exist; `default` is always there.
    public var familyNames: [String] { families.withLock { $0.keys.sorted() } }

    /// The column family of this name, made if it does not exist.
    public func family(_ name: String) throws(RocksDBError) -> ColumnFamily {
        let made: Result<ColumnFamily, RocksDBError> = families.withLock { families in
            if let family = families[name] { return .success(family) }
            do throws(RocksDBError) {
                let family = ColumnFamily(core, name, try core.makeFamily(name))
                families[name] = family
                return .success(family)
            } catch {
                return .failure(error)
            }
        }
        return try made.get()
    }

    /// Removes a column family with all that is in it; its files go once nobody uses it any more.
    public func drop(_ family: ColumnFamily) throws(RocksDBError) {
        try attempt("dropping column family \(family.name) of", path) { error in
            rocksdb_drop_column_family(core.pointer, family.handle, error)
        }
        families.withLock { $0[family.name] = nil }
    }

    /// Applies the batch, all of it or (if the process dies meanwhile) nothing.
    public func write(_ batch: borrowing WriteBatch) throws(RocksDBError) {
        try attempt("writing to", path) { error in
            rocksdb_write(core.pointer, core.writeOptions, batch.pointer, error)
        }
    }

    /// A copy of the present state in another folder, which must not exist: hard links, so it costs next to nothing.
    public func checkpoint(to folder: String) throws(RocksDBError) {
        let checkpoint = try attempt("preparing a checkpoint of", path) { error in
            rocksdb_checkpoint_object_create(core.pointer, error)
        }
        defer { rocksdb_checkpoint_object_destroy(checkpoint) }
        try attempt("making the checkpoint \(folder) of", path) { error in
            rocksdb_checkpoint_create(checkpoint, folder, 0, error)
        }
    }

    /// Removes a database that nobody has open, files and all.
    public static func destroy(path: String) throws(RocksDBError) {
        let options: OpaquePointer = rocksdb_options_create()
        defer { rocksdb_options_destroy(options) }
        try attempt("removing", path) { error in rocksdb_destroy_db(options, path, error) }
    }
}

/// The one owner of a `rocksdb_t`; column families keep it alive.
// Sendable: RocksDB's handles may be used by several threads; `opened` is emptied before anybody else sees it.
final class DatabaseCore: @unchecked Sendable {
    let path: String
    let pointer: OpaquePointer
    let writeOptions: OpaquePointer
    let readOptions: OpaquePointer
    private let options: OpaquePointer
    private var opened: [(name: String, handle: OpaquePointer)] = []

    init(path: String, options settings: DatabaseOptions) throws(RocksDBError) {
        let options = settings.makeOptions()
        let names = Self.familyNames(path, options)
        var handles = [OpaquePointer?](repeating: nil, count: names.count)
        let all = [OpaquePointer?](repeating: options, count: names.count)
        let texts = names.map { strdup($0) }
        defer { for text in texts { free(text) } }
        do throws(RocksDBError) {
            let pointer = try attempt("opening", path) { error in
                rocksdb_open_column_families(
                    options, path, Int32(clamping: names.count), texts.map { UnsafePointer($0) }, all, &handles, error)
            }
            guard let pointer else { throw RocksDBError("opening", path: path, message: "no database came of it") }
            self.pointer = pointer
        } catch {
            rocksdb_options_destroy(options)
            throw error
        }
        self.path = path
        self.options = options
        writeOptions = rocksdb_writeoptions_create()
        rocksdb_writeoptions_disable_WAL(writeOptions, settings.usesWriteAheadLog ? 0 : 1)
        readOptions = rocksdb_readoptions_create()
        for (name, handle) in zip(names, handles) { if let handle { opened.append((name, handle)) } }
    }

    deinit {
        rocksdb_readoptions_destroy(readOptions)
        rocksdb_writeoptions_destroy(writeOptions)
        rocksdb_close(pointer)
        rocksdb_options_destroy(options)
    }

    /// The families that were there when it was opened, handed over once.
    func takeOpened() -> [(name: String, handle: OpaquePointer)] {
        defer { opened = [] }
        return opened
    }

    func makeFamily(_ name: String) throws(RocksDBError) -> OpaquePointer {
        let handle = try attempt("making column family \(name) of", path) { error in
            rocksdb_create_column_family(pointer, options, name, error)
        }
        guard let handle else {
            throw RocksDBError("making column family \(name) of", path: path, message: "nothing came of it")
        }
        return handle
    }

    /// Those of an existing database; RocksDB opens one only with all of them. A folder that is none yet has the default.
    private static func familyNames(_ path: String, _ options: OpaquePointer) -> [String] {
        var count = 0
        var error: UnsafeMutablePointer<CChar>?
        let list = rocksdb_list_column_families(options, path, &count, &error)
        if let error {
            // Whatever is wrong, opening tells.
            rocksdb_free(error)
            return ["default"]
        }
        defer { if let list { rocksdb_list_column_families_destroy(list, count) } }
        let names = UnsafeBufferPointer(start: list, count: list == nil ? 0 : count)
            .compactMap { $0.map { String(cString: $0) } }
        return names.isEmpty ? ["default"] : names
    }
}
