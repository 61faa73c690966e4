import JSON

/// A JSON value as a tree: slow, obvious, and made without any of the code under test.
indirect enum NaiveJSON: Equatable {
    case null
    case bool(Bool)
    /// The number as written.
    case number(String)
    case string(String)
    case array([NaiveJSON])
    case object([Member])

    struct Member: Equatable {
        let key: String
        let value: NaiveJSON

        static func == (left: Member, right: Member) -> Bool {
            Array(left.key.unicodeScalars) == Array(right.key.unicodeScalars) && left.value == right.value
        }
    }

    static func == (left: NaiveJSON, right: NaiveJSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        // Not String's own equality, which takes é for e and an accent.
        case (.string(let a), .string(let b)): Array(a.unicodeScalars) == Array(b.unicodeScalars)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }

    /// The tree of a value that a record has read.
    init(_ value: JSONValue) {
        switch value.kind {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = .number(String(decoding: value.bytes, as: UTF8.self))
        case .string: self = .string(value.string?.string ?? "?")
        case .array: self = .array(value.elements.map { NaiveJSON($0) })
        case .object: self = .object(value.members.map { Member(key: $0.key.string, value: NaiveJSON($0.value)) })
        }
    }
}

/// A recursive descent over Unicode scalars, straight from the grammar of RFC 8259.
struct NaiveParser {
    private struct Refused: Error {}

    private var rest: ArraySlice<Unicode.Scalar>
    private let maximumDepth: Int

    /// nil where the bytes are refused: malformed, nested too deep, or with a key twice.
    static func parse(_ bytes: [UInt8], maximumDepth: Int = JSONRecord.defaultMaximumDepth) -> NaiveJSON? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var parser = NaiveParser(rest: Array(text.unicodeScalars)[...], maximumDepth: maximumDepth)
        guard let value = try? parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        return parser.rest.isEmpty ? value : nil
    }

    private init(rest: ArraySlice<Unicode.Scalar>, maximumDepth: Int) {
        self.rest = rest
        self.maximumDepth = maximumDepth
    }

    private mutating func skipSpace() {
        while let next = rest.first, next == " " || next == "\n" || next == "\r" || next == "\t" { rest.removeFirst() }
    }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func require(_ text: String) throws {
        for scalar in text.unicodeScalars where !accept(scalar) { throw Refused() }
    }

    private mutating func value(depth: Int) throws -> NaiveJSON {
        skipSpace()
        switch rest.first {
        case "n":
            try require("null")
            return .null
        case "t":
            try require("true")
            return .bool(true)
        case "f":
            try require("false")
            return .bool(false)
        case "\"": return .string(try string())
        case "[":
            if depth >= maximumDepth { throw Refused() }
            try require("[")
            var elements: [NaiveJSON] = []
            skipSpace()
            if accept("]") { return .array([]) }
            repeat {
                elements.append(try value(depth: depth + 1))
                skipSpace()
            } while accept(",")
            try require("]")
            return .array(elements)
        case "{":
            if depth >= maximumDepth { throw Refused() }
            try require("{")
            var members: [NaiveJSON.Member] = []
            var keys: Set<[Unicode.Scalar]> = []
            skipSpace()
            if accept("}") { return .object([]) }
            repeat {
                skipSpace()
                let key = try string()
                guard keys.insert(Array(key.unicodeScalars)).inserted else { throw Refused() }
                skipSpace()
                try require(":")
                members.append(.init(key: key, value: try value(depth: depth + 1)))
                skipSpace()
            } while accept(",")
            try require("}")
            return .object(members)
        default: return .number(try number())
        }
    }

    private mutating func string() throws -> String {
        try require("\"")
        var units: [UInt16] = []
        while let next = rest.popFirst() {
            switch next {
            case "\"":
                guard let text = String(validating: units, as: UTF16.self) else { throw Refused() }
                return text
            case "\\":
                switch rest.popFirst() {
                case "\"": units.append(0x22)
                case "\\": units.append(0x5C)
                case "/": units.append(0x2F)
                case "b": units.append(8)
                case "f": units.append(12)
                case "n": units.append(10)
                case "r": units.append(13)
                case "t": units.append(9)
                case "u":
                    let digits = rest.prefix(4)
                    guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }),
                        let unit = UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
                    else { throw Refused() }
                    units.append(unit)
                    rest.removeFirst(4)
                default: throw Refused()
                }
            default:
                if next.value < 0x20 { throw Refused() }
                units += Array(String(next).utf16)
            }
        }
        throw Refused()
    }

    private mutating func digits() throws -> String {
        var text = ""
        while let next = rest.first, ("0"..."9").contains(next) {
            text.unicodeScalars.append(next)
            rest.removeFirst()
        }
        if text.isEmpty { throw Refused() }
        return text
    }

    private mutating func number() throws -> String {
        var text = accept("-") ? "-" : ""
        if accept("0") { text += "0" } else { text += try digits() }
        if accept(".") { text += "." + (try digits()) }
        if let letter = rest.first, letter == "e" || letter == "E" {
            text.unicodeScalars.append(letter)
            rest.removeFirst()
            if accept("+") { text += "+" } else if accept("-") { text += "-" }
            text += try digits()
        }
        return text
    }
}

extension JSONRecord {
    /// Reads a copy of the bytes, as long as `body` runs.
    func withRead<Result>(_ bytes: [UInt8], _ body: (JSONValue) throws -> Result) throws -> Result {
        try bytes.withUnsafeBytes { bytes in
            try read(bytes)
            defer { clear() }
            return try body(root)
        }
    }

    func withRead<Result>(_ text: String, _ body: (JSONValue) throws -> Result) throws -> Result {
        try withRead(Array(text.utf8), body)
    }
}
