public import JSON

/// What an expression works on and yields.
///
/// ```swift
/// context.set("regions", ["eu": "EU", "us": "US"])            // a map, by literals
/// context.set("limit", .decimal(limit))
/// if case .string(let text) = try expression.evaluate(in: context) { use(text.string) }
/// ```
public enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(Text)
    case bytes([UInt8])
    case list([Value])
    case map(ValueMap)
    case timestamp(Instant)
    /// Nanoseconds: some 292 years to either side, as in the reference implementation.
    case duration(nanoseconds: Int64)
    case decimal(Decimal)
    case type(ValueType)
    indirect case optional(Value?)
    /// A number of a JSON document that is no integer: a double everywhere, but `decimal(x)` reads its text.
    case number(JSONNumber)
}

/// A JSON number with a fraction or an exponent: its text, which `decimal(x)` reads, and the nearest double.
public struct JSONNumber: Sendable {
    public let text: Text
    public let double: Double

    /// Nil if the text is not a number.
    public init?(text: Text) {
        guard let double = Double(text.string) else { return nil }
        self.text = text
        self.double = double
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(Text(value)) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: Value...) { self = .list(elements) }

    /// Keys that a map cannot have are left out; of equal keys the last one stays.
    public init(dictionaryLiteral elements: (Value, Value)...) {
        var map = ValueMap()
        for (key, value) in elements { _ = map.set(key, value) }
        self = .map(map)
    }
}

extension Value {
    /// What `type(x)` answers.
    public var type: ValueType {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double, .number: .double
        case .string: .string
        case .bytes: .bytes
        case .list: .list(.dyn)
        case .map: .map(key: .dyn, value: .dyn)
        case .timestamp: .timestamp
        case .duration: .duration
        case .decimal: .decimal
        case .type: .type(.dyn)
        case .optional: .optional(.dyn)
        }
    }

    /// A JSON number as the double that it is to every function but `decimal`.
    var plain: Value {
        if case .number(let number) = self { return .double(number.double) }
        return self
    }

    /// Whether the value is what its type starts from: false, 0, "", [], {} or null.
    var isZero: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .number(let value): value.double == 0
        case .string(let value): value.utf8.isEmpty
        case .bytes(let value): value.isEmpty
        case .list(let value): value.isEmpty
        case .map(let value): value.isEmpty
        case .timestamp(let value): value == .epoch
        case .duration(let value): value == 0
        case .decimal(let value): value.isZero
        case .type: false
        case .optional(let value): value == nil
        }
    }
}

extension ValueType {
    /// The name that `type(x)` prints: parameters are left out.
    public var reflectedName: String {
        switch self {
        case .list: "list"
        case .map, .object: "map"
        case .optional: "optional_type"
        case .type: "type"
        default: description
        }
    }
}
