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

    private var chunks: [UnsafeMutableRawPointer] = []
    private var freed: [[UInt64]] = Array(repeating: [], count: listedUnitsMax + 1)
    private var freedChunks: [Int] = []
    private var current = -1
    private var usedUnits = unitsPerChunk
    /// What the chunks take.
    private(set) var byteCount = 0

    deinit { for chunk in chunks { free(chunk) } }

    static func units(_ bytes: Int) -> Int { (bytes + unitBytes - 1) / unitBytes }

    func address(_ block: UInt64) -> UnsafeMutableRawPointer {
        chunks[Int(block) / Self.unitsPerChunk] + (Int(block) % Self.unitsPerChunk) * Self.unitBytes
    }

    /// A block of at least `bytes`; nil when there is no memory left.
    mutating func allocate(_ bytes: Int) -> UInt64? {
        let units = Self.units(bytes)
        if units > Self.listedUnitsMax {
            guard let chunk = addChunk(units * Self.unitBytes) else { return nil }
            return UInt64(chunk * Self.unitsPerChunk)
        }
        if let block = freed[units].popLast() { return block }
        if usedUnits + units > Self.unitsPerChunk {
            giveBackRest()
            guard let chunk = addChunk(Self.chunkBytes) else { return nil }
            current = chunk
            usedUnits = 0
        }
        defer { usedUnits += units }
        return UInt64(current * Self.unitsPerChunk + usedUnits)
    }

    mutating func release(_ block: UInt64, bytes: Int) {
        let units = Self.units(bytes)
        guard units > Self.listedUnitsMax else {
            freed[units].append(block)
            return
        }
        let chunk = Int(block) / Self.unitsPerChunk
        // Shrunk, not freed, so that every number still names memory.
        if let small = realloc(chunks[chunk], Self.unitBytes) { chunks[chunk] = small }
        freedChunks.append(chunk)
        byteCount -= units * Self.unitBytes
    }

    private mutating func giveBackRest() {
        let left = Self.unitsPerChunk - usedUnits
        if left > 0, current >= 0, left <= Self.listedUnitsMax {
            freed[left].append(UInt64(current * Self.unitsPerChunk + usedUnits))
        }
    }

    private mutating func addChunk(_ bytes: Int) -> Int? {
        guard let memory = malloc(bytes) else { return nil }
        byteCount += bytes
        if let index = freedChunks.popLast() {
            free(chunks[index])
            chunks[index] = memory
            return index
        }
        chunks.append(memory)
        return chunks.count - 1
    }
}
