/// A string as CEL has it: a sequence of Unicode code points, held as valid UTF-8.
///
/// Unlike Swift's String, equality and order are those of the code points (é in one code point is not é in two), and
/// nothing is decoded to compare, search or split.
public struct Text: Hashable, Sendable {
    /// Valid UTF-8.
    public let utf8: [UInt8]

    public init(_ string: String) {
        utf8 = Array(string.utf8)
    }

    /// Nil if the bytes are not valid UTF-8.
    public init?(utf8: [UInt8]) {
        guard isValidUTF8(utf8) else { return nil }
        self.utf8 = utf8
    }

    /// The caller vouches for the bytes.
    init(validUTF8: [UInt8]) {
        utf8 = validUTF8
    }

    init(_ slice: ArraySlice<UInt8>) {
        utf8 = Array(slice)
    }

    public var string: String { String(decoding: utf8, as: UTF8.self) }

    /// The number of code points.
    public var count: Int { utf8.count { $0 & 0xC0 != 0x80 } }
}

extension Text: Comparable {
    /// UTF-8 sorts as its code points do.
    public static func < (left: Text, right: Text) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

extension Text: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral value: String) {
        self.init(value)
    }

    public var description: String { string }
}

func isValidUTF8(_ bytes: some Sequence<UInt8>) -> Bool {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    while true {
        switch decoder.decode(&iterator) {
        case .scalarValue: continue
        case .emptyInput: return true
        case .error: return false
        }
    }
}

extension Text {
    /// The byte offset of a code point's index; nil beyond the end. The count itself is the end.
    func byteOffset(of index: Int) -> Int? {
        guard index >= 0 else { return nil }
        var remaining = index
        for (offset, byte) in utf8.enumerated() where byte & 0xC0 != 0x80 {
            if remaining == 0 { return offset }
            remaining -= 1
        }
        return remaining == 0 ? utf8.count : nil
    }

    /// How many code points stand before a byte offset.
    func index(ofByte offset: Int) -> Int {
        utf8[..<offset].count { $0 & 0xC0 != 0x80 }
    }

    var scalars: String.UnicodeScalarView { string.unicodeScalars }
}

/// The first place of `needle` in `haystack` at or after `start`.
func firstOffset(of needle: [UInt8], in haystack: [UInt8], from start: Int = 0) -> Int? {
    guard needle.count <= haystack.count, start <= haystack.count - needle.count else { return nil }
    guard let first = needle.first else { return start }
    var offset = start
    while offset <= haystack.count - needle.count {
        if haystack[offset] == first, haystack[offset..<offset + needle.count].elementsEqual(needle) { return offset }
        offset += 1
    }
    return nil
}

/// The last place of `needle` in `haystack` at or before `start`.
func lastOffset(of needle: [UInt8], in haystack: [UInt8], from start: Int) -> Int? {
    guard needle.count <= haystack.count else { return nil }
    var offset = min(start, haystack.count - needle.count)
    while offset >= 0 {
        if haystack[offset..<offset + needle.count].elementsEqual(needle) { return offset }
        offset -= 1
    }
    return nil
}
