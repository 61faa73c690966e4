import JSON

/// Conversions between types, and `type` and `dyn`.
extension FunctionLibrary {
    static func addConversions(_ group: inout FunctionGroup) {
        group.unary("dyn(A) -> dyn") { (value, _) in value }
        group.unary("type(A) -> type(A)") { (value, _) in .type(value.type) }
        group.unary(
            "int(int) -> int", "int(uint) -> int", "int(double) -> int", "int(string) -> int", "int(timestamp) -> int",
            "int(decimal) -> int", body: toInt)
        group.unary(
            "uint(uint) -> uint", "uint(int) -> uint", "uint(double) -> uint", "uint(string) -> uint",
            "uint(decimal) -> uint", body: toUInt)
        group.unary(
            "double(double) -> double", "double(int) -> double", "double(uint) -> double", "double(string) -> double",
            "double(decimal) -> double", body: toDouble)
        group.unary(
            "string(string) -> string", "string(bool) -> string", "string(int) -> string", "string(uint) -> string",
            "string(double) -> string", "string(bytes) -> string", "string(timestamp) -> string",
            "string(duration) -> string", "string(decimal) -> string", body: toString)
        group.unary("bytes(bytes) -> bytes", "bytes(string) -> bytes") { (value, context) throws(EvaluationError) in
            switch value {
            case .bytes: return value
            case .string(let text): return .bytes(text.utf8)
            default: throw .noSuchOverload("bytes", value)
            }
        }
        group.unary("bool(bool) -> bool", "bool(string) -> bool") { (value, _) throws(EvaluationError) in
            switch value {
            case .bool: return value
            case .string(let text):
                switch text.string {
                case "1", "t", "T", "true", "TRUE", "True": return true
                case "0", "f", "F", "false", "FALSE", "False": return false
                default: throw .invalid("bool(): '\(text)' is neither true nor false")
                }
            default: throw .noSuchOverload("bool", value)
            }
        }
        group.unary(
            "timestamp(timestamp) -> timestamp", "timestamp(string) -> timestamp", "timestamp(int) -> timestamp"
        ) {
            (value, _) throws(EvaluationError) in
            switch value {
            case .timestamp: return value
            case .string(let text): return .timestamp(try parseTimestamp(text))
            case .int(let seconds): return .timestamp(try inRange(Instant(seconds: seconds)))
            default: throw .noSuchOverload("timestamp", value)
            }
        }
        group.unary("duration(duration) -> duration", "duration(string) -> duration", "duration(int) -> duration") {
            (value, _) throws(EvaluationError) in
            switch value {
            case .duration: return value
            case .string(let text): return .duration(nanoseconds: try parseDuration(text))
            case .int(let seconds):
                let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
                return .duration(nanoseconds: try checked(nanoseconds, "duration()"))
            default: throw .noSuchOverload("duration", value)
            }
        }
    }

    @Sendable
    private static func toInt(_ value: Value, _ context: EvaluationContext) throws(EvaluationError) -> Value {
        switch value.plain {
        case .int: return value
        case .uint(let number):
            guard let int = Int64(exactly: number) else { throw .overflow("int(\(number)u)") }
            return .int(int)
        case .double(let number):
            // The least and the greatest int are out of reach: as doubles they stand for neighbours that do not fit.
            guard number > -0x1p63, number < 0x1p63 else { throw .overflow("int(\(formatDouble(number)))") }
            return .int(Int64(number))
        case .string(let text):
            guard let int = Int64(text.string) else { throw .invalid("int(): '\(text)' is not a 64-bit integer") }
            return .int(int)
        case .timestamp(let instant): return .int(instant.seconds)
        case .decimal(let decimal):
            let whole = try translated { () throws(DecimalError) in try decimal.rounded(scale: 0, mode: .down) }
            guard let int = whole.int64Value else { throw .overflow("int(\(decimal))") }
            return .int(int)
        default: throw .noSuchOverload("int", value)
        }
    }

    @Sendable
    private static func toUInt(_ value: Value, _ context: EvaluationContext) throws(EvaluationError) -> Value {
        switch value.plain {
        case .uint: return value
        case .int(let number):
            guard let uint = UInt64(exactly: number) else { throw .overflow("uint(\(number))") }
            return .uint(uint)
        case .double(let number):
            guard number > -1, number < 0x1p64 else { throw .overflow("uint(\(formatDouble(number)))") }
            return .uint(UInt64(number))
        case .string(let text):
            guard let uint = UInt64(text.string) else { throw .invalid("uint(): '\(text)' is not a 64-bit integer") }
            return .uint(uint)
        case .decimal(let decimal):
            let whole = try translated { () throws(DecimalError) in try decimal.rounded(scale: 0, mode: .down) }
            guard let uint = whole.uint64Value else { throw .overflow("uint(\(decimal))") }
            return .uint(uint)
        default: throw .noSuchOverload("uint", value)
        }
    }

    @Sendable
    private static func toDouble(_ value: Value, _ context: EvaluationContext) throws(EvaluationError) -> Value {
        switch value.plain {
        case .double: return value.plain
        case .int(let number): return .double(Double(number))
        case .uint(let number): return .double(Double(number))
        case .string(let text):
            guard let double = parseDouble(text) else { throw .invalid("double(): '\(text)' is not a number") }
            return .double(double)
        case .decimal(let decimal): return .double(decimal.doubleValue)
        default: throw .noSuchOverload("double", value)
        }
    }

    @Sendable
    private static func toString(_ value: Value, _ context: EvaluationContext) throws(EvaluationError) -> Value {
        switch value.plain {
        case .string: return value
        case .bytes(let bytes):
            try context.charge(bytes: bytes.count)
            guard let text = Text(utf8: bytes) else { throw .invalid("string(): the bytes are invalid UTF-8") }
            return .string(text)
        default:
            guard let text = value.scalarText else { throw .noSuchOverload("string", value) }
            return .string(Text(text))
        }
    }
}

extension Value {
    /// The text of a bool, a number, a timestamp or a duration.
    var scalarText: String? {
        switch plain {
        case .bool(let bool): bool ? "true" : "false"
        case .int(let int): String(int)
        case .uint(let uint): String(uint)
        case .double(let double): formatDouble(double)
        case .timestamp(let instant): formatTimestamp(instant)
        case .duration(let nanoseconds): formatDuration(nanoseconds)
        case .decimal(let decimal): decimal.description
        default: nil
        }
    }
}

/// RFC 3339, the years 1 to 9999.
func parseTimestamp(_ text: Text) throws(EvaluationError) -> Instant {
    let instant = text.utf8.withUnsafeBytes { Instant(rfc3339: $0) }
    guard let instant else {
        throw .invalid("timestamp(): '\(text)' is no RFC 3339 time in range (2025-01-31T23:59:59.5Z)")
    }
    return try FunctionLibrary.inRange(instant)
}

/// RFC 3339 in UTC with as many digits of the second as are needed.
func formatTimestamp(_ instant: Instant) -> String { instant.formatted() }

/// A double in the fewest digits that read back the same; without an exponent up to 10^21, without a fraction if whole.
func formatDouble(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == value.rounded(), abs(value) < 1e21 {
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        return String(Int128(value))
    }
    let text = value.description
    guard let exponentIndex = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: exponentIndex)...])
    else { return text }
    let mantissa = text[..<exponentIndex]
    // Swift writes 0.00001 as 1e-05; here small numbers have no exponent down to 10^-6.
    guard exponent < 0, exponent >= -6 else {
        return
            "\(mantissa.hasSuffix(".0") ? mantissa.dropLast(2) : mantissa)e\(exponent < 0 ? "-" : "+")\(abs(exponent))"
    }
    let sign = mantissa.hasPrefix("-") ? "-" : ""
    let digits = mantissa.filter(\.isNumber)
    let significant =
        digits.count > 1 && digits.hasSuffix("0") && mantissa.hasSuffix(".0") ? digits.dropLast() : digits[...]
    return sign + "0." + String(repeating: "0", count: -exponent - 1) + significant
}

/// Decimal digits with an optional fraction and exponent, or NaN or an infinity.
func parseDouble(_ text: Text) -> Double? {
    var body = text.utf8[...]
    if body.first == UInt8(ascii: "-") || body.first == UInt8(ascii: "+") { body = body.dropFirst() }
    let word = String(decoding: body, as: UTF8.self).lowercased()
    if ["nan", "inf", "infinity"].contains(word) {
        let magnitude = word == "nan" ? Double.nan : Double.infinity
        return text.utf8.first == UInt8(ascii: "-") ? -magnitude : magnitude
    }
    guard body.contains(where: \.isDigit),
        body.allSatisfy({ $0.isDigit || ".eE+-".utf8.contains($0) })
    else { return nil }
    return Double(text.string)
}
