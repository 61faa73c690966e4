import Glibc

/// A file held open for reading and writing at positions; closed with its last reference.
final class OpenFile {
    let descriptor: Int32
    let path: String

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

    /// Writes all of `parts`, one after the other, from `position` on.
    func write(_ parts: [UnsafeRawBufferPointer], at position: Int) throws(StorageError) {
        var position = position
        for part in parts {
            var rest = part
            while !rest.isEmpty {
                let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(position))
                if written < 0 {
                    if errno == EINTR { continue }
                    throw .system("cannot write \(path) at \(position)")
                }
                position += written
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }

    func truncate(to byteCount: Int) throws(StorageError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw .system("cannot truncate \(path)") }
    }

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
