/// Splits an expression into tokens, by the lexis of the CEL language definition.
struct Lexer {
    private let source: [UInt8]
    private var position = 0

    static func tokens(of source: SourceText) throws(SyntaxError) -> [Token] {
        var lexer = Lexer(source: source.utf8)
        var tokens: [Token] = []
        repeat {
            tokens.append(try lexer.next())
        } while tokens.last?.kind != .end
        return tokens
    }

    private init(source: [UInt8]) {
        self.source = source
    }

    private func byte(_ ahead: Int = 0) -> UInt8 {
        position + ahead < source.count ? source[position + ahead] : 0
    }

    private mutating func next() throws(SyntaxError) -> Token {
        skipBlanksAndComments()
        let start = position
        guard position < source.count else { return Token(kind: .end, offset: start) }
        let kind: Token.Kind
        switch byte() {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            kind = try number()
        case UInt8(ascii: ".") where byte(1).isDigit:
            kind = try number()
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            kind = try literal(isRaw: false, isBytes: false)
        case UInt8(ascii: "`"):
            kind = try quotedIdentifier()
        case let first where first.isLetter || first == UInt8(ascii: "_"):
            kind = try prefixedLiteral() ?? identifier()
        default:
            kind = .punctuation(try punctuation())
        }
        return Token(kind: kind, offset: start)
    }

    private mutating func skipBlanksAndComments() {
        while position < source.count {
            switch byte() {
            case 0x20, 0x09, 0x0A, 0x0C, 0x0D:
                position += 1
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while position < source.count, byte() != 0x0A { position += 1 }
            default:
                return
            }
        }
    }

    private mutating func identifier() -> Token.Kind {
        let start = position
        while byte().isLetter || byte().isDigit || byte() == UInt8(ascii: "_") { position += 1 }
        return .identifier(String(decoding: source[start..<position], as: UTF8.self))
    }

    private mutating func quotedIdentifier() throws(SyntaxError) -> Token.Kind {
        let start = position
        position += 1
        while byte() != UInt8(ascii: "`") {
            let allowed = byte().isLetter || byte().isDigit || "_.-/ ".utf8.contains(byte())
            guard position < source.count, allowed else {
                throw SyntaxError(
                    message: "a quoted field name ends with '`' and holds A-Z a-z 0-9 _ . - / and space",
                    offset: start)
            }
            position += 1
        }
        position += 1
        guard position - start > 2 else {
            throw SyntaxError(message: "a quoted field name must not be empty", offset: start)
        }
        return .quotedIdentifier(String(decoding: source[start + 1..<position - 1], as: UTF8.self))
    }

    private mutating func punctuation() throws(SyntaxError) -> Punctuation {
        for length in [2, 1] where position + length <= source.count {
            let text = String(decoding: source[position..<position + length], as: UTF8.self)
            if let found = Punctuation(rawValue: text) {
                position += length
                return found
            }
        }
        let rest = String(decoding: source[position..<min(position + 4, source.count)], as: UTF8.self)
        let character = rest.first.map(String.init) ?? ""
        throw SyntaxError(message: "'\(character)' is not part of the language", offset: position)
    }
}

// MARK: - Numbers

extension Lexer {
    private mutating func number() throws(SyntaxError) -> Token.Kind {
        let start = position
        if byte() == UInt8(ascii: "0"), byte(1) | 0x20 == UInt8(ascii: "x"), byte(2).hexValue != nil {
            position += 2
            var value: UInt64 = 0
            while let digit = byte().hexValue {
                guard value >> 60 == 0 else {
                    throw SyntaxError(message: "the number does not fit into 64 bits", offset: start)
                }
                value = value << 4 | UInt64(digit)
                position += 1
            }
            return try integer(value, start: start)
        }
        while byte().isDigit { position += 1 }
        var isDouble = false
        if byte() == UInt8(ascii: "."), byte(1).isDigit {
            isDouble = true
            position += 1
            while byte().isDigit { position += 1 }
        }
        if byte() | 0x20 == UInt8(ascii: "e") {
            let signed = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-")
            if byte(signed ? 2 : 1).isDigit {
                isDouble = true
                position += signed ? 2 : 1
                while byte().isDigit { position += 1 }
            }
        }
        let text = String(decoding: source[start..<position], as: UTF8.self)
        if isDouble {
            guard let value = Double(text), value.isFinite else {
                throw SyntaxError(message: "'\(text)' does not fit into a double", offset: start)
            }
            try requireNoLetter(after: start)
            return .double(value)
        }
        guard let value = UInt64(text) else {
            throw SyntaxError(message: "the number does not fit into 64 bits", offset: start)
        }
        return try integer(value, start: start)
    }

    private mutating func integer(_ value: UInt64, start: Int) throws(SyntaxError) -> Token.Kind {
        let isUnsigned = byte() | 0x20 == UInt8(ascii: "u")
        if isUnsigned { position += 1 }
        try requireNoLetter(after: start)
        return isUnsigned ? .uint(value) : .int(value)
    }

    private func requireNoLetter(after start: Int) throws(SyntaxError) {
        if byte().isLetter || byte().isDigit || byte() == UInt8(ascii: "_") {
            throw SyntaxError(message: "a number must not run into a name", offset: start)
        }
    }
}

// MARK: - Strings and bytes

extension Lexer {
    /// A literal that starts with r, b or both; nil if the letters are a name.
    private mutating func prefixedLiteral() throws(SyntaxError) -> Token.Kind? {
        var isRaw = false
        var isBytes = false
        var length = 0
        while length < 2 {
            let letter = byte(length) | 0x20
            if letter == UInt8(ascii: "r"), !isRaw {
                isRaw = true
            } else if letter == UInt8(ascii: "b"), !isBytes {
                isBytes = true
            } else {
                break
            }
            length += 1
        }
        guard length > 0, byte(length) == UInt8(ascii: "\"") || byte(length) == UInt8(ascii: "'") else { return nil }
        position += length
        return try literal(isRaw: isRaw, isBytes: isBytes)
    }

    private mutating func literal(isRaw: Bool, isBytes: Bool) throws(SyntaxError) -> Token.Kind {
        let start = position
        let quote = byte()
        let isTriple = byte(1) == quote && byte(2) == quote
        position += isTriple ? 3 : 1
        var contents: [UInt8] = []
        while true {
            guard position < source.count else {
                throw SyntaxError(message: "the string is not closed", offset: start)
            }
            let next = byte()
            if next == quote, !isTriple || (byte(1) == quote && byte(2) == quote) {
                position += isTriple ? 3 : 1
                break
            }
            if !isTriple, next == 0x0A || next == 0x0D {
                throw SyntaxError(
                    message: "the string is not closed on its line (write \\n, or use three quotes)", offset: start)
            }
            if next == UInt8(ascii: "\\"), !isRaw {
                try escape(into: &contents, isBytes: isBytes)
            } else {
                contents.append(byte())
                position += 1
            }
        }
        return isBytes ? .bytes(contents) : .string(Text(validUTF8: contents))
    }

    private mutating func escape(into contents: inout [UInt8], isBytes: Bool) throws(SyntaxError) {
        let start = position
        let letter = byte(1)
        position += 2
        switch letter {
        case UInt8(ascii: "a"): contents.append(0x07)
        case UInt8(ascii: "b"): contents.append(0x08)
        case UInt8(ascii: "f"): contents.append(0x0C)
        case UInt8(ascii: "n"): contents.append(0x0A)
        case UInt8(ascii: "r"): contents.append(0x0D)
        case UInt8(ascii: "t"): contents.append(0x09)
        case UInt8(ascii: "v"): contents.append(0x0B)
        case UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
            contents.append(letter)
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            let value = try digits(2, radix: 16, start: start)
            try append(value, asByte: isBytes, to: &contents, start: start)
        case UInt8(ascii: "0")...UInt8(ascii: "3"):
            position -= 1
            let value = try digits(3, radix: 8, start: start)
            try append(value, asByte: isBytes, to: &contents, start: start)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            // In bytes too: the code point's UTF-8.
            let value = try digits(letter == UInt8(ascii: "u") ? 4 : 8, radix: 16, start: start)
            try append(value, asByte: false, to: &contents, start: start)
        default:
            throw SyntaxError(message: "unknown escape in a string", offset: start)
        }
    }

    private mutating func digits(_ count: Int, radix: UInt32, start: Int) throws(SyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = byte().hexValue, UInt32(digit) < radix else {
                throw SyntaxError(message: "the escape needs \(count) digits", offset: start)
            }
            value = value &* radix &+ UInt32(digit)
            position += 1
        }
        return value
    }

    private func append(_ value: UInt32, asByte: Bool, to contents: inout [UInt8], start: Int) throws(SyntaxError) {
        if asByte {
            contents.append(UInt8(truncatingIfNeeded: value))
        } else if let scalar = Unicode.Scalar(value) {
            contents.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        } else {
            throw SyntaxError(message: "the escape is not a Unicode scalar value", offset: start)
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
    var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
    var hexValue: UInt8? {
        if isDigit { return self - UInt8(ascii: "0") }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }
}
