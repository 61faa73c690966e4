import Glibc
import JSON

/// `format`: %s %d %f %e %b %o %x %X %%, with a precision for %f and %e.
extension FunctionLibrary {
    static func formatted(
        _ format: Text, _ arguments: [Value], _ context: EvaluationContext
    ) throws(EvaluationError) -> Text {
        var result: [UInt8] = []
        var next = 0
        var rest = format.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "%") {
                rest.removeFirst()
                result.append(byte)
                continue
            }
            let precision = try readPrecision(&rest)
            guard let clause = rest.popFirst() else { throw .invalid("format(): unexpected end of the format string") }
            guard next < arguments.count else { throw .invalid("format(): index \(next) out of range") }
            try context.charge(traversing: arguments[next])
            let text = try formatClause(clause, arguments[next].plain, precision: precision)
            next += 1
            try context.charge(1 + text.utf8.count / 10)
            result += text.utf8
        }
        try context.charge(bytes: result.count)
        guard let text = Text(utf8: result) else { throw .invalid("format(): the result is invalid UTF-8") }
        return text
    }

    private static func readPrecision(_ rest: inout ArraySlice<UInt8>) throws(EvaluationError) -> Int? {
        guard rest.first == UInt8(ascii: ".") else { return nil }
        rest.removeFirst()
        var precision: Int?
        while let digit = rest.first, digit.isDigit {
            precision = (precision ?? 0) * 10 + Int(digit - UInt8(ascii: "0"))
            guard precision ?? 0 <= 1_000 else { throw .invalid("format(): a precision is at most 1000") }
            rest.removeFirst()
        }
        guard let precision else { throw .invalid("format(): '.' must be followed by a precision") }
        return precision
    }

    private static func formatClause(
        _ clause: UInt8, _ value: Value, precision: Int?
    ) throws(EvaluationError) -> String {
        switch clause {
        case UInt8(ascii: "s"): return try formatText(value)
        case UInt8(ascii: "d"): return try formatInteger(value)
        case UInt8(ascii: "f"): return try formatReal(value, "%.*f", "fixed-point", precision: precision ?? 6)
        case UInt8(ascii: "e"): return try formatReal(value, "%.*e", "scientific", precision: precision ?? 6)
        case UInt8(ascii: "b"):
            if case .bool(let bool) = value { return bool ? "1" : "0" }
            guard let text = radix(value, 2) else {
                throw wrong("only integers and bools can be formatted as binary", value)
            }
            return text
        case UInt8(ascii: "o"):
            guard let text = radix(value, 8) else { throw wrong("octal clause can only be used on integers", value) }
            return text
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            let isUpper = clause == UInt8(ascii: "X")
            switch value {
            case .string(let text): return hexadecimal(text.utf8, isUpper: isUpper)
            case .bytes(let bytes): return hexadecimal(bytes, isUpper: isUpper)
            default:
                guard let text = radix(value, 16) else {
                    throw wrong("only integers, byte buffers, and strings can be formatted as hex", value)
                }
                return isUpper ? text.uppercased() : text
            }
        default:
            let name = String(decoding: [clause], as: UTF8.self)
            throw .invalid("could not parse formatting clause: unrecognized formatting clause \"\(name)\"")
        }
    }

    private static func wrong(_ rule: String, _ value: Value) -> EvaluationError {
        .invalid("error during formatting: \(rule), was given \(value.type.reflectedName)")
    }

    private static func radix(_ value: Value, _ radix: Int) -> String? {
        switch value {
        case .int(let int): String(int, radix: radix)
        case .uint(let uint): String(uint, radix: radix)
        default: nil
        }
    }

    private static func formatInteger(_ value: Value) throws(EvaluationError) -> String {
        switch value {
        case .int, .uint: return value.scalarText ?? ""
        case .double(let double) where !double.isFinite: return formatDouble(double)
        case .decimal(let decimal) where decimal.isInteger: return decimal.normalized.description
        default: throw wrong("decimal clause can only be used on integers", value)
        }
    }

    private static func formatReal(
        _ value: Value, _ format: String, _ clause: String, precision: Int
    ) throws(EvaluationError) -> String {
        let double: Double
        switch value {
        case .double(let given): double = given
        case .int(let int): double = Double(int)
        case .uint(let uint): double = Double(uint)
        case .decimal(let decimal):
            if clause == "fixed-point", precision <= Decimal.maximumScale {
                return try translated { () throws(DecimalError) in try decimal.rounded(scale: precision).description }
            }
            double = decimal.doubleValue
        default: throw wrong("\(clause) clause can only be used on doubles", value)
        }
        guard double.isFinite else { return formatDouble(double) }
        // The longest: 309 digits before the point, the precision after it.
        var buffer = [CChar](repeating: 0, count: 330 + precision)
        let count = withVaList([Int32(precision), double]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What %s prints: strings and bytes bare, lists in brackets, maps in braces with their keys in order.
    private static func formatText(_ value: Value) throws(EvaluationError) -> String {
        switch value {
        case .null: return "null"
        case .string(let text): return text.string
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .type(let type): return type.reflectedName
        case .list(let list):
            var parts: [String] = []
            for element in list { parts.append(try formatText(element.plain)) }
            return "[\(parts.joined(separator: ", "))]"
        case .map(let map):
            var parts: [(key: Text, value: String)] = []
            for (key, value) in map.entries {
                parts.append((Text(try formatText(key)), try formatText(value.plain)))
            }
            parts.sort { $0.key < $1.key }
            return "{\(parts.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        default:
            guard let text = value.scalarText else {
                throw wrong(
                    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
                        + "durations, and timestamps", value)
            }
            return text
        }
    }
}

func hexadecimal(_ bytes: some Sequence<UInt8>, isUpper: Bool = false) -> String {
    let letters = (isUpper ? UInt8(ascii: "A") : UInt8(ascii: "a")) - 10
    func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : letters + value }
    var text: [UInt8] = []
    text.reserveCapacity(bytes.underestimatedCount * 2)
    for byte in bytes {
        text.append(digit(byte >> 4))
        text.append(digit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
}
