internal import Glibc

/// A value within a record that was read: a borrowed view, two words, decoded when asked.
///
/// It is valid until its ``JSONRecord`` reads again and as long as the bytes that were read stay.
@frozen
public struct JSONValue {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let node: UnsafePointer<JSONNode>

    @inlinable
    @inline(__always)
    init(_ base: UnsafeRawPointer, _ node: UnsafePointer<JSONNode>) {
        self.base = base
        self.node = node
    }

    /// What it is; known without decoding.
    @inlinable
    public var kind: JSONKind {
        @inline(__always) get { node.pointee.kind }
    }

    /// The value's text as it stands in the record, quotes and brackets included.
    @inlinable
    public var bytes: UnsafeRawBufferPointer {
        @inline(__always) get {
            UnsafeRawBufferPointer(
                start: base + Int(node.pointee.start), count: Int(node.pointee.end) &- Int(node.pointee.start))
        }
    }

    /// How many keys and values it has within, at any depth: 0 for plain values.
    @inlinable
    public var innerCount: Int { Int(node.pointee.span) &- 1 }

    /// Where the text begins in the record.
    @inlinable
    public var offset: Int { Int(node.pointee.start) }

    public var isNull: Bool { kind == .null }

    /// The value of `true` or `false`; nil for other kinds.
    public var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The string, not yet decoded; nil for other kinds.
    @inlinable
    public var string: JSONString? {
        @inline(__always) get { kind == .string ? JSONString(base, node.pointee) : nil }
    }

    // MARK: Numbers

    /// Whether the value is a number written without a point and an exponent.
    @inlinable
    public var isWrittenAsInteger: Bool {
        kind == .number && !node.pointee.flags.contains(.fraction)
    }

    /// The number where it is written as an integer (no point, no exponent) and fits; nil for all else.
    @inlinable
    public var int64: Int64? {
        @inline(__always) get { isWrittenAsInteger ? writtenInt64 : nil }
    }

    @inlinable @inline(__always)
    var writtenInt64: Int64? {
        // One to eight digits are the rule; a sign is no digit.
        let text = bytes
        guard text.count <= 8, let base = text.baseAddress else { return anyInt64 }
        var value: Int64 = 0
        var position = 0
        repeat {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- 0x30
            if digit > 9 { return anyInt64 }
            value = value &* 10 &+ Int64(digit)
            position &+= 1
        } while position < text.count
        return value
    }

    @usableFromInline var anyInt64: Int64? {
        let text = bytes
        let isNegative = text[0] == UInt8(ascii: "-")
        guard let magnitude = JSONValue.magnitude(text, from: isNegative ? 1 : 0) else { return nil }
        if isNegative { return magnitude <= 1 << 63 ? 0 &- Int64(truncatingIfNeeded: magnitude) : nil }
        return Int64(exactly: magnitude)
    }

    /// The number where it is written as an integer that is not negative, and fits.
    public var uint64: UInt64? {
        guard isWrittenAsInteger else { return nil }
        let text = bytes
        if text[0] == UInt8(ascii: "-") { return int64 == 0 ? 0 : nil }
        return JSONValue.magnitude(text, from: 0)
    }

    /// The number exactly; nil for other kinds and where it needs more than 38 digits.
    public var decimal: Decimal? {
        kind == .number ? Decimal(bytes: bytes) : nil
    }

    /// The binary float nearest to the number (infinite if beyond its range); nil for other kinds.
    public var double: Double? {
        guard kind == .number else { return nil }
        return BinaryFloat.nearest(to: bytes)
    }

    private static func magnitude(_ text: UnsafeRawBufferPointer, from start: Int) -> UInt64? {
        guard let base = text.baseAddress else { return nil }
        var value: UInt64 = 0
        // 19 digits cannot overflow.
        let safeEnd = min(text.count, start &+ 19)
        var position = start
        while position < safeEnd {
            value = value &* 10 &+ UInt64(base.load(fromByteOffset: position, as: UInt8.self) &- 0x30)
            position &+= 1
        }
        while position < text.count {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(
                UInt64(base.load(fromByteOffset: position, as: UInt8.self) &- 0x30))
            if overflow || carried { return nil }
            value = sum
            position &+= 1
        }
        return value
    }

    // MARK: Objects and arrays

    /// The members of an object in their order; none for other kinds.
    @inlinable
    public var members: JSONMembers { JSONMembers(self) }

    /// The keys of an object as values, in their order; none for other kinds.
    @inlinable
    public var keys: JSONKeys { JSONKeys(self) }

    /// The elements of an array in their order; none for other kinds.
    @inlinable
    public var elements: JSONElements { JSONElements(self) }

    /// The nodes within an object or array; none where the value is of another kind.
    @inlinable
    @inline(__always)
    func children(of container: JSONKind) -> (first: UnsafePointer<JSONNode>, end: UnsafePointer<JSONNode>) {
        let first = node + 1
        return (first, kind == container ? node + Int(node.pointee.span) : first)
    }

    /// The number of members or elements, by counting; 0 for other kinds.
    public var count: Int {
        var count = 0
        if kind == .object {
            for _ in members { count &+= 1 }
        } else {
            for _ in elements { count &+= 1 }
        }
        return count
    }

    /// The member with this key, by looking at one after the other; nil where there is none.
    public func member(_ key: String) -> JSONValue? {
        var key = key
        return key.withUTF8 { member(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// The member with this key.
    public func member(utf8 key: UnsafeRawBufferPointer) -> JSONValue? {
        for (name, value) in members where name.isEqual(to: key) { return value }
        return nil
    }

    /// The element at `index`, by stepping over those before; nil where the array is shorter.
    public func element(_ index: Int) -> JSONValue? {
        guard index >= 0 else { return nil }
        var left = index
        for element in elements {
            if left == 0 { return element }
            left &-= 1
        }
        return nil
    }
}

/// The members of an object: keys and values. A key that a later one supersedes is left out.
public struct JSONMembers: Sequence, IteratorProtocol {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline var node: UnsafePointer<JSONNode>
    @usableFromInline let end: UnsafePointer<JSONNode>

    @inlinable
    init(_ object: JSONValue) {
        base = object.base
        (node, end) = object.children(of: .object)
    }

    @inlinable
    public mutating func next() -> (key: JSONString, value: JSONValue)? {
        while node < end {
            let key = node
            let value = node + 1
            node = value + Int(value.pointee.span)
            if !key.pointee.flags.contains(.superseded) {
                return (JSONString(base, key.pointee), JSONValue(base, value))
            }
        }
        return nil
    }
}

/// The keys of an object, each as a value of kind string.
public struct JSONKeys: Sequence, IteratorProtocol {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline var node: UnsafePointer<JSONNode>
    @usableFromInline let end: UnsafePointer<JSONNode>

    @inlinable
    init(_ object: JSONValue) {
        base = object.base
        (node, end) = object.children(of: .object)
    }

    @inlinable
    public mutating func next() -> JSONValue? {
        while node < end {
            let key = node
            node = key + 1 + Int(key[1].span)
            if !key.pointee.flags.contains(.superseded) { return JSONValue(base, key) }
        }
        return nil
    }
}

/// The elements of an array.
public struct JSONElements: Sequence, IteratorProtocol {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline var node: UnsafePointer<JSONNode>
    @usableFromInline let end: UnsafePointer<JSONNode>

    @inlinable
    init(_ array: JSONValue) {
        base = array.base
        (node, end) = array.children(of: .array)
    }

    @inlinable
    public mutating func next() -> JSONValue? {
        guard node < end else { return nil }
        let element = node
        node = element + Int(element.pointee.span)
        return JSONValue(base, element)
    }
}
