import Glibc

/// A broker's files: `journal` for what is not records, and `logs/<topic id>-<partition>/<base offset>.log` for records.
final class DataDirectory: BrokerStorage {
    private let path: String
    private let synchronizesWrites: Bool
    private let lock: OpenFile
    private var journal: Journal?
    private var unsynchronized: [ObjectIdentifier: OpenFile] = [:]

    private init(path: String, synchronizesWrites: Bool) throws(StorageError) {
        self.path = path
        self.synchronizesWrites = synchronizesWrites
        try Self.makeDirectory(path)
        lock = try OpenFile(path: path + "/lock", flags: O_RDWR | O_CREAT)
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StorageError("\(path) is in use by another broker")
        }
        try Self.makeDirectory(path + "/logs")
    }

    /// Opens a directory, creating it if it is not there, and brings back the state it holds: exactly what was acknowledged.
    /// - Parameter time: now; producers count as having last written then.
    static func open(
        _ path: String, synchronizesWrites: Bool, time: Int64
    ) throws(StorageError) -> (DataDirectory, BrokerState) {
        let directory = try DataDirectory(path: path, synchronizesWrites: synchronizesWrites)
        var state = BrokerState()
        let journal = try Journal(path: path + "/journal") { entry in
            state.apply(entry) { directory.makeLog(topicID: $0, partition: $1) }
        }
        directory.journal = journal
        try directory.synchronizeFolder(path)
        try directory.recoverLogs(of: state, time: time)
        try directory.compactJournal { state.entries() }
        return (directory, state)
    }

    private static func makeDirectory(_ path: String) throws(StorageError) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("cannot create \(path)") }
    }

    // MARK: - Writing

    func record(_ entry: StateEntry) throws(StorageError) {
        guard let journal else { throw StorageError("the journal is not open") }
        try journal.append(entry)
        markUnsynchronized(journal.openFile)
    }

    func makeSegment(
        topicID: UUID128, partition: Int32, baseOffset: Int64, minimumBytes: Int, index: Int
    ) throws(StorageError) -> any SegmentStorage {
        let folder = folder(topicID, partition)
        try Self.makeDirectory(folder)
        let digits = String(baseOffset)
        let name = String(repeating: "0", count: 20 - digits.count) + digits + ".log"
        let file = try OpenFile(path: folder + "/" + name, flags: O_RDWR | O_CREAT | O_TRUNC)
        for parent in [folder, path + "/logs"] { try synchronizeFolder(parent) }
        return FileSegment(file: file, byteCount: 0, directory: self)
    }

    private func folder(_ topicID: UUID128, _ partition: Int32) -> String {
        "\(path)/logs/\(topicID.hexadecimal)-\(partition)"
    }

    func markUnsynchronized(_ file: OpenFile) {
        if synchronizesWrites { unsynchronized[ObjectIdentifier(file)] = file }
    }

    /// With `--fsync`, one call for all files that were written since the last one, however many answers wait for it.
    func synchronize() throws(StorageError) {
        guard !unsynchronized.isEmpty else { return }
        for file in unsynchronized.values { try file.synchronize() }
        unsynchronized = [:]
    }

    /// With `--fsync`: the names in a folder are on the disk too.
    private func synchronizeFolder(_ folder: String) throws(StorageError) {
        if synchronizesWrites { try OpenFile(path: folder, flags: O_RDONLY | O_DIRECTORY).synchronize() }
    }

    func synchronizeFolder(of file: OpenFile) throws(StorageError) {
        if let slash = file.path.lastIndex(of: "/") { try synchronizeFolder(String(file.path[..<slash])) }
    }

    func compactJournal(_ entries: () -> [StateEntry]) throws(StorageError) {
        guard let journal, journal.isWorthRewriting else { return }
        try journal.rewrite(entries())
        try synchronizeFolder(path)
    }

    // MARK: - Recovery

    private func recoverLogs(of state: BrokerState, time: Int64) throws(StorageError) {
        var known: Set<String> = []
        for topic in state.sortedTopics {
            for (index, partition) in topic.partitions.enumerated() {
                let folder = folder(topic.id, Int32(index))
                known.insert(folder)
                try recover(partition.log, folder, time: time)
            }
        }
        // Folders of topics that were deleted when the process was killed.
        for name in try Self.names(in: path + "/logs") where !known.contains("\(path)/logs/\(name)") {
            let folder = "\(path)/logs/\(name)"
            for file in try Self.names(in: folder) { _ = unlink("\(folder)/\(file)") }
            _ = rmdir(folder)
        }
    }

    private func recover(_ log: PartitionLog, _ folder: String, time: Int64) throws(StorageError) {
        var files: [(baseOffset: Int64, path: String)] = []
        for name in try Self.names(in: folder) {
            // What a compaction had not finished.
            if name.hasSuffix(FileSegment.cleanedSuffix) { _ = unlink("\(folder)/\(name)") }
            guard name.hasSuffix(".log") else { continue }
            if let baseOffset = Int64(name.dropLast(4)) { files.append((baseOffset, "\(folder)/\(name)")) }
        }
        files.sort { $0.baseOffset < $1.baseOffset }
        for (index, found) in files.enumerated() {
            let isLast = index == files.count - 1
            // The journal knew of the deletion; the file had not been removed yet.
            if !isLast, files[index + 1].baseOffset <= log.startOffset {
                _ = unlink(found.path)
                continue
            }
            let file = try OpenFile(path: found.path, flags: O_RDWR)
            let size = try file.size()
            let segment = Segment(
                baseOffset: found.baseOffset, storage: FileSegment(file: file, byteCount: size, directory: self))
            let intactBytes = try log.recover(segment, verifiesChecksums: isLast, time: time)
            guard intactBytes < size else { continue }
            guard isLast else {
                throw StorageError(
                    "\(found.path) is damaged at byte \(intactBytes), and later segments exist: restore the file, or "
                        + "delete the folder to give up the partition's records")
            }
            reportError("\(found.path): cutting \(size - intactBytes) bytes of an unfinished batch")
            try file.truncate(to: intactBytes)
            log.replaceLastStorage(FileSegment(file: file, byteCount: intactBytes, directory: self))
        }
    }

    /// What is in a folder; nothing if there is none.
    private static func names(in folder: String) throws(StorageError) -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw .system("cannot read the folder \(folder)")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
