import Glibc
import JSON

/// Bytes borrowed from a record, a constant or an arena: valid until the next record.
struct TextSlice {
    let base: UnsafeRawPointer
    let count: Int
    /// Whether it is known to need no escapes in JSON.
    let isPlain: Bool

    @inline(__always)
    init(_ base: UnsafeRawPointer, _ count: Int, isPlain: Bool = false) {
        self.base = base
        self.count = count
        self.isPlain = isPlain
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    @inline(__always)
    subscript(_ index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }

    @inline(__always)
    static func == (left: TextSlice, right: TextSlice) -> Bool {
        left.count == right.count && memcmp(left.base, right.base, left.count) == 0
    }

    /// Negative, zero or positive: the order of the code points.
    func order(to other: TextSlice) -> Int {
        let common = Int(memcmp(base, other.base, min(count, other.count)))
        return common != 0 ? common : count - other.count
    }

    /// For tables of constants and reference data.
    @inline(__always)
    var fingerprint: TextFingerprint { TextFingerprint(base, count: count) }
}

/// Room for text made while a record is processed: taken piece by piece, given back at once. What it has handed out never
/// moves; in the steady state nothing is allocated.
final class Arena {
    private var blocks: [(base: UnsafeMutableRawPointer, count: Int)]
    private var current = 0
    /// The first block's.
    private let start: UnsafeMutableRawPointer
    private var position: UnsafeMutableRawPointer
    private var available: Int
    private static let firstCount = 1_024

    init() {
        let block = UnsafeMutableRawPointer.allocate(byteCount: Arena.firstCount, alignment: 8)
        blocks = [(block, Arena.firstCount)]
        start = block
        position = block
        available = Arena.firstCount
    }

    deinit {
        for block in blocks { block.base.deallocate() }
    }

    @inline(__always)
    func removeAll() {
        if position == start { return }
        current = 0
        position = start
        available = Arena.firstCount
    }

    /// Uninitialised bytes.
    @inline(__always)
    func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        if count > available { grow(count) }
        let taken = position
        position += count
        available &-= count
        return taken
    }

    @inline(never)
    private func grow(_ count: Int) {
        while current + 1 < blocks.count {
            use(current + 1)
            if count <= available { return }
        }
        let size = max(count, blocks[current].count * 2)
        blocks.append((.allocate(byteCount: size, alignment: 8), size))
        use(blocks.count - 1)
    }

    @inline(never)
    private func use(_ index: Int) {
        current = index
        position = blocks[index].base
        available = blocks[index].count
    }

    func copy(_ bytes: [UInt8]) -> TextSlice {
        let target = allocate(bytes.count)
        bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { target.copyMemory(from: base, byteCount: source.count) }
        }
        return TextSlice(target, bytes.count)
    }
}

/// The bytes of a constant, at an address of their own for as long as the object lives, with zeros behind them so that 32 at once
/// can be read from its beginning. Never written after it is made: that is why threads may share it.
final class PinnedText: @unchecked Sendable {
    let slice: TextSlice

    init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 32, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes.count + 32)
        bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: source.count) }
        }
        slice = TextSlice(memory, bytes.count, isPlain: bytes.withUnsafeBytes { OutputBuffer.isPlain($0) })
    }

    deinit {
        slice.base.deallocate()
    }
}
