/// Why bytes from a client could not be read as a request.
package enum WireError: Error, Equatable {
    /// A field reaches beyond the end of the request.
    case truncated
    /// A length or count that no valid request has.
    case invalidLength(Int)
    /// A string that is not UTF-8.
    case invalidUTF8
    /// A null where the protocol has none.
    case unexpectedNull
    /// A variable-length integer of more bytes than its type can have.
    case invalidVarint
}

/// Reads Kafka's wire types from borrowed bytes, in the classic encoding or in the flexible one (KIP-482).
///
/// Every read is checked against the end; nothing is allocated on the word of a length field alone.
package struct WireReader {
    private let source: UnsafeRawBufferPointer
    private(set) var position = 0
    let flexible: Bool

    /// More elements than any client sends in one array; a larger count is refused before anything is read.
    private static let maximumArrayCount = 100_000

    package init(_ bytes: UnsafeRawBufferPointer, flexible: Bool) {
        source = bytes
        self.flexible = flexible
    }

    /// A reader of what is left, in the other encoding: a request's header and body may differ.
    func continuing(flexible: Bool) -> WireReader {
        WireReader(UnsafeRawBufferPointer(rebasing: source[position...]), flexible: flexible)
    }

    package var remaining: Int { source.count - position }

    private mutating func take(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count >= 0 else { throw .invalidLength(count) }
        guard count <= remaining else { throw .truncated }
        let taken = UnsafeRawBufferPointer(rebasing: source[position..<position + count])
        position += count
        return taken
    }

    private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws(WireError) -> T {
        T(bigEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self))
    }

    package mutating func int8() throws(WireError) -> Int8 { try integer(Int8.self) }
    package mutating func int16() throws(WireError) -> Int16 { try integer(Int16.self) }
    package mutating func int32() throws(WireError) -> Int32 { try integer(Int32.self) }
    package mutating func int64() throws(WireError) -> Int64 { try integer(Int64.self) }
    package mutating func bool() throws(WireError) -> Bool { try int8() != 0 }

    package mutating func uuid() throws(WireError) -> UUID128 {
        UUID128(high: try integer(UInt64.self), low: try integer(UInt64.self))
    }

    package mutating func unsignedVarint() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 28, by: 7) {
            let byte = try integer(UInt8.self)
            if shift == 28 && byte > 0x0f { throw .invalidVarint }
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw .invalidVarint
    }

    // Lengths of strings, bytes and arrays: nil is the protocol's null.

    private mutating func stringLength() throws(WireError) -> Int? {
        flexible ? try compactLength() : try classicLength(Int(try int16()))
    }

    private mutating func bytesLength() throws(WireError) -> Int? {
        flexible ? try compactLength() : try classicLength(Int(try int32()))
    }

    private mutating func compactLength() throws(WireError) -> Int? {
        let raw = Int(try unsignedVarint())
        return raw == 0 ? nil : raw - 1
    }

    private func classicLength(_ raw: Int) throws(WireError) -> Int? {
        if raw == -1 { return nil }
        guard raw >= 0 else { throw .invalidLength(raw) }
        return raw
    }

    private mutating func string(length: Int) throws(WireError) -> String {
        // The protocol's limit in both encodings, although the flexible one could say more.
        guard length <= Int(Int16.max) else { throw .invalidLength(length) }
        guard let string = String(validating: try take(length), as: UTF8.self) else { throw .invalidUTF8 }
        return string
    }

    package mutating func string() throws(WireError) -> String {
        guard let length = try stringLength() else { throw .unexpectedNull }
        return try string(length: length)
    }

    package mutating func nullableString() throws(WireError) -> String? {
        guard let length = try stringLength() else { return nil }
        return try string(length: length)
    }

    /// A string with an int16 length in every encoding: the client id of a request header.
    mutating func classicNullableString() throws(WireError) -> String? {
        guard let length = try classicLength(Int(try int16())) else { return nil }
        return try string(length: length)
    }

    /// Bytes that stay in the request: valid while it is being handled.
    mutating func borrowedBytes() throws(WireError) -> UnsafeRawBufferPointer? {
        guard let length = try bytesLength() else { return nil }
        return try take(length)
    }

    package mutating func bytes() throws(WireError) -> [UInt8] {
        guard let length = try bytesLength() else { throw .unexpectedNull }
        return Array(try take(length))
    }

    private mutating func arrayCount() throws(WireError) -> Int? {
        let count = try bytesLength()
        guard let count else { return nil }
        // An element takes at least one byte.
        guard count <= remaining, count <= Self.maximumArrayCount else { throw .invalidLength(count) }
        return count
    }

    private mutating func elements<Element>(
        _ count: Int, _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 64))
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    /// An array of primitive values.
    package mutating func array<Element>(
        _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        guard let count = try arrayCount() else { throw .unexpectedNull }
        return try elements(count, read)
    }

    /// An array of primitive values that may be null.
    package mutating func nullableArray<Element>(
        _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element]? {
        guard let count = try arrayCount() else { return nil }
        return try elements(count, read)
    }

    /// An array of structures: in the flexible encoding each ends with tagged fields.
    package mutating func structures<Element>(
        _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        guard let elements = try nullableStructures(read) else { throw .unexpectedNull }
        return elements
    }

    mutating func nullableStructures<Element>(
        _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element]? {
        guard let count = try arrayCount() else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 64))
        for _ in 0..<count {
            elements.append(try read(&self))
            try skipTaggedFields()
        }
        return elements
    }

    /// Passes over tagged fields, none of which this broker needs; nothing in the classic encoding.
    package mutating func skipTaggedFields() throws(WireError) {
        guard flexible else { return }
        for _ in 0..<(try unsignedVarint()) {
            _ = try unsignedVarint()
            _ = try take(Int(try unsignedVarint()))
        }
    }
}
