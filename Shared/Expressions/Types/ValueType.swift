/// The type of a value as the checker knows it.
public indirect enum ValueType: Hashable, Sendable {
    /// Known only when the expression runs.
    case dyn
    case null
    case bool
    case int
    case uint
    case double
    case string
    case bytes
    case timestamp
    case duration
    /// Exact decimal number: an extension of this library.
    case decimal
    case list(ValueType)
    case map(key: ValueType, value: ValueType)
    case optional(ValueType)
    /// The type of a type: `type(1)`.
    case type(ValueType)
    /// The value or null (`google.protobuf.Int64Value` and its like).
    case nullable(ValueType)
    /// A map whose keys are known.
    case object(ObjectType)
    /// A type variable of a function's signature or of a checked expression.
    case parameter(Int)
    /// Stands for what could not be checked, so that one mistake is reported once.
    case error
}

/// An object whose fields are known, say from a schema: selecting any other field is a compile-time error.
public struct ObjectType: Hashable, Sendable {
    /// A field and the type that its value must have; `.dyn` where it may have any.
    public struct Field: Hashable, Sendable {
        public let name: String
        public let type: ValueType

        public init(_ name: String, _ type: ValueType) {
            self.name = name
            self.type = type
        }
    }

    /// How messages call it.
    public let name: String
    /// In any order; the names are distinct.
    public let fields: [Field]

    public init(name: String, fields: [Field]) {
        self.name = name
        self.fields = fields
    }

    func type(of field: String) -> ValueType? {
        fields.first { $0.name == field }?.type
    }
}

extension ValueType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dyn: "dyn"
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .decimal: "decimal"
        case .list(let element): "list(\(element))"
        case .map(let key, let value): "map(\(key), \(value))"
        case .optional(let wrapped): "optional_type(\(wrapped))"
        case .type(let type): "type(\(type))"
        case .nullable(let wrapped): "wrapper(\(wrapped))"
        case .object(let object): object.name
        case .parameter(let number): Self.parameterName(number)
        case .error: "!error!"
        }
    }

    private static func parameterName(_ number: Int) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        return letters.indices.contains(number) ? String(letters[number]) : "_\(number)"
    }

    var isDynamic: Bool { self == .dyn || self == .error }

    /// Whether values of the type are single ones, without a null of their own.
    var isScalar: Bool {
        switch self {
        case .bool, .int, .uint, .double, .string, .bytes, .decimal, .timestamp, .duration: true
        default: false
        }
    }
}

extension ValueType {
    /// Reads a type as it is written in declarations: `int`, `list(string)` or `list<string>`, `map(string, dyn)`,
    /// `optional_type(int)`, `timestamp`, the names of protobuf's well-known types. Returns nil for anything else.
    public init?(_ name: String) {
        var reader = TypeReader(text: Array(name.utf8))
        guard let type = reader.type(), reader.isAtEnd else { return nil }
        self = type
    }
}

/// Reads types; single capital letters are type variables, as in the signatures of functions.
struct TypeReader {
    let text: [UInt8]
    var position = 0
    private var depth = 0

    init(text: [UInt8]) {
        self.text = text
    }

    var isAtEnd: Bool {
        mutating get {
            skipBlanks()
            return position == text.count
        }
    }

    mutating func skipBlanks() {
        while position < text.count, text[position] == UInt8(ascii: " ") { position += 1 }
    }

    mutating func skip(_ character: Character) -> Bool {
        skipBlanks()
        guard position < text.count, text[position] == character.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func name() -> String {
        skipBlanks()
        let start = position
        while position < text.count,
            text[position].isLetter || text[position].isDigit || "_.@".utf8.contains(text[position])
        {
            position += 1
        }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    /// All up to the parenthesis: operators are called `_+_`.
    mutating func functionName() -> String {
        let name = text[position...].prefix { $0 != UInt8(ascii: "(") }
        position += name.count
        return String(decoding: name, as: UTF8.self)
    }

    mutating func type() -> ValueType? {
        guard depth < 32 else { return nil }
        depth += 1
        defer { depth -= 1 }
        let name = name()
        if name.utf8.count == 1, let letter = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter)
        {
            return .parameter(Int(letter - UInt8(ascii: "A")))
        }
        if let simple = Self.simple[name] { return simple }
        var parameters: [ValueType] = []
        let isAngular = skip("<")
        if isAngular || skip("(") {
            repeat {
                guard let parameter = type() else { return nil }
                parameters.append(parameter)
            } while skip(",")
            guard skip(isAngular ? ">" : ")") else { return nil }
        }
        return Self.generic(name, parameters)
    }

    private static func generic(_ name: String, _ parameters: [ValueType]) -> ValueType? {
        switch (name, parameters.count) {
        case ("list", 0): .list(.dyn)
        case ("list", 1): .list(parameters[0])
        case ("map", 0): .map(key: .dyn, value: .dyn)
        case ("map", 2): .map(key: parameters[0], value: parameters[1])
        case ("optional_type", 1), ("optional", 1): .optional(parameters[0])
        case ("optional_type", 0), ("optional", 0): .optional(.dyn)
        case ("type", 0): .type(.dyn)
        case ("type", 1): .type(parameters[0])
        case ("wrapper", 1), ("nullable", 1): .nullable(parameters[0])
        default: nil
        }
    }

    private static let simple: [String: ValueType] = [
        "dyn": .dyn, "any": .dyn, "null": .null, "null_type": .null, "bool": .bool, "int": .int, "uint": .uint,
        "double": .double, "string": .string, "bytes": .bytes, "timestamp": .timestamp, "duration": .duration,
        "decimal": .decimal,
        "google.protobuf.Timestamp": .timestamp, "google.protobuf.Duration": .duration,
        "google.protobuf.Any": .dyn, "google.protobuf.Value": .dyn, "google.protobuf.NullValue": .null,
        "google.protobuf.Struct": .map(key: .string, value: .dyn), "google.protobuf.ListValue": .list(.dyn),
        "google.protobuf.BoolValue": .nullable(.bool), "google.protobuf.BytesValue": .nullable(.bytes),
        "google.protobuf.DoubleValue": .nullable(.double), "google.protobuf.FloatValue": .nullable(.double),
        "google.protobuf.Int32Value": .nullable(.int), "google.protobuf.Int64Value": .nullable(.int),
        "google.protobuf.StringValue": .nullable(.string), "google.protobuf.UInt32Value": .nullable(.uint),
        "google.protobuf.UInt64Value": .nullable(.uint),
    ]
}
