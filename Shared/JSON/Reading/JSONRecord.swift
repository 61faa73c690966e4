/// A reusable reader of JSON texts (RFC 8259) that borrows their bytes.
///
/// ``read(_:)`` goes over the bytes once, strictly: exactly one value, the grammar to the letter, valid UTF-8, no lone surrogates, no
/// duplicate keys unless allowed, a limit to nesting. It notes where each value lies and decodes none; a ``JSONValue`` decodes
/// when asked. Fields declared before are then found by their slot in a nanosecond or two.
///
/// The bytes are borrowed: values are valid until the next ``read(_:)`` and as long as the bytes stay. One record belongs to one
/// thread.
///
/// ```swift
/// let record = JSONRecord()
/// let amount = record.declare("amount")        // once
/// try record.read(bytes)                       // per record
/// let price = record.field(amount)?.decimal    // nil: absent, not a number, or more than 38 digits
/// for (key, value) in record.root.members { … }
/// ```
public final class JSONRecord {
    /// Levels of nesting that a record may have unless told otherwise.
    public static let defaultMaximumDepth = 128

    /// Errors go to logs and dead letters: they do not quote more of a key.
    static let longestKeyInError = 128

    /// A megabyte of nodes; more is given back after the record that needed it.
    private static let largeNodeCapacity = 1 << 16

    let duplicateKeys: DuplicateKeys
    let maximumDepth: Int

    @usableFromInline internal private(set) var base: UnsafeRawPointer
    @usableFromInline internal private(set) var nodes: UnsafeMutablePointer<JSONNode>
    var nodeCount = 0
    private var nodeCapacity = 0
    @usableFromInline internal var keys = KeyTable()
    var marks = KeyMarks()
    let scratch = OutputBuffer()
    @usableFromInline internal private(set) var generation: UInt32 = 0
    /// Which reading this is: no two have the same number, and none has 0. For what is remembered of one reading.
    public private(set) var reading: UInt64 = 0
    private var length = 0

    /// What an empty or refused record holds: the text `null`.
    private let nothing: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - duplicateKeys: what becomes of an object that has a key twice.
    ///   - maximumDepth: how deep objects and arrays may be nested; 1 allows those of plain values only. At most 1,024.
    public init(duplicateKeys: DuplicateKeys = .refused, maximumDepth: Int = JSONRecord.defaultMaximumDepth) {
        self.duplicateKeys = duplicateKeys
        self.maximumDepth = max(0, min(maximumDepth, 1_024))
        nothing = .allocate(byteCount: 4, alignment: 1)
        nothing.copyMemory(from: "null", byteCount: 4)
        base = UnsafeRawPointer(nothing)
        nodeCapacity = 64
        nodes = .allocate(capacity: nodeCapacity)
        clear()
    }

    deinit {
        nodes.deallocate()
        nothing.deallocate()
        keys.deallocate()
        marks.deallocate()
    }

    // MARK: Reading

    /// Declares a top-level field; the same name gives the same slot. It forgets what was read: declare first, then read.
    public func declare(_ name: String) -> FieldSlot {
        clear()
        var name = name
        return name.withUTF8 { utf8 in
            // An empty name has no address; any will do.
            FieldSlot(key: keys.declare(utf8.baseAddress.map { UnsafeRawPointer($0) } ?? base, count: utf8.count))
        }
    }

    /// Reads `bytes`, which stay the caller's. After an error the record holds `null`.
    public func read(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        clear()
        guard let start = bytes.baseAddress else { throw JSONError(.expected(.value, found: nil), at: 0) }
        guard bytes.count < Int(Int32.max) else { throw JSONError(.tooLong, at: Int(Int32.max)) }
        do {
            try scan(JSONText(base: start, count: bytes.count))
        } catch {
            clear()
            throw error
        }
    }

    /// Forgets the record read last; ``root`` is then `null`.
    public func clear() {
        base = UnsafeRawPointer(nothing)
        length = 4
        nodes[0] = JSONNode(.null, 0, 4)
        nodeCount = 1
        reading &+= 1
        generation &+= 1
        if generation == 0 {
            keys.forgetGenerations()
            generation = 1
        }
        marks.truncate(to: 0)
        keys.tidy()
    }

    // MARK: What was read

    /// The bytes read last.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: length)
    }

    /// The value that the bytes are.
    @inlinable
    public var root: JSONValue {
        @inline(__always) get { JSONValue(base, nodes) }
    }

    /// The value of a declared field; nil where the record lacks it or is not an object.
    @inlinable
    public func field(_ slot: FieldSlot) -> JSONValue? {
        fields[slot]
    }

    /// The declared fields, for looking up many.
    @inlinable
    public var fields: JSONFields {
        @inline(__always) get { JSONFields(base, nodes, keys.keys, count: keys.count, generation) }
    }

    /// The value of a top-level field by its name.
    public func field(named name: String) -> JSONValue? {
        root.member(name)
    }

    // MARK: The scan

    private func scan(_ text: JSONText) throws(JSONError) {
        // A value takes two bytes at least, its separator or brackets included, but for those still open.
        let needed = text.count / 2 + 2 + maximumDepth
        if needed > nodeCapacity || (nodeCapacity > JSONRecord.largeNodeCapacity && needed < nodeCapacity / 8) {
            nodes.deallocate()
            nodeCapacity = max(needed, min(nodeCapacity * 2, JSONRecord.largeNodeCapacity))
            nodes = .allocate(capacity: nodeCapacity)
        }
        nodeCount = 0
        var position = text.skipWhitespace(from: 0)
        if text.byte(at: position) == UInt8(ascii: "{") {
            position = try scanRecord(text, at: position)
        } else {
            position = try scanValue(text, at: position, depth: 0)
        }
        if position < text.count {
            position = text.skipWhitespace(from: position)
            if position < text.count { throw text.unexpected(.end, at: position) }
        }
        base = text.base
        length = text.count
    }
}
