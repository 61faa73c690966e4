internal import Glibc
internal import StreamKitService

/// An application's state folders on this machine.
enum LocalState {
    /// So deep below the folder that is searched: `.state/<pipeline>/<instance>`.
    private static let depthMax = 3

    /// The state directories of an application, the folder itself or below it.
    static func folders(of application: String, in path: String) -> [String] {
        search(path, application, depth: 0).sorted()
    }

    private static func search(_ path: String, _ application: String, depth: Int) -> [String] {
        if let owner = StateDirectory.application(of: path) { return owner == application ? [path] : [] }
        guard depth < depthMax, let names = try? Directory.entries(path) else { return [] }
        return names.flatMap { name in
            let child = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            return kind(of: child) == S_IFDIR ? search(child, application, depth: depth + 1) : []
        }
    }

    /// Removes a state directory, which nobody may be using.
    static func remove(_ path: String, of application: String) throws {
        // Its lock, as long as there is something to remove.
        let state = try StateDirectory(path: path, application: application)
        defer { withExtendedLifetime(state) {} }
        try removeTree(path)
    }

    /// What a link leads to stays.
    private static func removeTree(_ path: String) throws(SystemError) {
        if kind(of: path) == S_IFDIR {
            for name in try Directory.entries(path) { try removeTree("\(path)/\(name)") }
            if rmdir(path) != 0 { throw SystemError("cannot remove \(path)", code: errno) }
        } else if unlink(path) != 0 {
            throw SystemError("cannot remove \(path)", code: errno)
        }
    }

    private static func kind(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
