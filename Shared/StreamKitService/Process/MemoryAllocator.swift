internal import CMalloc

/// How the C library's allocator is to treat a service: librdkafka's threads allocate and free millions of small blocks, and hand
/// them to each other.
enum MemoryAllocator {
    /// To be called before other threads exist.
    ///
    /// With the allocator's own choices each thread has an arena, which grows page by page: the page faults of that alone were 4 %
    /// of a copying service's samples in `perf`.
    static func tune(streamThreads: Int) {
        // An arena to a stream thread: with fewer they would wait for each other.
        mallopt(M_ARENA_MAX, Int32(clamping: max(1, streamThreads)))
        mallopt(M_TRIM_THRESHOLD, 256 << 20)
        mallopt(M_TOP_PAD, 16 << 20)
        // Responses of a megabyte are not worth a mapping each. (Set, because the others end its own adaptation.)
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
    }
}
