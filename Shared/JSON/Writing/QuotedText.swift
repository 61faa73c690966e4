extension OutputBuffer {
    /// A JSON string with its quotes: the text escaped where JSON asks for it.
    ///
    /// Any bytes will do: what is not UTF-8 becomes U+FFFD, so that a dead letter can quote what was refused.
    public func appendQuoted(_ utf8: UnsafeRawBufferPointer) {
        if appendPlain(utf8) { return }
        append(UInt8(ascii: "\""))
        appendEscaped(utf8)
        append(UInt8(ascii: "\""))
    }

    /// A JSON string of a text that is known to need no escapes: see ``isPlain(_:)``.
    @inlinable @inline(__always)
    public func appendQuoted(plain utf8: UnsafeRawBufferPointer) {
        write(atMost: utf8.count &+ 2) { target in
            target.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
            if let base = utf8.baseAddress { ShortCopy.copy(base, to: target + 1, count: utf8.count) }
            target.storeBytes(of: UInt8(ascii: "\""), toByteOffset: utf8.count &+ 1, as: UInt8.self)
            return utf8.count &+ 2
        }
    }

    /// The number as a JSON string.
    public func appendQuoted(_ decimal: Decimal) {
        write(atMost: Decimal.maximumByteCount + 2) { target in
            target.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
            let end = decimal.write(to: target + 1) &+ 1
            target.storeBytes(of: UInt8(ascii: "\""), toByteOffset: end, as: UInt8.self)
            return end &+ 1
        }
    }

    /// Whether a text is ASCII that stands in a JSON string as it is. (The bytes of a string of a record that has no escapes do so, too.)
    public static func isPlain(_ utf8: UnsafeRawBufferPointer) -> Bool {
        guard let base = utf8.baseAddress else { return true }
        return JSONText(base: base, count: utf8.count).plainEnd(from: 0) == utf8.count
    }

    /// Appends a short text and its quotes if nothing in it is to be escaped.
    @inline(__always)
    private func appendPlain(_ utf8: UnsafeRawBufferPointer) -> Bool {
        guard let base = utf8.baseAddress, utf8.count <= 16, utf8.count > 0 else { return false }
        let text = TextFingerprint(base, count: utf8.count)
        // Zeros behind a text of less than eight bytes count as spaces.
        let low = utf8.count < 8 ? text.low | 0x2020_2020_2020_2020 &<< UInt64(utf8.count &* 8) : text.low
        let high = utf8.count > 8 ? text.high : 0x2020_2020_2020_2020
        guard JSONText.specials(in: low) | JSONText.specials(in: high) == 0 else { return false }
        // The words are stored whole; what follows overwrites what is too much.
        reserve(18)
        let target = end
        target.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
        target.storeBytes(of: text.low.littleEndian, toByteOffset: 1, as: UInt64.self)
        if utf8.count > 8 {
            target.storeBytes(of: text.high.littleEndian, toByteOffset: utf8.count &- 7, as: UInt64.self)
        }
        target.storeBytes(of: UInt8(ascii: "\""), toByteOffset: utf8.count &+ 1, as: UInt8.self)
        advance(by: utf8.count &+ 2)
        return true
    }

    /// Appends a JSON string: quotes, and escapes where the grammar wants them.
    public func appendQuoted(_ text: String) {
        var text = text
        text.withUTF8 { appendQuoted(UnsafeRawBufferPointer($0)) }
    }

    /// The content of a JSON string, without quotes.
    public func appendEscaped(_ utf8: UnsafeRawBufferPointer) {
        guard let base = utf8.baseAddress else { return }
        let text = JSONText(base: base, count: utf8.count)
        var position = 0
        while position < text.count {
            position = appendWords(text, from: position)
            let plain = text.plainEnd(from: position)
            if plain > position { append(base + position, count: plain &- position) }
            position = plain
            guard position < text.count else { return }
            let byte = text[position]
            if byte < 0x80 {
                appendEscape(byte)
                position &+= 1
            } else {
                let length = UTF8Sequence.length(base + position, available: text.count &- position)
                if length == 0 {
                    append("\u{FFFD}" as StaticString)
                    position &+= 1
                } else {
                    append(base + position, count: length)
                    position &+= length
                }
            }
        }
    }

    /// Appends what it can by words of eight bytes, quotes and backslashes escaped, and returns where it came to: JSON within JSON, as
    /// in a dead letter, is quotes every few bytes.
    @inline(__always)
    private func appendWords(_ text: JSONText, from start: Int) -> Int {
        var position = start
        while position &+ 8 <= text.count {
            // Each byte may become two; room is made for a part at a time, so that a long text does not double the buffer.
            let partEnd = min(text.count, position &+ 4096)
            reserve(2 &* (partEnd &- position) &+ 8)
            let first = end
            var target = first
            while position &+ 8 <= partEnd {
                let word = text.word(at: position)
                // Stored whole; what follows overwrites what is too much.
                target.storeBytes(of: word.littleEndian, as: UInt64.self)
                let specials = JSONText.specials(in: word)
                if specials == 0 {
                    target += 8
                    position &+= 8
                    continue
                }
                let plain = specials.trailingZeroBitCount >> 3
                target += plain
                position &+= plain
                let byte = text[position]
                guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
                    advance(by: target - first)
                    return position
                }
                target.storeBytes(of: (0x5C | UInt16(byte) &<< 8).littleEndian, as: UInt16.self)
                target += 2
                position &+= 1
            }
            advance(by: target - first)
            if partEnd == text.count { break }
        }
        return position
    }

    private func appendEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append(#"\""# as StaticString)
        case UInt8(ascii: "\\"): append(#"\\"# as StaticString)
        case 0x08: append(#"\b"# as StaticString)
        case 0x09: append(#"\t"# as StaticString)
        case 0x0A: append(#"\n"# as StaticString)
        case 0x0C: append(#"\f"# as StaticString)
        case 0x0D: append(#"\r"# as StaticString)
        default:
            append(#"\u00"# as StaticString)
            append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let digit = byte & 0xF
            append(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }
}
