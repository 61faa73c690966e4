public import JSON

/// Reads the binary forms of internal records, never beyond their end.
public struct ByteReader {
    private var rest: Bytes

    public init(_ bytes: Bytes) { rest = bytes }

    public var isAtEnd: Bool { rest.isEmpty }

    public mutating func byte() -> UInt8? { integer(UInt8.self) }
    public mutating func int32() -> Int32? { integer(Int32.self) }
    public mutating func int64() -> Int64? { integer(Int64.self) }
    public mutating func int128() -> Int128? { integer(Int128.self) }

    /// A text with its length, in two bytes, before it.
    public mutating func text() -> String? {
        bytesWithLength().flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Bytes with their number, in two bytes, before them.
    public mutating func bytesWithLength() -> Bytes? {
        guard let count = integer(UInt16.self), rest.count >= Int(count) else { return nil }
        defer { rest = Bytes(rebasing: rest[Int(count)...]) }
        return Bytes(rebasing: rest[..<Int(count)])
    }

    private mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> Value? {
        let size = MemoryLayout<Value>.size
        guard rest.count >= size else { return nil }
        defer { rest = Bytes(rebasing: rest[size...]) }
        return Value(littleEndian: rest.loadUnaligned(as: Value.self))
    }
}

extension [UInt8] {
    /// Appends an integer's bytes, the least significant first.
    public mutating func append(integer value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends a text with its length, in two bytes, before it; longer ones are cut.
    public mutating func append(text: String) {
        let bytes = Array(text.utf8.prefix(Int(UInt16.max)))
        append(integer: UInt16(bytes.count))
        append(contentsOf: bytes)
    }
}

/// The same into a buffer that is used again and again.
extension OutputBuffer {
    @inlinable
    public func append(binary value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    /// Appends bytes with their number, in two bytes, before them; longer ones are cut.
    @inlinable
    public func append(lengthAnd bytes: Bytes) {
        let count = min(bytes.count, Int(UInt16.max))
        append(binary: UInt16(count))
        append(Bytes(rebasing: bytes[..<count]))
    }
}
