internal import CMimalloc

/// The allocator of the whole process, C libraries included: to link mimalloc is to replace the C library's.
///
/// librdkafka's threads allocate millions of small blocks that another thread frees. The C library's allocator locks an arena for
/// each of them; mimalloc hands them back without a lock.
enum MemoryAllocator {
    /// Freed memory goes back to the system after this. What a fetch needs is free for some 30 ms until the next one: with
    /// mimalloc's own 25 ms page faults and `madvise` were 6 % of a busy service's time. With 100 ms there are as few faults as if
    /// nothing were given back, when they were 2 %.
    private static let decommitDelayMilliseconds = 100

    /// To be called before anything is allocated in quantity. What MIMALLOC_... variables say goes first.
    static func tune() { mi_option_set_default(mi_option_decommit_delay, decommitDelayMilliseconds) }

    /// What the process allocates with, for its log. Another one is there where LD_PRELOAD names it, say.
    static var description: String {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
        defer { block.deallocate() }
        guard mi_is_in_heap_region(block) else { return "another than mimalloc" }
        let number = mi_version()
        return "mimalloc \(number / 100).\(number / 10 % 10).\(number % 10)"
    }
}
