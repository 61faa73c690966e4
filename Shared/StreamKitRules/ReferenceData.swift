public import Expressions
internal import StreamKitService
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

    /// What the map's values are.
    var elementType: ValueType { if case .map(_, let element) = type { element } else { .dyn } }

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
