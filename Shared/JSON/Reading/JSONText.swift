/// The grammar of RFC 8259 below values: white space, strings and numbers, over bytes that are not yet trusted.
///
/// Strings go eight bytes at a time: one word test finds the quote, the backslash, control characters and the first byte that is not
/// ASCII, so that strict UTF-8 costs nothing while the text is ASCII.
struct JSONText {
    let base: UnsafeRawPointer
    let count: Int

    @inline(__always)
    subscript(_ offset: Int) -> UInt8 {
        base.load(fromByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    func byte(at offset: Int) -> UInt8? {
        offset < count ? self[offset] : nil
    }

    /// Eight bytes in the order of memory, the first in the lowest bits.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    func skipWhitespace(from offset: Int) -> Int {
        var position = offset
        while position < count {
            let byte = self[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
            position &+= 1
        }
        return position
    }

    func unexpected(_ expectation: JSONError.Expectation, at offset: Int) -> JSONError {
        JSONError(.expected(expectation, found: byte(at: offset)), at: offset)
    }

    // MARK: Strings

    /// The offset of the closing quote of the string whose content begins at `start`.
    @inline(__always)
    func string(from start: Int, flags: inout JSONFlags) throws(JSONError) -> Int {
        var position = start
        while true {
            position = plainEnd(from: position)
            guard position < count else { throw JSONError(.unterminatedString, at: start &- 1) }
            let byte = self[position]
            if byte == UInt8(ascii: "\"") { return position }
            position = try special(byte, at: position, flags: &flags)
        }
    }

    /// The first byte from `start` on that is a quote, a backslash, a control character or not ASCII; `count` where none is.
    @inline(__always)
    func plainEnd(from start: Int) -> Int {
        var position = start
        while position &+ 8 <= count {
            let hits = JSONText.specials(in: word(at: position))
            if hits != 0 { return position &+ hits.trailingZeroBitCount >> 3 }
            position &+= 8
        }
        while position < count {
            let byte = self[position]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte >= 0x80 { break }
            position &+= 1
        }
        return position
    }

    /// Of eight bytes, the highest bit of the first that is a quote, a backslash, a control character or not ASCII; what it says of those
    /// after it is no matter.
    @inline(__always)
    static func specials(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Exclusive or with 2 brings the quote next to the control characters: one comparison for both. Bytes above 0x7F
        // always hit, so what the subtractions make of them is no matter; a borrow comes from a hit alone and can only
        // spoil bytes after it.
        let quotes = (word ^ (ones &* 0x02)) &- ones &* 0x21
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        return (quotes | backslashes | word) & (ones &* 0x80)
    }

    /// Steps over an escape or a character of several bytes.
    @inline(never)
    private func special(_ byte: UInt8, at position: Int, flags: inout JSONFlags) throws(JSONError) -> Int {
        if byte == UInt8(ascii: "\\") {
            flags.insert(.escapes)
            return try escape(at: position)
        }
        if byte < 0x20 { throw JSONError(.controlCharacter(byte), at: position) }
        flags.insert(.nonASCII)
        let length = UTF8Sequence.length(base + position, available: count &- position)
        if length == 0 { throw JSONError(.invalidUTF8, at: position) }
        // More of the same script follows, as a rule.
        var next = position &+ length
        while next < count, self[next] >= 0x80 {
            let length = UTF8Sequence.length(base + next, available: count &- next)
            if length == 0 { throw JSONError(.invalidUTF8, at: next) }
            next &+= length
        }
        return next
    }

    private func escape(at position: Int) throws(JSONError) -> Int {
        switch byte(at: position &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return position &+ 2
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal(at: position &+ 2) else { throw JSONError(.invalidEscape, at: position) }
            if unit & 0xF800 != 0xD800 { return position &+ 6 }
            guard unit < 0xDC00, byte(at: position &+ 6) == UInt8(ascii: "\\"),
                byte(at: position &+ 7) == UInt8(ascii: "u"), let low = hexadecimal(at: position &+ 8),
                low & 0xFC00 == 0xDC00
            else { throw JSONError(.loneSurrogate, at: position) }
            return position &+ 12
        default:
            throw JSONError(.invalidEscape, at: position)
        }
    }

    /// The four hexadecimal digits at `offset`.
    func hexadecimal(at offset: Int) -> UInt32? {
        guard offset &+ 4 <= count else { return nil }
        var value: UInt32 = 0
        for index in offset..<(offset &+ 4) {
            let byte = self[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- 0x30
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- 0x57
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- 0x37
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Numbers

    /// The end of the number that begins at `start` (RFC 8259, section 6).
    @inline(__always)
    func number(from start: Int, flags: inout JSONFlags) throws(JSONError) -> Int {
        var position = start
        if self[position] == UInt8(ascii: "-") { position &+= 1 }
        guard position < count else { throw unexpected(.digit, at: position) }
        let first = self[position] &- 0x30
        if first > 9 { throw unexpected(.digit, at: position) }
        position &+= 1
        // Nothing but a point or an exponent continues a zero at the front; the caller refuses the rest.
        if first != 0 { position = digits(from: position) }
        guard position < count else { return position }
        if self[position] == UInt8(ascii: ".") {
            flags.insert(.fraction)
            let digitsStart = position &+ 1
            position = digits(from: digitsStart)
            if position == digitsStart { throw unexpected(.digit, at: position) }
            guard position < count else { return position }
        }
        if self[position] | 0x20 == UInt8(ascii: "e") {
            flags.insert(.fraction)
            position &+= 1
            if let sign = byte(at: position), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position &+= 1 }
            let digitsStart = position
            position = digits(from: digitsStart)
            if position == digitsStart { throw unexpected(.digit, at: position) }
        }
        return position
    }

    @inline(__always)
    private func digits(from start: Int) -> Int {
        var position = start
        while position < count, self[position] &- 0x30 <= 9 { position &+= 1 }
        return position
    }
}

/// Well-formed UTF-8 as the Unicode Standard's table 3-7 has it.
enum UTF8Sequence {
    /// The length of the sequence that begins at `start` with a byte above 0x7F; 0 where it is not well-formed.
    @inline(__always)
    static func length(_ start: UnsafeRawPointer, available: Int) -> Int {
        func byte(_ offset: Int) -> UInt8 { start.load(fromByteOffset: offset, as: UInt8.self) }
        func continues(_ offset: Int) -> Bool { byte(offset) & 0xC0 == 0x80 }
        let first = byte(0)
        switch first {
        case 0xC2...0xDF:
            return available >= 2 && continues(1) ? 2 : 0
        case 0xE0...0xEF:
            guard available >= 3, continues(1), continues(2) else { return 0 }
            if first == 0xE0 { return byte(1) >= 0xA0 ? 3 : 0 }  // overlong
            if first == 0xED { return byte(1) < 0xA0 ? 3 : 0 }  // surrogates
            return 3
        case 0xF0...0xF4:
            guard available >= 4, continues(1), continues(2), continues(3) else { return 0 }
            if first == 0xF0 { return byte(1) >= 0x90 ? 4 : 0 }
            if first == 0xF4 { return byte(1) < 0x90 ? 4 : 0 }  // beyond U+10FFFF
            return 4
        default:
            return 0
        }
    }
}
