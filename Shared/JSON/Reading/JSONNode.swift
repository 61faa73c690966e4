/// What a JSON value is.
@frozen
public enum JSONKind: UInt8, Sendable, CaseIterable {
    case null
    case `false`
    case `true`
    case number
    case string
    case array
    case object
}

/// One value, or one key, of a record: where its text is. The nodes of a record lie in the order of the text, children after their
/// parent, each member as key and value.
@usableFromInline
@frozen
struct JSONNode {
    /// The text, quotes and brackets included.
    @usableFromInline var start: UInt32
    @usableFromInline var end: UInt32
    /// How many nodes further the next sibling is: 1, and one for each node within.
    @usableFromInline var span: UInt32
    @usableFromInline var kind: JSONKind
    @usableFromInline var flags: JSONFlags

    @inline(__always)
    init(_ kind: JSONKind, _ start: Int, _ end: Int, span: Int = 1, flags: JSONFlags = []) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
        self.span = UInt32(truncatingIfNeeded: span)
        self.kind = kind
        self.flags = flags
    }
}

/// What the scan has seen on its way through a string or a number.
@usableFromInline
@frozen
struct JSONFlags: OptionSet, Sendable {
    @usableFromInline let rawValue: UInt8

    @inlinable @inline(__always)
    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    // Computed: a stored constant is reached through a call from other modules.
    /// The string has a backslash: its text is not its value.
    @inlinable static var escapes: JSONFlags { JSONFlags(rawValue: 1) }
    /// The string has bytes above 0x7F.
    @inlinable static var nonASCII: JSONFlags { JSONFlags(rawValue: 2) }
    /// The number has a point or an exponent.
    @inlinable static var fraction: JSONFlags { JSONFlags(rawValue: 4) }
    /// The key is given again later in its object, and that one counts.
    @inlinable static var superseded: JSONFlags { JSONFlags(rawValue: 8) }
}
