/// Why bytes are not one JSON value (RFC 8259), and at which byte.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the grammar, or a limit, objects to.
    public enum Reason: Sendable, Equatable {
        /// Something else stands where the grammar wants `what`; `found` is nil at the end of the input.
        case expected(Expectation, found: UInt8?)
        /// The string's closing quote is missing.
        case unterminatedString
        /// A byte below 0x20 within a string; it must be escaped.
        case controlCharacter(UInt8)
        /// After the backslash stands none of `"\/bfnrtu`, or `u` is not followed by four hexadecimal digits.
        case invalidEscape
        /// Half of a surrogate pair: no Unicode text has it.
        case loneSurrogate
        /// Bytes that are not UTF-8: overlong, a surrogate, beyond U+10FFFF or cut short.
        case invalidUTF8
        /// Objects and arrays are nested deeper than the limit.
        case tooDeep(limit: Int)
        /// The object has this key twice.
        case duplicateKey(String)
        /// The input is longer than 2 GiB.
        case tooLong
    }

    /// What the grammar wants at a place.
    public enum Expectation: String, Sendable {
        case value = "a value"
        case key = "a key in quotes"
        case keyOrEnd = "a key in quotes or '}'"
        case colon = "':' after the key"
        case commaOrBrace = "',' or '}'"
        case commaOrBracket = "',' or ']'"
        case digit = "a digit"
        case end = "nothing more after the value"
    }

    public let reason: Reason
    /// The byte, counted from 0, at which it went wrong.
    public let offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        "\(what) at byte \(offset)"
    }

    /// The same by line and column, both counted from 1, for a text of several lines: a file.
    ///
    /// - Parameter text: the bytes that were read; the column counts characters.
    public func description(in text: UnsafeRawBufferPointer) -> String {
        let before = text.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
        return "\(what) at line \(line), column \(column)"
    }

    private var what: String {
        switch reason {
        case .expected(let expectation, let found):
            "expected \(expectation.rawValue), found \(found.map(JSONError.name) ?? "the end of the input")"
        case .unterminatedString: "string without its closing quote"
        case .controlCharacter(let byte): "control character \(JSONError.name(byte)) in a string"
        case .invalidEscape: "invalid escape in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .invalidUTF8: "invalid UTF-8"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .duplicateKey(let key): "duplicate key \"\(key)\""
        case .tooLong: "input longer than 2 GiB"
        }
    }

    private static func name(_ byte: UInt8) -> String {
        if byte > 0x20, byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "0x" + (digits.count == 1 ? "0" : "") + digits
    }
}
