/// A top-level field that a ``JSONSplice`` may write; good for that splice alone.
public struct SpliceField: Sendable, Hashable {
    let index: Int
}

/// Changes top-level fields of a record: its bytes are copied as they are, except for the fields added, replaced or removed.
///
/// Once: name the fields by ``field(_:)``. Per record: ``begin()``, then ``set(_:)`` followed by the value's JSON text into
/// ``values``, or ``remove(_:)``; then ``finish(into:)``. A field that the record has is replaced where it stands; others
/// are appended in the order in which they were set. Nothing is allocated in the steady state.
public final class JSONSplice {
    private struct Field {
        let slot: FieldSlot
        /// `"name":`, escaped.
        let prefix: [UInt8]
        var change = Change.none
        var start = 0
        var end = 0
    }

    private enum Change {
        case none
        case removed
        case written
    }

    /// A change of a field that the record has: the node of its value.
    private struct Edit {
        let node: UnsafePointer<JSONNode>
        let field: Int
    }

    /// Where the values go: write one JSON value after each ``set(_:)``.
    public let values = OutputBuffer()

    private let record: JSONRecord
    private var fields: [Field] = []
    /// The fields changed since ``begin()``, in order.
    private var changed: [Int] = []
    private var edits: [Edit] = []
    private var open: Int?

    public init(_ record: JSONRecord) {
        self.record = record
    }

    /// Names a field to be written; the same name gives the same field. To be done before records are read.
    public func field(_ name: String) -> SpliceField {
        let slot = record.declare(name)
        if let known = fields.firstIndex(where: { $0.slot == slot }) { return SpliceField(index: known) }
        let text = OutputBuffer()
        text.appendQuoted(name)
        text.append(UInt8(ascii: ":"))
        fields.append(Field(slot: slot, prefix: [UInt8](text.bytes)))
        return SpliceField(index: fields.count - 1)
    }

    /// Forgets all changes. To be called for each record.
    public func begin() {
        for index in changed { fields[index].change = .none }
        changed.removeAll(keepingCapacity: true)
        values.removeAll()
        open = nil
    }

    /// Announces the field's new value: the JSON text written into ``values`` from here to the next call. Setting a field
    /// again takes the place of the first time.
    public func set(_ field: SpliceField) {
        note(field, .written)
        fields[field.index].start = values.count
        open = field.index
    }

    /// Leaves the field out.
    public func remove(_ field: SpliceField) {
        note(field, .removed)
    }

    /// The values set so far: where CEL expressions of later fields look for those of earlier ones.
    public func value(_ field: SpliceField) -> UnsafeRawBufferPointer? {
        closeOpen()
        guard fields[field.index].change == .written else { return nil }
        return UnsafeRawBufferPointer(rebasing: values.bytes[fields[field.index].start..<fields[field.index].end])
    }

    /// Appends the record with its changes to `output`, and answers whether it could: only objects have fields.
    @discardableResult
    public func finish(into output: OutputBuffer) -> Bool {
        closeOpen()
        let root = record.root
        guard root.kind == .object else { return false }
        edits.removeAll(keepingCapacity: true)
        for index in changed {
            guard let value = record.field(fields[index].slot) else { continue }
            insert(Edit(node: value.node, field: index))
        }
        if edits.isEmpty {
            copyWhole(root, into: output)
        } else {
            copyEdited(root, into: output)
        }
        for index in changed where fields[index].change == .written && record.field(fields[index].slot) == nil {
            separate(output)
            append(fields[index], to: output)
        }
        output.append(UInt8(ascii: "}"))
        return true
    }

    /// The object up to its closing brace.
    private func copyWhole(_ root: JSONValue, into output: OutputBuffer) {
        let text = root.bytes
        guard let base = text.baseAddress else { return }
        var end = text.count - 1
        while end > 1, base.load(fromByteOffset: end - 1, as: UInt8.self) <= 0x20 { end -= 1 }
        output.append(base, count: end)
    }

    /// Runs of unchanged members are copied at once, with what is between them.
    private func copyEdited(_ root: JSONValue, into output: OutputBuffer) {
        output.append(UInt8(ascii: "{"))
        var next = 0
        var runStart: Int?
        var runEnd = 0
        func copyRun() {
            guard let start = runStart else { return }
            separate(output)
            output.append(root.base + start, count: runEnd - start)
            runStart = nil
        }
        var (key, end) = root.children(of: .object)
        while key < end {
            let value = key + 1
            if next < edits.count, edits[next].node == value {
                copyRun()
                let field = fields[edits[next].field]
                next += 1
                if field.change == .written {
                    separate(output)
                    append(field, to: output)
                }
            } else if key.pointee.flags.contains(.superseded) {
                copyRun()
            } else {
                if runStart == nil { runStart = Int(key.pointee.start) }
                runEnd = Int(value.pointee.end)
            }
            key = value + Int(value.pointee.span)
        }
        copyRun()
    }

    private func append(_ field: Field, to output: OutputBuffer) {
        field.prefix.withUnsafeBytes { output.append($0) }
        output.append(values.base + field.start, count: field.end - field.start)
    }

    private func separate(_ output: OutputBuffer) {
        if output.last != UInt8(ascii: "{") { output.append(UInt8(ascii: ",")) }
    }

    private func note(_ field: SpliceField, _ change: Change) {
        closeOpen()
        if fields[field.index].change == .none { changed.append(field.index) }
        fields[field.index].change = change
    }

    private func closeOpen() {
        guard let index = open else { return }
        fields[index].end = values.count
        open = nil
    }

    /// Keeps the edits in the record's order; they are few.
    private func insert(_ edit: Edit) {
        var position = edits.count
        while position > 0, edits[position - 1].node > edit.node { position -= 1 }
        edits.insert(edit, at: position)
    }
}
