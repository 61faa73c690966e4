/// Why the log or the journal could not be written or read.
public struct StorageError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Where the bytes of one log segment are kept: batches one after another, only ever appended.
protocol SegmentStorage: AnyObject {
    var byteCount: Int { get }

    /// Whether `count` more bytes fit.
    func hasRoom(for count: Int) -> Bool

    /// Appends a batch: its first bytes, rewritten with the offset it was given, and the rest as it came. All or nothing.
    func append(head: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer) throws(StorageError)

    /// Reads as many bytes from `position` on as there are, up to the size of `target`; the number read.
    func read(at position: Int, into target: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int

    /// A range that can be sent without being copied; it stays readable after the segment is deleted.
    func slice(_ range: Range<Int>) -> LogSlice

    func delete()

    /// Empty storage for what is to stay of this segment, with room for all of it.
    func replacement() throws(StorageError) -> any SegmentStorage

    /// Becomes what is found under `former`'s name; from one instant to the next, also if the process is killed.
    func takePlace(of former: any SegmentStorage) throws(StorageError)
}

/// Stored bytes on their way to a socket.
enum LogSlice {
    case memory(MemoryBlock, Range<Int>)
    case file(OpenFile, Range<Int>)

    var count: Int {
        switch self {
        case .memory(_, let range), .file(_, let range): range.count
        }
    }

    /// A copy of the bytes; fewer if the file cannot be read.
    func copied() -> [UInt8] {
        switch self {
        case .memory(let block, let range):
            return Array(UnsafeRawBufferPointer(rebasing: block.bytes[range]))
        case .file(let file, let range):
            return [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
                count = (try? file.read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
            }
        }
    }
}

/// A fixed piece of memory that segments fill and answers refer to.
final class MemoryBlock {
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 16) }

    deinit { bytes.deallocate() }
}

/// A segment in memory. Its block never moves, so that answers can refer to it while more is appended.
final class MemorySegment: SegmentStorage {
    private let block: MemoryBlock
    private(set) var byteCount = 0

    init(capacity: Int) { block = MemoryBlock(byteCount: capacity) }

    func hasRoom(for count: Int) -> Bool { block.bytes.count - byteCount >= count }

    func append(head: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer) throws(StorageError) {
        guard hasRoom(for: head.count + rest.count) else { throw StorageError("memory segment is full") }
        for part in [head, rest] {
            UnsafeMutableRawBufferPointer(rebasing: block.bytes[byteCount..<byteCount + part.count])
                .copyMemory(from: part)
            byteCount += part.count
        }
    }

    func read(at position: Int, into target: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
        let count = min(target.count, byteCount - position)
        guard count > 0 else { return 0 }
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: block.bytes[position..<position + count]))
        return count
    }

    func slice(_ range: Range<Int>) -> LogSlice { .memory(block, range) }

    func delete() {}

    func replacement() -> any SegmentStorage { MemorySegment(capacity: byteCount) }

    func takePlace(of former: any SegmentStorage) {}
}
