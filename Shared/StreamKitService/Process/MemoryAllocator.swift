internal import CMimalloc

/// The allocator of the whole process, C libraries included: to link mimalloc is to replace the C library's.
///
/// librdkafka's threads allocate millions of small blocks that another thread frees. The C library's allocator locks an arena for
/// each of them; mimalloc hands them back without a lock.
enum MemoryAllocator {
    /// What the process allocates with, for its log. Another one is there where LD_PRELOAD names it, say.
    static var description: String {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
        defer { block.deallocate() }
        guard mi_is_in_heap_region(block) else { return "another than mimalloc" }
        let number = mi_version()
        return "mimalloc \(number / 100).\(number / 10 % 10).\(number % 10)"
    }
}
