import JSON

/// The math extension; `greatest`, `least`, `abs`, `sign` and the roundings take decimals too.
extension FunctionLibrary {
    static func addMath(_ group: inout FunctionGroup) {
        addExtremes(&group)
        addRoundings(&group)
        addBits(&group)
        test(&group, "math.isNaN") { $0.isNaN }
        test(&group, "math.isInf") { $0.isInfinite }
        test(&group, "math.isFinite") { $0.isFinite }
        group.unary("math.sqrt(double) -> double", "math.sqrt(int) -> double", "math.sqrt(uint) -> double") {
            (value, _) throws(EvaluationError) in
            switch value.plain {
            case .double(let double): return .double(double.squareRoot())
            case .int(let int): return .double(Double(int).squareRoot())
            case .uint(let uint): return .double(Double(uint).squareRoot())
            default: throw .noSuchOverload("math.sqrt", value)
            }
        }
    }

    // MARK: Extremes

    private static func addExtremes(_ group: inout FunctionGroup) {
        let numbers = ["int", "uint", "double", "decimal"]
        for (name, wanted) in [("math.greatest", Order.after), ("math.least", Order.before)] {
            group.add(
                numbers.map { "\(name)(\($0)) -> \($0)" } + numbers.map { "\(name)(list(\($0))) -> \($0)" },
                .unary { (value, context) throws(EvaluationError) in
                    guard case .list(let list) = value else { return try number(value, name) }
                    guard let first = list.first else { throw .invalid("\(name)() of an empty list") }
                    try context.charge(list.count)
                    var best = try number(first, name)
                    for element in list.dropFirst() {
                        let candidate = try number(element, name)
                        if candidate.numericOrder(to: best) == wanted { best = candidate }
                    }
                    return best
                })
        }
    }

    private static func number(_ value: Value, _ name: String) throws(EvaluationError) -> Value {
        switch value.plain {
        case .int, .uint, .double, .decimal: return value.plain
        default: throw .noSuchOverload(name, value)
        }
    }

    // MARK: Rounding

    private static func addRoundings(_ group: inout FunctionGroup) {
        rounding(&group, "math.ceil", .up, .ceiling)
        rounding(&group, "math.floor", .down, .floor)
        rounding(&group, "math.round", .toNearestOrAwayFromZero, .halfUp)
        rounding(&group, "math.trunc", .towardZero, .down)
        group.unary(
            "math.abs(int) -> int", "math.abs(uint) -> uint", "math.abs(double) -> double",
            "math.abs(decimal) -> decimal"
        ) { (value, _) throws(EvaluationError) in
            switch value.plain {
            case .int(let int):
                guard int != .min else { throw .overflow("math.abs(\(int))") }
                return .int(abs(int))
            case .uint: return value
            case .double(let double): return .double(double.magnitude)
            case .decimal(let decimal):
                return .decimal(try translated { () throws(DecimalError) in try decimal.absolute() })
            default: throw .noSuchOverload("math.abs", value)
            }
        }
        group.unary(
            "math.sign(int) -> int", "math.sign(uint) -> uint", "math.sign(double) -> double",
            "math.sign(decimal) -> int"
        ) { (value, _) throws(EvaluationError) in
            switch value.plain {
            case .int(let int): return .int(int.signum())
            case .uint(let uint): return .uint(uint == 0 ? 0 : 1)
            case .double(let double): return .double(double.isNaN || double == 0 ? double : double < 0 ? -1 : 1)
            case .decimal(let decimal): return .int(Int64(decimal.signum))
            default: throw .noSuchOverload("math.sign", value)
            }
        }
    }

    private static func rounding(
        _ group: inout FunctionGroup, _ name: String, _ rule: FloatingPointRoundingRule, _ mode: RoundingMode
    ) {
        group.unary("\(name)(double) -> double", "\(name)(decimal) -> decimal") { (value, _) throws(EvaluationError) in
            switch value.plain {
            case .double(let double): return .double(double.rounded(rule))
            case .decimal(let decimal):
                return .decimal(
                    try translated { () throws(DecimalError) in try decimal.rounded(scale: 0, mode: mode) })
            default: throw .noSuchOverload(name, value)
            }
        }
    }

    private static func test(
        _ group: inout FunctionGroup, _ name: String, _ body: @escaping @Sendable (Double) -> Bool
    ) {
        group.unary("\(name)(double) -> bool") { (value, _) throws(EvaluationError) in
            guard case .double(let double) = value.plain else { throw .noSuchOverload(name, value) }
            return .bool(body(double))
        }
    }

    // MARK: Bits

    private static func addBits(_ group: inout FunctionGroup) {
        bits(&group, "math.bitAnd", { $0 & $1 }, { $0 & $1 })
        bits(&group, "math.bitOr", { $0 | $1 }, { $0 | $1 })
        bits(&group, "math.bitXor", { $0 ^ $1 }, { $0 ^ $1 })
        group.unary("math.bitNot(int) -> int", "math.bitNot(uint) -> uint") { (value, _) throws(EvaluationError) in
            switch value {
            case .int(let int): return .int(~int)
            case .uint(let uint): return .uint(~uint)
            default: throw .noSuchOverload("math.bitNot", value)
            }
        }
        shift(&group, "math.bitShiftLeft") { $0 << $1 }
        shift(&group, "math.bitShiftRight") { $0 >> $1 }
    }

    private static func bits(
        _ group: inout FunctionGroup, _ name: String, _ signed: @escaping @Sendable (Int64, Int64) -> Int64,
        _ unsigned: @escaping @Sendable (UInt64, UInt64) -> UInt64
    ) {
        group.binary("\(name)(int, int) -> int", "\(name)(uint, uint) -> uint") {
            (left, right, _) throws(EvaluationError) in
            switch (left, right) {
            case (.int(let a), .int(let b)): return .int(signed(a, b))
            case (.uint(let a), .uint(let b)): return .uint(unsigned(a, b))
            default: throw .noSuchOverload(name, left, right)
            }
        }
    }

    /// Shifts move zeros in from both sides, whatever the sign; 64 and more leave nothing.
    private static func shift(
        _ group: inout FunctionGroup, _ name: String, _ body: @escaping @Sendable (UInt64, Int64) -> UInt64
    ) {
        group.binary("\(name)(int, int) -> int", "\(name)(uint, int) -> uint") {
            (value, count, _) throws(EvaluationError) in
            guard case .int(let count) = count else { throw .noSuchOverload(name, value, count) }
            guard count >= 0 else { throw .invalid("\(name)(): the offset \(count) is negative") }
            switch value {
            case .int(let int): return .int(Int64(bitPattern: body(UInt64(bitPattern: int), count)))
            case .uint(let uint): return .uint(body(uint, count))
            default: throw .noSuchOverload(name, value, .int(count))
            }
        }
    }
}
