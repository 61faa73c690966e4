/// Base64 with the standard alphabet (RFC 4648, section 4).
public enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// The text, padded.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        bytes.withUnsafeBytes { bytes in encode(bytes) { text.append($0) } }
        return text
    }

    @inline(__always)
    static func encode(_ bytes: UnsafeRawBufferPointer, _ append: (UInt8) -> Void) {
        let letters = alphabet.utf8Start
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let word =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            append(letters[Int(word >> 18)])
            append(letters[Int(word >> 12 & 63)])
            append(left > 1 ? letters[Int(word >> 6 & 63)] : UInt8(ascii: "="))
            append(left > 2 ? letters[Int(word & 63)] : UInt8(ascii: "="))
            index += 3
        }
    }

    /// The bytes that the text stands for; nil where it is not base64. Padding may be missing, unless it is required.
    public static func decode(_ text: UnsafeRawBufferPointer, requiresPadding: Bool = false) -> [UInt8]? {
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        let isPadded = count < text.count || requiresPadding
        guard count % 4 != 1, !isPadded || text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var bitCount = 0
        for digit in text[..<count] {
            guard let value = sextet(digit) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return bytes
    }

    private static func sextet(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension OutputBuffer {
    /// A JSON string of the bytes in base64, with its quotes.
    public func appendBase64(_ bytes: UnsafeRawBufferPointer) {
        append(UInt8(ascii: "\""))
        Base64.encode(bytes) { append($0) }
        append(UInt8(ascii: "\""))
    }
}
