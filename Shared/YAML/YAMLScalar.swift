/// A scalar's text, how it was written, and what it is by the core schema of YAML 1.2 (section 10.3.2).
///
/// Only `true`, `false`, `null`, `~` and numbers are anything but text: `no`, `on`, `0o9`, `1_000` and dates are text. Who
/// reads a scalar decides what it must be; nothing is converted on a guess.
public struct YAMLScalar: Sendable, Equatable {
    public enum Style: Sendable {
        case plain, singleQuoted, doubleQuoted, literal, folded
    }

    /// What a scalar is by the core schema.
    public enum Resolved: Sendable, Equatable {
        case null
        case boolean(Bool)
        case integer(Int64)
        /// A number with a fraction or an exponent, or one beyond 64 bits; its exact digits are in `text`.
        case float(Double)
        case string
    }

    public let text: String
    public let style: Style
    /// An explicit tag of the core schema, such as `tag:yaml.org,2002:str`.
    let tag: CoreTag?

    public init(_ text: String, style: Style = .plain) {
        self.init(text, style: style, tag: nil)
    }

    init(_ text: String, style: Style, tag: CoreTag?) {
        self.text = text
        self.style = style
        self.tag = tag
    }

    public var resolved: Resolved {
        switch tag {
        case .string: .string
        case nil where style != .plain: .string
        default: CoreSchema.resolve(text)
        }
    }

    /// The value in the words of an error message: `the number 5`, `the text "5"`.
    public var summary: String {
        switch resolved {
        case .null: "nothing"
        case .boolean, .integer, .float: text
        case .string: "\"\(text.count > 60 ? String(text.prefix(60)) + "..." : text)\""
        }
    }
}

/// The tags that a document may name; all others are refused, so that nothing is silently read as something else.
enum CoreTag: String, Sendable {
    case string = "tag:yaml.org,2002:str"
    case integer = "tag:yaml.org,2002:int"
    case float = "tag:yaml.org,2002:float"
    case boolean = "tag:yaml.org,2002:bool"
    case null = "tag:yaml.org,2002:null"
    case sequence = "tag:yaml.org,2002:seq"
    case mapping = "tag:yaml.org,2002:map"

    /// Whether a scalar's text is what its tag says; an integer is a float too.
    func accepts(_ text: String) -> Bool {
        switch (self, CoreSchema.resolve(text)) {
        case (.string, _), (.integer, .integer), (.float, .integer), (.float, .float), (.boolean, .boolean),
            (.null, .null):
            true
        default: false
        }
    }
}

/// The grammar of plain scalars in YAML 1.2's core schema.
enum CoreSchema {
    static func resolve(_ text: String) -> YAMLScalar.Resolved {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".nan", ".NaN", ".NAN": return .float(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .float(-.infinity)
        default: return number(Array(text.utf8)) ?? .string
        }
    }

    private static func number(_ bytes: [UInt8]) -> YAMLScalar.Resolved? {
        if bytes.starts(with: "0x".utf8) { return prefixed(bytes, radix: 16) }
        if bytes.starts(with: "0o".utf8) { return prefixed(bytes, radix: 8) }
        var rest = bytes[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = dropDigits(&rest)
        var fraction = 0
        let isInteger = rest.isEmpty
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = dropDigits(&rest)
        }
        guard whole + fraction > 0 else { return nil }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            guard dropDigits(&rest) > 0 else { return nil }
        }
        guard rest.isEmpty else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        return Double(text).map { .float($0) }
    }

    private static func prefixed(_ bytes: [UInt8], radix: Int) -> YAMLScalar.Resolved? {
        let digits = bytes.dropFirst(2)
        guard let first = digits.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self), radix: radix).map { .integer($0) }
    }

    private static func dropDigits(_ rest: inout ArraySlice<UInt8>) -> Int {
        let before = rest.count
        rest = rest.drop { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") }
        return before - rest.count
    }
}
