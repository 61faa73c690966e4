internal import Glibc

/// The content of a JSON string or key, borrowed and checked, its escapes not yet decoded.
@frozen
public struct JSONString {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let count: Int
    /// Whether decoding it takes more than its bytes.
    public let hasEscapes: Bool
    /// Whether all ``rawBytes`` are ASCII. (Escapes may still stand for other characters.)
    public let isASCII: Bool

    @inlinable @inline(__always)
    init(_ base: UnsafeRawPointer, _ node: JSONNode) {
        self.base = base + (Int(node.start) &+ 1)
        count = Int(node.end) &- Int(node.start) &- 2
        hasEscapes = node.flags.contains(.escapes)
        isASCII = !node.flags.contains(.nonASCII)
    }

    /// The bytes between the quotes. They are the value unless ``hasEscapes``.
    @inlinable
    public var rawBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The value's UTF-8 where it needs no decoding; nil where it has escapes.
    @inlinable
    public var utf8: UnsafeRawBufferPointer? {
        @inline(__always) get { hasEscapes ? nil : rawBytes }
    }

    /// Calls `body` with the value's UTF-8: the borrowed bytes themselves, or, where there are escapes, a copy in `scratch`.
    @inlinable
    public func withUTF8<Result>(scratch: OutputBuffer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if !hasEscapes { return body(rawBytes) }
        scratch.removeAll()
        scratch.append(self)
        return body(scratch.bytes)
    }

    /// The value as a `String`, which is allocated if longer than 15 bytes.
    public var string: String {
        if !hasEscapes { return String(decoding: rawBytes, as: UTF8.self) }
        let buffer = OutputBuffer()
        buffer.append(self)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    /// Whether the value is this text, byte for byte. Escapes are decoded as it goes; nothing is allocated.
    public func isEqual(to utf8: UnsafeRawBufferPointer) -> Bool {
        if !hasEscapes {
            guard count == utf8.count, let other = utf8.baseAddress else { return count == utf8.count }
            return memcmp(base, other, count) == 0
        }
        var decoded = DecodedBytes(self)
        for byte in utf8 {
            guard decoded.next() == byte else { return false }
        }
        return decoded.next() == nil
    }

    public func isEqual(to text: StaticString) -> Bool {
        isEqual(to: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The number of Unicode code points of the value.
    @inlinable
    public var codePointCount: Int {
        !hasEscapes && isASCII ? count : countedCodePoints
    }

    @usableFromInline var countedCodePoints: Int {
        var decoded = DecodedBytes(self)
        var points = 0
        while let byte = decoded.next() {
            if byte & 0xC0 != 0x80 { points &+= 1 }
        }
        return points
    }
}

extension JSONString: Equatable {
    /// Equality of the values: `"a"` equals `"\u0061"`.
    public static func == (left: JSONString, right: JSONString) -> Bool {
        if !right.hasEscapes { return left.isEqual(to: right.rawBytes) }
        if !left.hasEscapes { return right.isEqual(to: left.rawBytes) }
        var first = DecodedBytes(left)
        var second = DecodedBytes(right)
        while true {
            let byte = first.next()
            guard byte == second.next() else { return false }
            if byte == nil { return true }
        }
    }
}

extension JSONString {
    /// The value's UTF-8, one byte at a time, of a string that the scan has found valid.
    public struct DecodedBytes: IteratorProtocol {
        private let text: JSONText
        private var position = 0
        /// The rest of a decoded character, the next byte lowest.
        private var pending: UInt32 = 0

        public init(_ string: JSONString) {
            text = JSONText(base: string.base, count: string.count)
        }

        public mutating func next() -> UInt8? {
            if pending != 0 {
                let byte = UInt8(truncatingIfNeeded: pending)
                pending >>= 8
                return byte
            }
            guard position < text.count else { return nil }
            let byte = text[position]
            position &+= 1
            if byte != UInt8(ascii: "\\") { return byte }
            guard let escaped = text.byte(at: position) else { return nil }
            position &+= 1
            switch escaped {
            case UInt8(ascii: "b"): return 0x08
            case UInt8(ascii: "f"): return 0x0C
            case UInt8(ascii: "n"): return 0x0A
            case UInt8(ascii: "r"): return 0x0D
            case UInt8(ascii: "t"): return 0x09
            case UInt8(ascii: "u"): return nextOfUnicodeEscape()
            default: return escaped
            }
        }

        private mutating func nextOfUnicodeEscape() -> UInt8? {
            guard var code = text.hexadecimal(at: position) else { return nil }
            position &+= 4
            if code & 0xFC00 == 0xD800, let low = text.hexadecimal(at: position &+ 2) {
                code = 0x10000 &+ (code & 0x3FF) << 10 &+ (low & 0x3FF)
                position &+= 6
            }
            // The bytes after the first are never zero, so that what is pending says itself how much.
            switch code {
            case 0..<0x80:
                return UInt8(truncatingIfNeeded: code)
            case 0x80..<0x800:
                pending = 0x80 | code & 0x3F
                return UInt8(truncatingIfNeeded: 0xC0 | code >> 6)
            case 0x800..<0x10000:
                pending = 0x80 | code >> 6 & 0x3F | (0x80 | code & 0x3F) << 8
                return UInt8(truncatingIfNeeded: 0xE0 | code >> 12)
            default:
                pending = 0x80 | code >> 12 & 0x3F | (0x80 | code >> 6 & 0x3F) << 8 | (0x80 | code & 0x3F) << 16
                return UInt8(truncatingIfNeeded: 0xF0 | code >> 18)
            }
        }
    }
}
