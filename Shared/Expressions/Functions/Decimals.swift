import JSON

/// Exact decimals, an extension of this library: `decimal("19.99")`, `decimal(amount)`, `round(scale)`,
/// `round(scale, mode)`, `divide(divisor, scale, mode)`.
extension FunctionLibrary {
    static func addDecimals(_ group: inout FunctionGroup) {
        group.unary(
            "decimal(decimal) -> decimal", "decimal(string) -> decimal", "decimal(int) -> decimal",
            "decimal(uint) -> decimal", "decimal(double) -> decimal"
        ) { (value, _) throws(EvaluationError) in .decimal(try toDecimal(value)) }
        group.variadic("(decimal).round(int) -> decimal", "(decimal).round(int, string) -> decimal") {
            (arguments, _) throws(EvaluationError) in
            guard (2...3).contains(arguments.count), case .decimal(let decimal) = arguments[0],
                case .int(let scale) = arguments[1]
            else { throw noSuchOverload("round", arguments) }
            let mode = try roundingMode(arguments.count == 3 ? arguments[2] : nil)
            return .decimal(
                try translated { () throws(DecimalError) in try decimal.rounded(scale: Int(scale), mode: mode) })
        }
        group.variadic(
            "(decimal).divide(decimal, int) -> decimal", "(decimal).divide(decimal, int, string) -> decimal"
        ) { (arguments, _) throws(EvaluationError) in
            guard (3...4).contains(arguments.count), case .decimal(let dividend) = arguments[0],
                case .decimal(let divisor) = arguments[1], case .int(let scale) = arguments[2]
            else { throw noSuchOverload("divide", arguments) }
            let mode = try roundingMode(arguments.count == 4 ? arguments[3] : nil)
            return .decimal(
                try translated { () throws(DecimalError) in
                    try dividend.divided(by: divisor, scale: Int(scale), rounding: mode)
                })
        }
    }

    static func toDecimal(_ value: Value) throws(EvaluationError) -> Decimal {
        switch value {
        case .decimal(let decimal): return decimal
        case .int(let int): return Decimal(int)
        case .uint(let uint): return Decimal(unsigned: uint)
        case .string(let text): return try parseDecimal(text)
        case .number(let number): return try parseDecimal(number.text)
        case .double(let double):
            // The shortest text that reads back as the double: 0.1 is 0.1, not the binary fraction behind it.
            guard double.isFinite, let decimal = Decimal(double.description) else {
                throw .invalid("decimal(): \(formatDouble(double)) has no decimal of 38 digits")
            }
            return decimal
        default: throw .noSuchOverload("decimal", value)
        }
    }

    private static func parseDecimal(_ text: Text) throws(EvaluationError) -> Decimal {
        guard let decimal = text.utf8.withUnsafeBytes({ Decimal(bytes: $0) }) else {
            throw .invalid("decimal(): '\(text)' is not a decimal number of at most 38 digits")
        }
        return decimal
    }

    static let roundingModes: [Text: RoundingMode] = [
        "half_even": .halfEven, "half_up": .halfUp, "half_down": .halfDown, "up": .up, "down": .down,
        "ceiling": .ceiling, "floor": .floor,
    ]

    /// The mode by its name; half to even if none is given.
    static func roundingMode(_ value: Value?) throws(EvaluationError) -> RoundingMode {
        guard let value else { return .halfEven }
        guard case .string(let name) = value, let mode = roundingModes[name] else {
            throw .invalid(
                "the rounding mode is one of \(roundingModes.keys.sorted().map(\.string).joined(separator: ", "))")
        }
        return mode
    }
}
