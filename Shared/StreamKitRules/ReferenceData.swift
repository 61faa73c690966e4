public import Expressions
internal import Glibc
public import StreamKitService
internal import Synchronization
internal import YAML

/// Data beside the records that expressions look things up in: a file of YAML (or JSON, which is YAML), or a compacted topic.
///
/// It is read whole before the first record, and read again when it changes; a version that cannot be read is told and left
/// alone. Tasks look at `version` once a batch.
public final class ReferenceData: Sendable {
    public enum Source: Hashable, Sendable {
        case file(String)
        case topic(String)
    }

    public let name: String
    public let type: ValueType
    public let source: Source
    private let current: Mutex<Value>
    private let versionNumber = Atomic<Int>(0)

    init(_ name: String, type: ValueType, source: Source) {
        self.name = name
        self.type = type
        self.source = source
        current = Mutex(.map(ValueMap()))
    }

    public var version: Int { versionNumber.load(ordering: .acquiring) }
    public var value: Value { current.withLock { $0 } }

    func replace(_ value: Value) {
        current.withLock { $0 = value }
        versionNumber.add(1, ordering: .releasing)
    }

    /// Reads the file. Its problems are told with their lines.
    func load(file path: String) throws(SettingsFault) -> Value {
        let node: YAMLNode
        do {
            node = try YAMLDocument.parse(try FileSystem.read(path, limit: 64 << 20), source: path)
        } catch {
            throw SettingsFault("\(error)")
        }
        return try YAMLValues.value(node, as: type)
    }
}

extension RuleDeclarations {
    /// What a service's `makeWatch` returns so that changes of reference files are picked up.
    public var watch: (@Sendable () -> (Logger) -> Void)? {
        if references.isEmpty { return nil }
        let references = references
        return {
            let watcher = ReferenceWatcher(references)
            return { logger in
                watcher.look { name, error in
                    if let error {
                        logger.error(
                            "reference data not usable, the old is kept",
                            ["reference": .text(name), "error": .text(error)])
                    } else {
                        logger.info("reference data read anew", ["reference": .text(name)])
                    }
                }
            }
        }
    }
}

/// Keeps reference data up to date, on a thread of its own.
final class ReferenceWatcher {
    private let data: [ReferenceData]
    private var stamps: [String: FileStamp] = [:]

    /// The first look reads every file once more: one may have changed since the settings were read.
    init(_ data: [ReferenceData]) { self.data = data }

    private struct FileStamp: Hashable {
        let seconds: Int
        let nanoseconds: Int
        let bytes: Int
        let inode: UInt64
    }

    private static func stamp(_ path: String) -> FileStamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileStamp(
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, bytes: status.st_size,
            inode: UInt64(status.st_ino))
    }

    /// Reads again what has changed since the last look.
    func look(_ report: (_ name: String, _ error: String?) -> Void) {
        for reference in data {
            guard case .file(let path) = reference.source, let stamp = Self.stamp(path), stamp != stamps[path] else {
                continue
            }
            stamps[path] = stamp
            do throws(SettingsFault) {
                reference.replace(try reference.load(file: path))
                report(reference.name, nil)
            } catch {
                report(reference.name, error.description)
            }
        }
    }
}
