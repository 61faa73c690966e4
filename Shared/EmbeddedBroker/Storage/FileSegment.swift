import Glibc

/// A segment in a file. What is appended is with the kernel when `append` returns: it survives the process.
final class FileSegment: SegmentStorage {
    private let file: OpenFile
    private let directory: DataDirectory
    private(set) var byteCount: Int

    init(file: OpenFile, byteCount: Int, directory: DataDirectory) {
        self.file = file
        self.byteCount = byteCount
        self.directory = directory
    }

    func hasRoom(for count: Int) -> Bool { true }

    func append(head: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer) throws(StorageError) {
        do throws(StorageError) {
            try file.write(head, rest, at: byteCount)
        } catch {
            // Half a batch must not be followed by another.
            try file.truncate(to: byteCount)
            throw error
        }
        byteCount += head.count + rest.count
        directory.markUnsynchronized(file)
    }

    func read(at position: Int, into target: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
        let count = min(target.count, max(0, byteCount - position))
        return try file.read(at: position, into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
    }

    func slice(_ range: Range<Int>) -> LogSlice { .file(file, range) }

    func delete() { file.remove() }

    func replacement() throws(StorageError) -> any SegmentStorage {
        let cleaned = try OpenFile(path: file.path + Self.cleanedSuffix, flags: O_RDWR | O_CREAT | O_TRUNC)
        return FileSegment(file: cleaned, byteCount: 0, directory: directory)
    }

    func takePlace(of former: any SegmentStorage) throws(StorageError) {
        try file.synchronize()
        try file.rename(to: String(file.path.dropLast(Self.cleanedSuffix.count)))
        try directory.synchronizeFolder(of: file)
    }

    static let cleanedSuffix = ".cleaned"
}
