import Glibc

/// A file held open for reading and writing at positions; closed with its last reference.
final class OpenFile {
    let descriptor: Int32
    private(set) var path: String

    init(path: String, flags: Int32) throws(StorageError) {
        let descriptor = open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("cannot open \(path)") }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { _ = close(descriptor) }

    func size() throws(StorageError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("cannot examine \(path)") }
        return Int(status.st_size)
    }

    /// Reads until `target` is full or the file ends.
    func read(at position: Int, into target: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
        var count = 0
        while count < target.count {
            let received = pread(
                descriptor, target.baseAddress.map { $0 + count }, target.count - count, off_t(position + count))
            if received == 0 { break }
            if received < 0 {
                if errno == EINTR { continue }
                throw .system("cannot read \(path) at \(position + count)")
            }
            count += received
        }
        return count
    }

    /// Writes `head` and then `rest`, from `position` on, with one system call if the kernel takes all at once.
    func write(_ head: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer, at position: Int) throws(StorageError) {
        var done = 0
        while done < head.count + rest.count {
            let headRest = UnsafeRawBufferPointer(rebasing: head[min(done, head.count)...])
            let restRest = UnsafeRawBufferPointer(rebasing: rest[max(0, done - head.count)...])
            let written = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vectors in
                vectors.initializeElement(
                    at: 0,
                    to: iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: headRest.baseAddress), iov_len: headRest.count))
                vectors.initializeElement(
                    at: 1,
                    to: iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: restRest.baseAddress), iov_len: restRest.count))
                return pwritev(descriptor, vectors.baseAddress, 2, off_t(position + done))
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw .system("cannot write \(path) at \(position + done)")
            }
            done += written
        }
    }

    func truncate(to byteCount: Int) throws(StorageError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw .system("cannot truncate \(path)") }
    }

    func rename(to newPath: String) throws(StorageError) {
        guard Glibc.rename(path, newPath) == 0 else { throw .system("cannot rename \(path) to \(newPath)") }
        path = newPath
    }

    /// Takes the name away; the bytes stay readable through this object.
    func remove() { _ = unlink(path) }

    func synchronize() throws(StorageError) {
        guard fdatasync(descriptor) == 0 else { throw .system("cannot synchronize \(path)") }
    }
}

extension StorageError {
    /// What was tried, and the system's reason for its failure.
    static func system(_ what: String) -> StorageError {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        return StorageError("\(what): \(reason)")
    }
}
