internal import JSON
internal import Patterns

/// A compiled schema: its nodes and everything they point to.
///
/// Written by the compiler, read-only afterwards, and so shared by threads.
final class Program: @unchecked Sendable {
    private(set) var root: NodePointer
    /// The places of all nodes: resource URI, `#`, JSON pointer.
    var locations: [String] = []
    /// The rules that may apply to the root of a record, for which a validator declares slots.
    var rootObjects: [UnsafeMutablePointer<ObjectRules>] = []
    /// Whether any `$dynamicRef` must look through the resources on the way.
    var usesDynamicScope = false
    /// The schemas' texts, into which nodes point.
    var documents: [SchemaDocument] = []

    private var cleanups: [() -> Void] = []

    init() {
        root = .allocate(capacity: 1)
        root.initialize(to: SchemaNode(acceptsAll: true))
        let first = root
        cleanups.append {
            first.deinitialize(count: 1)
            first.deallocate()
        }
    }

    deinit {
        for cleanup in cleanups { cleanup() }
    }

    func setRoot(_ node: NodePointer) {
        root = node
    }

    /// Moves a value into memory of its own, released with the program.
    func allocate<Value>(_ value: Value) -> UnsafeMutablePointer<Value> {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        pointer.initialize(to: value)
        cleanups.append {
            pointer.deinitialize(count: 1)
            pointer.deallocate()
        }
        return pointer
    }

    func allocate<Value>(_ values: [Value]) -> UnsafeMutableBufferPointer<Value> {
        let buffer = UnsafeMutableBufferPointer<Value>.allocate(capacity: values.count)
        _ = buffer.initialize(from: values)
        cleanups.append {
            buffer.deinitialize()
            buffer.deallocate()
        }
        return buffer
    }

    func nodes(_ nodes: [NodePointer]) -> NodeList {
        let buffer = allocate(nodes)
        // Never empty: the compiler refuses that.
        return NodeList(start: buffer.baseAddress ?? allocate(root), count: buffer.count)
    }

    func table(_ texts: [[UInt8]]) -> TextTable {
        let table = TextTable(texts)
        cleanups.append { table.deallocate() }
        return table
    }

    func retain(_ pattern: Pattern) -> Unmanaged<Pattern> {
        let unmanaged = Unmanaged.passRetained(pattern)
        cleanups.append { unmanaged.release() }
        return unmanaged
    }
}
