/// The declared fields of what a ``JSONRecord`` has read: valid until it reads again or a field is declared.
///
/// The record's own state is loaded once for many fields; a field is then found by one comparison.
@frozen
public struct JSONFields {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let nodes: UnsafePointer<JSONNode>
    @usableFromInline let keys: UnsafePointer<KeyTable.Key>
    @usableFromInline let count: Int
    @usableFromInline let generation: UInt32

    @inlinable @inline(__always)
    init(
        _ base: UnsafeRawPointer, _ nodes: UnsafePointer<JSONNode>, _ keys: UnsafePointer<KeyTable.Key>, count: Int,
        _ generation: UInt32
    ) {
        self.base = base
        self.nodes = nodes
        self.keys = keys
        self.count = count
        self.generation = generation
    }

    /// Whether the record has a field.
    @inlinable @inline(__always)
    func contains(_ slot: FieldSlot) -> Bool {
        slot.key < count && keys[slot.key].generation == generation
    }

    /// The value of a field; nil where the record lacks it or is not an object.
    @inlinable
    public subscript(_ slot: FieldSlot) -> JSONValue? {
        @inline(__always) get {
            guard slot.key < count else { return nil }
            let key = keys + slot.key
            guard key.pointee.generation == generation else { return nil }
            return JSONValue(base, nodes + Int(key.pointee.node))
        }
    }
}
