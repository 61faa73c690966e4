import JSON

/// Arithmetic: what does not fit is an error, never a wrap; doubles follow IEEE 754.
extension FunctionLibrary {
    static func addOperators(_ group: inout FunctionGroup) {
        group.binary(
            "_+_(int, int) -> int", "_+_(uint, uint) -> uint", "_+_(double, double) -> double",
            "_+_(string, string) -> string", "_+_(bytes, bytes) -> bytes", "_+_(list(A), list(A)) -> list(A)",
            "_+_(timestamp, duration) -> timestamp", "_+_(duration, timestamp) -> timestamp",
            "_+_(duration, duration) -> duration", "_+_(decimal, decimal) -> decimal", "_+_(decimal, int) -> decimal",
            "_+_(int, decimal) -> decimal", body: add)
        group.binary(
            "_-_(int, int) -> int", "_-_(uint, uint) -> uint", "_-_(double, double) -> double",
            "_-_(timestamp, timestamp) -> duration", "_-_(timestamp, duration) -> timestamp",
            "_-_(duration, duration) -> duration", "_-_(decimal, decimal) -> decimal", "_-_(decimal, int) -> decimal",
            "_-_(int, decimal) -> decimal", body: subtract)
        group.binary(
            "_*_(int, int) -> int", "_*_(uint, uint) -> uint", "_*_(double, double) -> double",
            "_*_(decimal, decimal) -> decimal", "_*_(decimal, int) -> decimal", "_*_(int, decimal) -> decimal",
            body: multiply)
        group.binary(
            "_/_(int, int) -> int", "_/_(uint, uint) -> uint", "_/_(double, double) -> double",
            "_/_(decimal, decimal) -> decimal", "_/_(decimal, int) -> decimal", "_/_(int, decimal) -> decimal",
            body: divide)
        group.binary("_%_(int, int) -> int", "_%_(uint, uint) -> uint", body: remainder)
        group.unary(
            "-_(int) -> int", "-_(double) -> double", "-_(duration) -> duration", "-_(decimal) -> decimal",
            body: negate)
        group.unary("!_(bool) -> bool") { (value, _) throws(EvaluationError) in
            guard case .bool(let bool) = value else { throw .noSuchOverload("!_", value) }
            return .bool(!bool)
        }
        group.binary(
            "_[_](list(A), int) -> A", "_[_](map(A, B), A) -> B", "_[_](optional(list(A)), int) -> optional(A)",
            "_[_](optional(map(A, B)), A) -> optional(B)"
        ) { (container, index, _) throws(EvaluationError) in try container.indexed(by: index, isOptional: false) }
        group.binary(
            "_[?_](list(A), int) -> optional(A)", "_[?_](map(A, B), A) -> optional(B)",
            "_[?_](optional(list(A)), int) -> optional(A)", "_[?_](optional(map(A, B)), A) -> optional(B)"
        ) { (container, index, _) throws(EvaluationError) in try container.indexed(by: index, isOptional: true) }
    }

    /// A result, unless it overflowed.
    static func checked<T>(_ result: (partialValue: T, overflow: Bool), _ what: String) throws(EvaluationError) -> T {
        guard !result.overflow else { throw .overflow(what) }
        return result.partialValue
    }

    @Sendable
    static func add(
        _ left: Value, _ right: Value, _ context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch (left.plain, right.plain) {
        case (.int(let a), .int(let b)): return .int(try checked(a.addingReportingOverflow(b), "int +"))
        case (.uint(let a), .uint(let b)): return .uint(try checked(a.addingReportingOverflow(b), "uint +"))
        case (.double(let a), .double(let b)): return .double(a + b)
        case (.string(let a), .string(let b)):
            try context.charge(bytes: a.utf8.count + b.utf8.count)
            return .string(Text(validUTF8: a.utf8 + b.utf8))
        case (.bytes(let a), .bytes(let b)):
            try context.charge(bytes: a.count + b.count)
            return .bytes(a + b)
        case (.list(let a), .list(let b)):
            try context.charge(a.count + b.count)
            return .list(a + b)
        case (.timestamp(let time), .duration(let span)), (.duration(let span), .timestamp(let time)):
            return .timestamp(try shift(time, by: span))
        case (.duration(let a), .duration(let b)):
            return .duration(nanoseconds: try checked(a.addingReportingOverflow(b), "duration +"))
        default:
            return try decimals("_+_", left, right) { (a, b) throws(DecimalError) in try a.adding(b) }
        }
    }

    @Sendable
    static func subtract(
        _ left: Value, _ right: Value, _ context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch (left.plain, right.plain) {
        case (.int(let a), .int(let b)): return .int(try checked(a.subtractingReportingOverflow(b), "int -"))
        case (.uint(let a), .uint(let b)): return .uint(try checked(a.subtractingReportingOverflow(b), "uint -"))
        case (.double(let a), .double(let b)): return .double(a - b)
        case (.timestamp(let a), .timestamp(let b)): return .duration(nanoseconds: try distance(from: b, to: a))
        case (.timestamp(let time), .duration(let span)):
            return .timestamp(
                try shift(time, by: try checked(Int64(0).subtractingReportingOverflow(span), "duration -")))
        case (.duration(let a), .duration(let b)):
            return .duration(nanoseconds: try checked(a.subtractingReportingOverflow(b), "duration -"))
        default:
            return try decimals("_-_", left, right) { (a, b) throws(DecimalError) in try a.subtracting(b) }
        }
    }

    @Sendable
    static func multiply(
        _ left: Value, _ right: Value, _ context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch (left.plain, right.plain) {
        case (.int(let a), .int(let b)): return .int(try checked(a.multipliedReportingOverflow(by: b), "int *"))
        case (.uint(let a), .uint(let b)): return .uint(try checked(a.multipliedReportingOverflow(by: b), "uint *"))
        case (.double(let a), .double(let b)): return .double(a * b)
        default:
            return try decimals("_*_", left, right) { (a, b) throws(DecimalError) in try a.multiplied(by: b) }
        }
    }

    @Sendable
    static func divide(
        _ left: Value, _ right: Value, _ context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch (left.plain, right.plain) {
        case (.int(_), .int(0)), (.uint(_), .uint(0)):
            throw EvaluationError(.divisionByZero, "divide by zero")
        case (.int(let a), .int(let b)): return .int(try checked(a.dividedReportingOverflow(by: b), "int /"))
        case (.uint(let a), .uint(let b)): return .uint(a / b)
        case (.double(let a), .double(let b)): return .double(a / b)
        default: return try decimals("_/_", left, right, quotient)
        }
    }

    /// What `/` answers for decimals: 18 digits after the point, or as many as the operands have if that is more, the last
    /// one rounded half to even, zeros at the end left out. `divide(b, scale, mode)` names both.
    static func quotient(_ a: Decimal, _ b: Decimal) throws(DecimalError) -> Decimal {
        try a.divided(by: b, scale: max(18, a.scale, b.scale)).normalized
    }

    @Sendable
    static func remainder(
        _ left: Value, _ right: Value, _ context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch (left, right) {
        case (.int(_), .int(0)), (.uint(_), .uint(0)):
            throw EvaluationError(.divisionByZero, "modulus by zero")
        case (.int(let a), .int(let b)):
            return .int(try checked(a.remainderReportingOverflow(dividingBy: b), "int %"))
        case (.uint(let a), .uint(let b)): return .uint(a % b)
        default: throw .noSuchOverload("_%_", left, right)
        }
    }

    @Sendable
    static func negate(_ value: Value, _ context: EvaluationContext) throws(EvaluationError) -> Value {
        switch value.plain {
        case .int(let a): return .int(try checked(Int64(0).subtractingReportingOverflow(a), "int -"))
        case .double(let a): return .double(-a)
        case .duration(let a):
            return .duration(nanoseconds: try checked(Int64(0).subtractingReportingOverflow(a), "duration -"))
        case .decimal(let a): return .decimal(try translated { () throws(DecimalError) in try a.negated() })
        default: throw .noSuchOverload("-_", value)
        }
    }

    // MARK: Decimals

    /// An operation of two decimals, or of a decimal and an int, which is a decimal without a fraction.
    static func decimals(
        _ name: String, _ left: Value, _ right: Value,
        _ operation: (Decimal, Decimal) throws(DecimalError) -> Decimal
    ) throws(EvaluationError) -> Value {
        let operands: (Decimal, Decimal)
        switch (left, right) {
        case (.decimal(let a), .decimal(let b)): operands = (a, b)
        case (.decimal(let a), .int(let b)): operands = (a, Decimal(b))
        case (.int(let a), .decimal(let b)): operands = (Decimal(a), b)
        default: throw .noSuchOverload(name, left, right)
        }
        return .decimal(try translated { () throws(DecimalError) in try operation(operands.0, operands.1) })
    }

    static func translated<T>(_ body: () throws(DecimalError) -> T) throws(EvaluationError) -> T {
        do { return try body() } catch { throw EvaluationError(error) }
    }

    // MARK: Times

    /// The years 1 to 9999, as everywhere in CEL.
    @inline(__always)
    static func isInRange(_ instant: Instant) -> Bool {
        instant.seconds >= -62_135_596_800 && instant.seconds <= 253_402_300_799
    }

    static func inRange(_ instant: Instant?) throws(EvaluationError) -> Instant {
        guard let instant, isInRange(instant) else {
            throw EvaluationError(.overflow, "timestamp out of range: the years are 1 to 9999")
        }
        return instant
    }

    static func shift(_ instant: Instant, by nanoseconds: Int64) throws(EvaluationError) -> Instant {
        try inRange(instant.advanced(by: .nanoseconds(nanoseconds)))
    }

    static func distance(from start: Instant, to end: Instant) throws(EvaluationError) -> Int64 {
        let what = "timestamp - timestamp"
        let seconds = try checked(end.seconds.subtractingReportingOverflow(start.seconds), what)
        // Whole seconds and fraction must not overflow one after the other where their sum would fit.
        let total = Int128(seconds) * 1_000_000_000 + Int128(end.nanoseconds) - Int128(start.nanoseconds)
        guard let nanoseconds = Int64(exactly: total) else { throw .overflow(what) }
        return nanoseconds
    }
}

extension EvaluationError {
    init(_ error: DecimalError) {
        switch error {
        case .overflow: self.init(.overflow, error.description)
        case .divisionByZero: self.init(.divisionByZero, error.description)
        case .scaleOutOfRange: self.init(.invalidArgument, error.description)
        }
    }
}

extension EvaluationContext {
    /// What a function spends on reading or making so many bytes.
    func charge(bytes: Int) throws(EvaluationError) {
        try charge(bytes / 10)
    }
}
