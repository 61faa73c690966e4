internal import CRocksDB

/// Recently read blocks, indexes and filters of all databases of a process that share it.
// Sendable: RocksDB's cache locks itself, and the pointer never changes.
public final class BlockCache: @unchecked Sendable {
    let pointer: OpaquePointer

    public init(bytes: Int) {
        pointer = rocksdb_cache_create_lru(max(0, bytes))
    }

    public var usedBytes: Int { Int(rocksdb_cache_get_usage(pointer)) }

    deinit { rocksdb_cache_destroy(pointer) }
}

/// How much memory a database takes, and how it is written.
///
/// Tuned for many small stores in one small process: one database, a column family for each store. Its memory is the write
/// buffers of all families together, the cache, and some 100 KB for each open file's index where that is not in the cache.
public struct DatabaseOptions: Sendable {
    public var cache: BlockCache
    /// Of all column families together; the fullest is written to disk when they are more. It bounds, too, what has to be read
    /// again from the log after a crash.
    public var writeBufferBytes = 32 << 20
    /// Of one column family.
    public var familyWriteBufferBytes = 16 << 20
    public var openFiles = 256
    /// Flushes and compactions at once.
    public var backgroundJobs = 2
    /// Each write batch goes to the log first, in one `write` without `fsync`: it survives the process's death at any instant
    /// (SIGKILL, too), because the kernel has it, and of a machine's death some prefix of the batches survives, each whole or
    /// not at all. Without the log everything since the last flush would be lost: still a committed past, yet an older one.
    public var usesWriteAheadLog = true

    public init(cache: BlockCache) {
        self.cache = cache
    }

    /// Options for RocksDB; the caller destroys them.
    func makeOptions() -> OpaquePointer {
        let options: OpaquePointer = rocksdb_options_create()
        rocksdb_options_set_create_if_missing(options, 1)
        rocksdb_options_set_create_missing_column_families(options, 1)
        rocksdb_options_set_db_write_buffer_size(options, writeBufferBytes)
        rocksdb_options_set_write_buffer_size(options, familyWriteBufferBytes)
        rocksdb_options_set_max_total_wal_size(options, UInt64(max(1, writeBufferBytes)) * 2)
        rocksdb_options_set_max_open_files(options, Int32(clamping: openFiles))
        rocksdb_options_set_max_background_jobs(options, Int32(clamping: backgroundJobs))
        rocksdb_options_set_wal_recovery_mode(options, Int32(rocksdb_point_in_time_recovery))
        rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1)
        rocksdb_options_set_compression(options, Int32(rocksdb_lz4_compression))
        // Most keys that are asked for are not there (is it a duplicate?): filters answer, in memory and on disk.
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, 0.05)
        rocksdb_options_set_memtable_whole_key_filtering(options, 1)
        // Its own log: warnings only, in two small files.
        rocksdb_options_set_info_log_level(options, 2)
        rocksdb_options_set_keep_log_file_num(options, 2)
        rocksdb_options_set_max_log_file_size(options, 1 << 20)
        rocksdb_options_set_stats_dump_period_sec(options, 0)
        rocksdb_options_set_stats_persist_period_sec(options, 0)

        let table: OpaquePointer = rocksdb_block_based_options_create()
        rocksdb_block_based_options_set_block_cache(table, cache.pointer)
        // Indexes and filters live in the cache too: otherwise memory grows with the state on disk.
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1)
        rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
        rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10))
        rocksdb_block_based_options_set_data_block_index_type(
            table, Int32(rocksdb_block_based_table_data_block_index_type_binary_search_and_hash))
        rocksdb_block_based_options_set_format_version(table, 5)
        rocksdb_options_set_block_based_table_factory(options, table)
        rocksdb_block_based_options_destroy(table)
        return options
    }
}
