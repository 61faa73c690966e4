extension OutputBuffer {
    /// A JSON string of the bytes in base64, padded (RFC 4648, section 4), with its quotes.
    public func appendBase64(_ bytes: UnsafeRawBufferPointer) {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let letters = alphabet.utf8Start
        append(UInt8(ascii: "\""))
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
        append(UInt8(ascii: "\""))
    }
}
