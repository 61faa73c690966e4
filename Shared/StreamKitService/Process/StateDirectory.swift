internal import Glibc

/// Why a state directory cannot be used.
public struct StateDirectoryError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ error: SystemError) {
        description = error.description
    }
}

/// The folder that belongs to one instance of one application: locked while it is in use, and bearing the instance's name.
///
///     lock            held with flock(2); its content is the owner's process id
///     identity        format version, application, and a name made at random when the folder was first used
///
/// Closing gives the lock back; so does the process's end, however it comes.
public final class StateDirectory: Sendable {
    private static let formatVersion = 1
    private static let fileBytesMax = 1 << 20

    public let path: String
    /// What a dynamic member's transactional id is made of; the same as long as the folder is there.
    public let instanceName: String
    private let lock: Int32

    /// Creates the folder if it is missing, locks it, and reads or makes its identity.
    ///
    /// - Throws: if another process holds it (named by its id), if it belongs to another application, or if it cannot be
    ///   written.
    public init(path: String, application: String) throws(StateDirectoryError) {
        self.path = path
        do throws(SystemError) {
            try FileSystem.createDirectories(path)
        } catch {
            throw StateDirectoryError(error)
        }
        lock = try Self.lock(path)
        do throws(StateDirectoryError) {
            instanceName = try Self.identify(path, application: application)
        } catch {
            close(lock)
            throw error
        }
    }

    deinit {
        close(lock)
    }

    /// The content of a file of this folder, or `nil` if there is none.
    public func read(_ name: String) throws(StateDirectoryError) -> [UInt8]? {
        try Self.read("\(path)/\(name)")
    }

    /// Puts a file in the place of another, durably: after a crash there is the old content or the new, never a part.
    public func write(_ name: String, _ bytes: [UInt8]) throws(StateDirectoryError) {
        do throws(SystemError) {
            try FileSystem.replace("\(path)/\(name)", with: bytes, in: path)
        } catch {
            throw StateDirectoryError(error)
        }
    }

    private static func lock(_ path: String) throws(StateDirectoryError) -> Int32 {
        let file = "\(path)/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StateDirectoryError(SystemError("cannot open \(file)", code: errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            defer { close(descriptor) }
            guard code == EWOULDBLOCK else {
                throw StateDirectoryError(SystemError("cannot lock \(file)", code: code))
            }
            let owner = (try? FileSystem.read(file, limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let process = Int(owner.prefix { $0.isNumber }).map { "process \($0)" } ?? "another process"
            throw StateDirectoryError(
                "\(path) is in use by \(process); every instance needs a STATE_DIR of its own")
        }
        // The process id is for people alone; the lock does not rest on it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, text.utf8.count, 0) != text.utf8.count {
            let error = SystemError("cannot write \(file)", code: errno)
            close(descriptor)
            throw StateDirectoryError(error)
        }
        return descriptor
    }

    private static func identify(_ path: String, application: String) throws(StateDirectoryError) -> String {
        let file = "\(path)/identity"
        guard let bytes = try read(file) else {
            var random = SystemRandomNumberGenerator()
            let digits = String(random.next(), radix: 16)
            let name = String(repeating: "0", count: 16 - digits.count) + digits
            let text = "version \(formatVersion)\napplication \(application)\ninstance \(name)\n"
            do throws(SystemError) {
                try FileSystem.replace(file, with: Array(text.utf8), in: path)
            } catch {
                throw StateDirectoryError(error)
            }
            return name
        }
        var values: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let version = values["version"].flatMap({ Int($0) }), let owner = values["application"],
            let name = values["instance"], !name.isEmpty
        else {
            throw StateDirectoryError(
                "\(file) is damaged; move \(path) away to begin with empty state, which is then restored")
        }
        guard version <= formatVersion else {
            throw StateDirectoryError("\(path) has format \(version); this program knows \(formatVersion) and older")
        }
        guard owner == application else {
            throw StateDirectoryError(
                "\(path) belongs to the application \(owner), not \(application); give each a STATE_DIR of its own")
        }
        return String(name)
    }

    private static func read(_ file: String) throws(StateDirectoryError) -> [UInt8]? {
        do throws(SystemError) {
            return try FileSystem.read(file, limit: fileBytesMax)
        } catch {
            if error.code == ENOENT { return nil }
            throw StateDirectoryError(error)
        }
    }
}
