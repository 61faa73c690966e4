extension StateDirectory {
    /// The application that a folder's state belongs to; nil if the folder is no state directory.
    public static func application(of path: String) -> String? {
        guard let bytes = try? FileSystem.read("\(path)/identity", limit: 64 << 10) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0] == "application" { return String(parts[1]) }
        }
        return nil
    }
}
