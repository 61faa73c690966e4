internal import Glibc

/// A system call that failed, in words: what was tried, on what, and the system's reason.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    public let operation: String
    public let code: Int32

    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }
}

/// Small files, read and written whole.
public enum FileSystem {
    /// - Throws: the system's error; `EFBIG` if there are more than `limit` bytes.
    public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("cannot open \(path)", code: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("cannot read \(path)", code: errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw SystemError("cannot read \(path)", code: EFBIG) }
        }
    }
}

extension FileSystem {
    /// Creates a folder and those above it that are missing.
    static func createDirectories(_ path: String) throws(SystemError) {
        var current = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            current += (current.isEmpty || current.hasSuffix("/") ? "" : "/") + part
            guard mkdir(current, 0o755) != 0, errno != EEXIST else { continue }
            // Folders above may refuse creation and yet be there.
            let code = errno
            guard access(current, F_OK) == 0 else { throw SystemError("cannot create \(current)", code: code) }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("cannot use \(path)", code: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError("cannot use \(path)", code: ENOTDIR) }
    }

    /// Writes a file beside its place, makes it durable, and renames it there; then makes the renaming durable.
    static func replace(_ path: String, with bytes: [UInt8], in directory: String) throws(SystemError) {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("cannot create \(temporary)", code: errno) }
        do throws(SystemError) {
            try write(bytes, to: descriptor, temporary)
            guard fsync(descriptor) == 0 else { throw SystemError("cannot sync \(temporary)", code: errno) }
        } catch {
            close(descriptor)
            throw error
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw SystemError("cannot rename \(temporary)", code: errno) }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemError("cannot open \(directory)", code: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SystemError("cannot sync \(directory)", code: errno) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("cannot write \(path)", code: errno) }
            rest = rest.dropFirst(count)
        }
    }
}
