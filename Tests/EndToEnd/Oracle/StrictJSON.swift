import Foundation

/// JSON by the letter of RFC 8259, without duplicate keys, read the plain way: the oracle's own, so that it does not believe what
/// the services' reader believes.
indirect enum StrictJSON: Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([StrictJSON])
    case object([Member])

    struct Member: Equatable {
        var key: String
        var value: StrictJSON
    }

    /// nil where the bytes are not exactly one value.
    init?(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var parser = Parser(bytes: bytes)
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        guard parser.position == bytes.count else { return nil }
        self = value
    }

    subscript(_ key: String) -> StrictJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    var integer: Int64? {
        if case .number(let text) = self { return Int64(text) }
        return nil
    }

    var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
        }

        mutating func take(_ text: String) -> Bool {
            var next = position
            for unit in text.utf8 {
                guard next < bytes.count, bytes[next] == unit else { return false }
                next += 1
            }
            position = next
            return true
        }

        mutating func value(depth: Int) -> StrictJSON? {
            if depth > 128 { return nil }
            skipSpace()
            switch byte {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string().map { .string($0) }
            case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
            case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
            case UInt8(ascii: "n"): return take("null") ? .null : nil
            default: return number()
            }
        }

        mutating func object(depth: Int) -> StrictJSON? {
            position += 1
            var members: [Member] = []
            skipSpace()
            if byte == UInt8(ascii: "}") {
                position += 1
                return .object([])
            }
            while true {
                skipSpace()
                guard byte == UInt8(ascii: "\""), let key = string(), !members.contains(where: { $0.key == key }) else {
                    return nil
                }
                skipSpace()
                guard take(":"), let value = value(depth: depth + 1) else { return nil }
                members.append(Member(key: key, value: value))
                skipSpace()
                if take("}") { return .object(members) }
                guard take(",") else { return nil }
            }
        }

        mutating func array(depth: Int) -> StrictJSON? {
            position += 1
            var elements: [StrictJSON] = []
            skipSpace()
            if take("]") { return .array([]) }
            while true {
                guard let value = value(depth: depth + 1) else { return nil }
                elements.append(value)
                skipSpace()
                if take("]") { return .array(elements) }
                guard take(",") else { return nil }
            }
        }

        mutating func number() -> StrictJSON? {
            let start = position
            _ = take("-")
            if !take("0") {
                guard digits() > 0 else { return nil }
            }
            if take("."), digits() == 0 { return nil }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                if digits() == 0 { return nil }
            }
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        }

        mutating func digits() -> Int {
            let start = position
            while let byte, (0x30...0x39).contains(byte) { position += 1 }
            return position - start
        }

        mutating func string() -> String? {
            position += 1
            var units: [UInt8] = []
            while let byte {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escape = escape() else { return nil }
                    units += Array(String(escape).utf8)
                case ..<0x20: return nil
                default: units.append(byte)
                }
            }
            return nil
        }

        mutating func escape() -> Unicode.Scalar? {
            guard let byte else { return nil }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"):
                guard let high = hexadecimal() else { return nil }
                guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) }
                guard take("\\u"), let low = hexadecimal(), (0xDC00..<0xE000).contains(low) else { return nil }
                return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            default: return nil
            }
        }

        mutating func hexadecimal() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
            guard digits.allSatisfy(\.isHexDigit) else { return nil }
            position += 4
            return UInt32(digits, radix: 16)
        }
    }
}
