#if canImport(Glibc)
    import Glibc
#endif

/// Memory for a store's entries: chunks that never move, cut into blocks, with lists of freed blocks by size.
///
/// A block is named by a number (the address of its chunk is looked up), so that a table of a million entries needs one word
/// for each.
struct EntryArena: ~Copyable {
    /// Blocks are multiples of this many bytes.
    private static let unitBytes = 16
    private static let chunkBytes = 1 << 20
    private static let unitsPerChunk = chunkBytes / unitBytes
    /// Freed blocks up to this many units are kept in lists by size; larger ones have a chunk of their own.
    private static let listedUnitsMax = 256

    private var chunks = RawList<UnsafeMutableRawPointer>(capacity: 16)
    /// By size, the block freed last, plus one; each holds the one before, plus one. 0: none.
    private var freed = RawList<UInt64>(capacity: listedUnitsMax + 1)
    private var freedChunks = RawList<Int>(capacity: 1)
    private var current = -1
    private var usedUnits = unitsPerChunk
    /// What the chunks take.
    private(set) var byteCount = 0

    init() { for _ in 0...Self.listedUnitsMax { freed.append(0) } }

    deinit { for index in 0..<chunks.count { free(chunks.base[index]) } }

    @inline(__always)
    static func units(_ bytes: Int) -> Int { Int(UInt(bitPattern: bytes &+ unitBytes &- 1) / UInt(unitBytes)) }

    @inline(__always)
    func address(_ block: UInt64) -> UnsafeMutableRawPointer {
        let (chunk, unit) = block.quotientAndRemainder(dividingBy: UInt64(Self.unitsPerChunk))
        return chunks.base[Int(truncatingIfNeeded: chunk)] + Int(truncatingIfNeeded: unit) &* Self.unitBytes
    }

    /// A block of at least `bytes`; nil when there is no memory left.
    mutating func allocate(_ bytes: Int) -> UInt64? {
        let units = Self.units(bytes)
        if units > Self.listedUnitsMax {
            guard let chunk = addChunk(units * Self.unitBytes) else { return nil }
            return UInt64(chunk * Self.unitsPerChunk)
        }
        let freedLast = freed.base[units]
        if freedLast != 0 {
            freed.base[units] = address(freedLast &- 1).load(as: UInt64.self)
            return freedLast &- 1
        }
        if usedUnits &+ units > Self.unitsPerChunk {
            giveBackRest()
            guard let chunk = addChunk(Self.chunkBytes) else { return nil }
            current = chunk
            usedUnits = 0
        }
        defer { usedUnits &+= units }
        return UInt64(truncatingIfNeeded: current &* Self.unitsPerChunk &+ usedUnits)
    }

    private func list(_ block: UInt64, units: Int) {
        address(block).storeBytes(of: freed.base[units], as: UInt64.self)
        freed.base[units] = block &+ 1
    }

    mutating func release(_ block: UInt64, bytes: Int) {
        let units = Self.units(bytes)
        guard units > Self.listedUnitsMax else {
            list(block, units: units)
            return
        }
        let chunk = Int(block) / Self.unitsPerChunk
        // Shrunk, not freed, so that every number still names memory.
        if let small = realloc(chunks.base[chunk], Self.unitBytes) { chunks.base[chunk] = small }
        freedChunks.append(chunk)
        byteCount -= units * Self.unitBytes
    }

    private mutating func giveBackRest() {
        let left = Self.unitsPerChunk - usedUnits
        if left > 0, current >= 0, left <= Self.listedUnitsMax {
            list(UInt64(current * Self.unitsPerChunk + usedUnits), units: left)
        }
    }

    private mutating func addChunk(_ bytes: Int) -> Int? {
        guard let memory = malloc(bytes) else { return nil }
        byteCount += bytes
        if let index = freedChunks.popLast() {
            free(chunks.base[index])
            chunks.base[index] = memory
            return index
        }
        chunks.append(memory)
        return chunks.count - 1
    }
}
