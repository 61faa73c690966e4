import Glibc

/// The file of state entries: each with its length and checksum, only ever appended, rewritten as a whole when it has grown.
final class Journal {
    private let path: String
    private var file: OpenFile
    private(set) var byteCount: Int
    /// Its size when it was last rewritten.
    private var compactByteCount: Int

    private static let frameBytes = 8
    /// A smaller journal is not worth rewriting.
    private static let minimumRewriteBytes = 4 << 20

    /// Opens or creates the journal and hands every stored entry to `replay`. A torn tail, left by a process that was killed
    /// while it wrote, was never acknowledged: it is cut off.
    init(path: String, replay: (StateEntry) -> Void) throws(StorageError) {
        self.path = path
        file = try OpenFile(path: path, flags: O_RDWR | O_CREAT)
        let size = try file.size()
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        defer { bytes.deallocate() }
        guard try file.read(at: 0, into: bytes) == size else { throw StorageError("cannot read all of \(path)") }
        var position = 0
        while let payload = Self.payload(in: UnsafeRawBufferPointer(bytes), at: position) {
            guard let entry = StateEntry(decoding: payload) else {
                throw StorageError(
                    "\(path) holds an intact entry at byte \(position) that this version cannot read: "
                        + "start the version that wrote it")
            }
            replay(entry)
            position += Self.frameBytes + payload.count
        }
        if position < size {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard Self.isTorn(rest) else {
                throw StorageError(
                    "\(path) is damaged at byte \(position), and more follows: restore the file, or delete the data "
                        + "directory to begin anew")
            }
            reportError("\(path): cutting \(size - position) bytes of an unfinished entry")
            try file.truncate(to: position)
        }
        byteCount = position
        compactByteCount = 0
    }

    /// Whether bytes that are no entry are the trace of an interrupted write: nothing but an unfinished last entry, or zeros.
    private static func isTorn(_ rest: UnsafeRawBufferPointer) -> Bool {
        guard rest.count >= frameBytes else { return true }
        let length = Int(UInt32(bigEndian: rest.loadUnaligned(as: UInt32.self)))
        return frameBytes + length >= rest.count || rest.allSatisfy { $0 == 0 }
    }

    private static func payload(in bytes: UnsafeRawBufferPointer, at position: Int) -> UnsafeRawBufferPointer? {
        guard position + frameBytes <= bytes.count else { return nil }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        let checksum = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
        let start = position + frameBytes
        // Never empty: a tail of zeros, which a crash of the machine can leave, is no entry.
        guard length > 0, length <= bytes.count - start else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
        return CRC32C.checksum(payload) == checksum ? payload : nil
    }

    var openFile: OpenFile { file }

    func append(_ entry: StateEntry) throws(StorageError) {
        let written = try Self.write(entry, to: file, at: byteCount)
        byteCount += written
    }

    private static func write(_ entry: StateEntry, to file: OpenFile, at position: Int) throws(StorageError) -> Int {
        let payload = entry.encoded()
        var frame = WireWriter(flexible: false)
        frame.int32(Int32(payload.bytes.count))
        frame.int32(Int32(bitPattern: CRC32C.checksum(payload.bytes)))
        do throws(StorageError) {
            try file.write(frame.buffer.bytes, payload.bytes, at: position)
        } catch {
            try file.truncate(to: position)
            throw error
        }
        return frameBytes + payload.bytes.count
    }

    /// Whether most of the journal tells of what has changed since.
    var isWorthRewriting: Bool { byteCount >= Self.minimumRewriteBytes && byteCount >= 4 * compactByteCount }

    /// Replaces the journal by one that holds only `entries`. The old one stays in force until the new one is complete.
    func rewrite(_ entries: [StateEntry]) throws(StorageError) {
        let newPath = path + ".new"
        let rewritten = try OpenFile(path: newPath, flags: O_RDWR | O_CREAT | O_TRUNC)
        var position = 0
        for entry in entries { position += try Self.write(entry, to: rewritten, at: position) }
        try rewritten.synchronize()
        guard rename(newPath, path) == 0 else { throw .system("cannot replace \(path)") }
        file = rewritten
        byteCount = position
        compactByteCount = position
    }
}
