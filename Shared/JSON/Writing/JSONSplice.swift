/// A top-level field that a ``JSONSplice`` may write; good for that splice alone.
public struct SpliceField: Sendable, Hashable {
    let index: Int
}

/// Changes top-level fields of a record: its bytes are copied as they are, except for the fields added, replaced or removed.
///
/// Once: name the fields by ``field(_:)``. Per record: ``begin()``, then ``set(_:)`` followed by the value's JSON text into
/// ``values``, or ``remove(_:)``; then ``finish(into:)``. A field that the record has is replaced where it stands; others
/// are appended in the order in which they were set. Nothing is allocated in the steady state.
///
/// ```swift
/// let splice = JSONSplice(record)
/// let tax = splice.field("tax")                // once
/// try record.read(bytes)                       // per record
/// splice.begin()
/// splice.set(tax)
/// splice.values.append(amountOfTax)            // the value's JSON text; strings by appendQuoted
/// splice.finish(into: output)
/// ```
public final class JSONSplice {
    private struct Field {
        let slot: FieldSlot
        /// Where `"name":` lies, escaped, in the prefixes.
        let prefixStart: Int
        let prefixEnd: Int
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
        let field: UnsafeMutablePointer<Field>
    }

    /// Where the values go: write one JSON value after each ``set(_:)``. Each lies behind `,"name":`, so that fields that the
    /// record lacks are appended all at once.
    public let values = OutputBuffer()

    private let record: JSONRecord
    private let prefixes = OutputBuffer()
    // Raw memory rather than arrays: an array's element costs a retain and a release, and these are visited for each record.
    private var fields: UnsafeMutablePointer<Field>
    private var fieldCount = 0
    private var capacity = 16
    /// The fields changed since ``begin()``, in order.
    private var changed: UnsafeMutablePointer<UnsafeMutablePointer<Field>>
    private var changedCount = 0
    private var edits: UnsafeMutablePointer<Edit>
    private var editCount = 0
    private var open: UnsafeMutablePointer<Field>?
    /// Whether what ``values`` holds is what the changes come to: no field was removed or set twice.
    private var isInOrder = true

    /// Changes what the record has read; its fields are declared to that record, which forgets what it read.
    public init(_ record: JSONRecord) {
        self.record = record
        fields = .allocate(capacity: capacity)
        changed = .allocate(capacity: capacity)
        edits = .allocate(capacity: capacity)
    }

    deinit {
        fields.deallocate()
        changed.deallocate()
        edits.deallocate()
    }

    /// Names a field to be written; the same name gives the same field. It is declared to the record, which forgets what it read.
    public func field(_ name: String) -> SpliceField {
        let slot = record.declare(name)
        if let known = (0..<fieldCount).first(where: { fields[$0].slot == slot }) { return SpliceField(index: known) }
        begin()
        if fieldCount == capacity { grow() }
        let start = prefixes.count
        prefixes.append(UInt8(ascii: ","))
        prefixes.appendQuoted(name)
        prefixes.append(UInt8(ascii: ":"))
        (fields + fieldCount).initialize(to: Field(slot: slot, prefixStart: start, prefixEnd: prefixes.count))
        fieldCount += 1
        return SpliceField(index: fieldCount - 1)
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Field>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: fields, count: fieldCount)
        fields.deallocate()
        changed.deallocate()
        edits.deallocate()
        capacity *= 2
        fields = larger
        changed = .allocate(capacity: capacity)
        edits = .allocate(capacity: capacity)
    }

    /// Appends the record up to its closing brace if it is an object with members of which none is one of the fields: then new ones follow
    /// (see ``prefix(of:)``), and the brace. Otherwise nothing is appended, and the fields have to be set one by one.
    public func copyOpen(into output: OutputBuffer) -> Bool {
        let root = record.root
        guard root.kind == .object, root.innerCount > 0 else { return false }
        let recordFields = record.fields
        for position in 0..<fieldCount where recordFields.contains(fields[position].slot) { return false }
        copyWhole(root, into: output)
        return true
    }

    /// What stands before the value of a field that is appended: `,"name":`.
    public func prefix(of field: SpliceField) -> [UInt8] {
        precondition(field.index < fieldCount, "a field of another splice")
        return Array(prefixes.bytes[fields[field.index].prefixStart..<fields[field.index].prefixEnd])
    }

    /// Forgets all changes. To be called for each record.
    public func begin() {
        for position in 0..<changedCount { changed[position].pointee.change = .none }
        changedCount = 0
        values.removeAll()
        open = nil
        isInOrder = true
    }

    /// Announces the field's new value: the JSON text written into ``values`` from here to the next call. Setting a field
    /// again takes the place of the first time.
    public func set(_ field: SpliceField) {
        let field = note(field, .written)
        let prefixStart = field.pointee.prefixStart
        values.append(prefixes.base + prefixStart, count: field.pointee.prefixEnd &- prefixStart)
        field.pointee.start = values.count
        open = field
    }

    /// Leaves the field out.
    public func remove(_ field: SpliceField) {
        isInOrder = false
        _ = note(field, .removed)
    }

    /// The JSON text of a value that was set; nil where none was.
    public func value(_ field: SpliceField) -> UnsafeRawBufferPointer? {
        closeOpen()
        precondition(field.index < fieldCount, "a field of another splice")
        let field = fields[field.index]
        guard field.change == .written else { return nil }
        return UnsafeRawBufferPointer(rebasing: values.bytes[field.start..<field.end])
    }

    /// Appends the record with its changes to `output`, and answers whether it could: only objects have fields.
    @discardableResult
    public func finish(into output: OutputBuffer) -> Bool {
        closeOpen()
        let root = record.root
        guard root.kind == .object else { return false }
        editCount = 0
        let recordFields = record.fields
        for position in 0..<changedCount {
            if let value = recordFields[changed[position].pointee.slot] {
                insert(Edit(node: value.node, field: changed[position]))
            }
        }
        if editCount == 0 {
            copyWhole(root, into: output)
            if isInOrder, output.last != UInt8(ascii: "{") {
                output.append(UnsafeRawPointer(values.base), count: values.count)
                output.append(UInt8(ascii: "}"))
                return true
            }
        } else {
            copyEdited(root, into: output)
        }
        for position in 0..<changedCount {
            let field = changed[position]
            if field.pointee.change == .written, editCount == 0 || record.field(field.pointee.slot) == nil {
                separate(output)
                append(field, to: output)
            }
        }
        output.append(UInt8(ascii: "}"))
        return true
    }

    /// The object up to its closing brace.
    @inline(__always)
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
            if next < editCount, edits[next].node == value {
                copyRun()
                let field = edits[next].field
                next += 1
                if field.pointee.change == .written {
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

    private func append(_ field: UnsafeMutablePointer<Field>, to output: OutputBuffer) {
        // Without the comma: what comes before may need none.
        let prefixStart = field.pointee.prefixStart &+ 1
        output.append(prefixes.base + prefixStart, count: field.pointee.prefixEnd &- prefixStart)
        let start = field.pointee.start
        output.append(values.base + start, count: field.pointee.end &- start)
    }

    @inline(__always)
    private func separate(_ output: OutputBuffer) {
        if output.last != UInt8(ascii: "{") { output.append(UInt8(ascii: ",")) }
    }

    @inline(__always)
    private func note(_ field: SpliceField, _ change: Change) -> UnsafeMutablePointer<Field> {
        closeOpen()
        precondition(field.index < fieldCount, "a field of another splice")
        let field = fields + field.index
        if field.pointee.change == .none {
            // At most once for each field: the capacity is enough.
            changed[changedCount] = field
            changedCount &+= 1
        } else {
            isInOrder = false
        }
        field.pointee.change = change
        return field
    }

    @inline(__always)
    private func closeOpen() {
        guard let field = open else { return }
        field.pointee.end = values.count
        open = nil
    }

    /// Keeps the edits in the record's order; they are few.
    private func insert(_ edit: Edit) {
        var position = editCount
        while position > 0, edits[position &- 1].node > edit.node {
            edits[position] = edits[position &- 1]
            position &-= 1
        }
        edits[position] = edit
        editCount &+= 1
    }
}
