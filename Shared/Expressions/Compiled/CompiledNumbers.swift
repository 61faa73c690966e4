import JSON

/// Numbers: integers, doubles, decimals.
extension Compiler {
    // MARK: Integers

    func specialInt(_ node: Node) -> Code<Int64>? {
        switch node.operation {
        case .constant(.int(let value)): return { _ in value }
        case .field(let field) where field.type == .int:
            let place = FieldPlace(field)
            return { context throws(Unusual) in
                guard let value = try context.present(place).int64 else { throw Unusual() }
                return value
            }
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard case .int(let value)? = context.variables[slot].value else { throw Unusual() }
                return value
            }
        case .conditional: return conditional(node, int)
        case .call(let function, let arguments): return integerCall(function.name, arguments)
        default: return nil
        }
    }

    private func integerCall(_ name: String, _ arguments: [Node]) -> Code<Int64>? {
        let types = arguments.map { type($0) }
        switch (name, types) {
        case ("_+_", [.int, .int]): return arithmetic(arguments) { $0.addingReportingOverflow($1) }
        case ("_-_", [.int, .int]): return arithmetic(arguments) { $0.subtractingReportingOverflow($1) }
        case ("_*_", [.int, .int]): return arithmetic(arguments) { $0.multipliedReportingOverflow(by: $1) }
        case ("_/_", [.int, .int]): return arithmetic(arguments) { $0.dividedReportingOverflow(by: $1) }
        case ("_%_", [.int, .int]):
            if case .int(let divisor)? = arguments[1].constant, divisor > 0 {
                let operand = int(arguments[0])
                return { context throws(Unusual) in try operand(context) % divisor }
            }
            return arithmetic(arguments) { $0.remainderReportingOverflow(dividingBy: $1) }
        case ("size", [.string]):
            let operand = text(arguments[0])
            return { context throws(Unusual) in Int64(try operand(context).codePointCount) }
        case ("milliseconds", [.duration]):
            if let (name, instants) = call(arguments[0]), name == "_-_", instants.allSatisfy({ type($0) == .timestamp })
            {
                let (end, start) = (InstantOperand(instants[0], in: self), InstantOperand(instants[1], in: self))
                return { context throws(Unusual) in
                    let last = try end.read(context)
                    return try Self.distance(from: try start.read(context), to: last) / 1_000_000
                }
            }
            let operand = duration(arguments[0])
            return { context throws(Unusual) in try operand(context) / 1_000_000 }
        case ("sum", [.list(.int)]): return codePointSum(arguments[0])
        case (Operator.index, _):
            guard let entry = entry(arguments) else { return nil }
            return { context throws(Unusual) in
                guard case .int(let value) = try entry(context) else { throw Unusual() }
                return value
            }
        default: return nil
        }
    }

    private func arithmetic(
        _ arguments: [Node], _ body: @escaping @Sendable (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
    ) -> Code<Int64> {
        let (left, right) = (int(arguments[0]), int(arguments[1]))
        return { context throws(Unusual) in
            // Division by zero is reported as an overflow too.
            let (value, overflow) = body(try left(context), try right(context))
            if overflow { throw Unusual() }
            return value
        }
    }

    /// `text.codepoints().sum()` without the list.
    private func codePointSum(_ list: Node) -> Code<Int64>? {
        guard let (name, arguments) = call(list), name == "codepoints" else { return nil }
        let operand = TextOperand(arguments[0], in: self)
        return { context throws(Unusual) in try operand.read(context).codePointSum }
    }

    // MARK: Doubles

    func specialDouble(_ node: Node) -> Code<Double>? {
        switch node.operation {
        case .constant(.double(let value)): return { _ in value }
        case .field(let field) where field.type == .double:
            let place = FieldPlace(field)
            return { context throws(Unusual) in
                guard let value = try context.present(place).double else { throw Unusual() }
                return value
            }
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard case .double(let value)? = context.variables[slot].value else { throw Unusual() }
                return value
            }
        case .conditional: return conditional(node, double)
        case .call(let function, let arguments): return doubleCall(function.name, arguments)
        default: return nil
        }
    }

    private func doubleCall(_ name: String, _ arguments: [Node]) -> Code<Double>? {
        let types = arguments.map { type($0) }
        if name == "double", types == [.int] {
            let operand = int(arguments[0])
            return { context throws(Unusual) in Double(try operand(context)) }
        }
        if name == Operator.index, let entry = entry(arguments) {
            return { context throws(Unusual) in
                guard case .double(let value) = try entry(context) else { throw Unusual() }
                return value
            }
        }
        guard types == [.double, .double] else { return nil }
        let (left, right) = (double(arguments[0]), double(arguments[1]))
        switch name {
        case "_+_": return { context throws(Unusual) in try left(context) + (try right(context)) }
        case "_-_": return { context throws(Unusual) in try left(context) - (try right(context)) }
        case "_*_": return { context throws(Unusual) in try left(context) * (try right(context)) }
        case "_/_": return { context throws(Unusual) in try left(context) / (try right(context)) }
        default: return nil
        }
    }

    // MARK: Decimals

    func specialDecimal(_ node: Node) -> Code<Decimal>? {
        switch node.operation {
        case .constant(.decimal(let value)): return { _ in value }
        case .field(let field) where field.type == .decimal: return decimalField(field)
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard case .decimal(let value)? = context.variables[slot].value else { throw Unusual() }
                return value
            }
        case .conditional(let condition, let accepted, let refused):
            // Not by the generic function: it would wrap the branches, at a call each.
            let (test, yes, no) = (bool(condition), decimal(accepted), decimal(refused))
            return { context throws(Unusual) in try test(context) ? try yes(context) : try no(context) }
        case .call(let function, let arguments): return decimalCall(function.name, arguments)
        default: return nil
        }
    }

    /// A number or the text of one, whichever the record has.
    private func decimalField(_ field: Node.RecordField) -> Code<Decimal> {
        let place = FieldPlace(field)
        if place.isTopLevel {
            let index = place.index
            return { context throws(Unusual) in try context.decimal(index) }
        }
        return { context throws(Unusual) in try context.present(place).decimalOfNumberOrString() }
    }

    /// The place of a top-level field that is read as a decimal whatever it is: number or string.
    func decimalPlace(_ node: Node) -> Int? {
        if let (name, arguments) = call(node), name == "decimal", arguments.count == 1 {
            guard case .field(let field) = arguments[0].operation, type(arguments[0]) == .dyn else { return nil }
            return field.path.isEmpty ? field.place : nil
        }
        guard case .field(let field) = node.operation, field.type == .decimal else { return nil }
        return field.path.isEmpty ? field.place : nil
    }

    /// An int among decimals is one without a fraction.
    func decimalOperand(_ node: Node) -> Code<Decimal> {
        guard type(node) == .int else { return decimal(node) }
        let operand = int(node)
        return { context throws(Unusual) in Decimal(try operand(context)) }
    }

    private func decimalCall(_ name: String, _ arguments: [Node]) -> Code<Decimal>? {
        switch (name, arguments.count) {
        case ("decimal", 1): return decimalConversion(arguments[0])
        case ("_+_", 2):
            return combine(arguments) { (left, right) throws(DecimalError) in try left.adding(right) }
        case ("_-_", 2):
            return combine(arguments) { (left, right) throws(DecimalError) in try left.subtracting(right) }
        case ("_*_", 2):
            let (left, right) = (DecimalOperand(arguments[0], in: self), DecimalOperand(arguments[1], in: self))
            return { context throws(Unusual) in
                let factor = try left.read(context)
                let other = try right.read(context)
                do { return try factor.multiplied(by: other) } catch { throw Unusual() }
            }
        case ("_/_", 2): return combine(arguments, FunctionLibrary.quotient)
        case ("round", 2), ("round", 3): return rounding(arguments)
        case (Operator.index, 2):
            return decimalEntry(arguments)
        default: return nil
        }
    }

    private func decimalConversion(_ argument: Node) -> Code<Decimal>? {
        switch (argument.operation, type(argument)) {
        case (.field(let field), .dyn), (.field(let field), .string):
            let isString = type(argument) == .string
            let read = decimalField(field)
            guard isString else { return read }
            let place = FieldPlace(field)
            return { context throws(Unusual) in
                guard try context.present(place).kind == .string else { throw Unusual() }
                return try read(context)
            }
        case (_, .decimal): return decimal(argument)
        case (_, .int):
            let operand = int(argument)
            return { context throws(Unusual) in Decimal(try operand(context)) }
        case (_, .string):
            let operand = text(argument)
            return { context throws(Unusual) in
                guard let decimal = Decimal(bytes: try operand(context).bytes) else { throw Unusual() }
                return decimal
            }
        default: return nil
        }
    }

    private func combine(
        _ arguments: [Node], _ body: @escaping @Sendable (Decimal, Decimal) throws(DecimalError) -> Decimal
    ) -> Code<Decimal>? {
        let (left, right) = (decimalOperand(arguments[0]), decimalOperand(arguments[1]))
        return { context throws(Unusual) in
            let (a, b) = (try left(context), try right(context))
            do { return try body(a, b) } catch { throw Unusual() }
        }
    }

    private func rounding(_ arguments: [Node]) -> Code<Decimal>? {
        guard case .int(let scale)? = arguments[1].constant else { return nil }
        var mode = RoundingMode.halfEven
        if arguments.count == 3 {
            guard case .string(let name)? = arguments[2].constant, let named = FunctionLibrary.roundingModes[name]
            else {
                return nil
            }
            mode = named
        }
        let digits = Int(scale)
        if mode == .halfEven, let (name, factors) = call(arguments[0]), name == "_*_", type(arguments[0]) == .decimal {
            let (left, right) = (DecimalOperand(factors[0], in: self), DecimalOperand(factors[1], in: self))
            return { context throws(Unusual) in
                let factor = try left.read(context)
                let other = try right.read(context)
                do { return try factor.multiplied(by: other, roundedTo: digits) } catch { throw Unusual() }
            }
        }
        let operand = decimal(arguments[0])
        return { [mode] context throws(Unusual) in
            let value = try operand(context)
            do { return try value.rounded(scale: digits, mode: mode) } catch { throw Unusual() }
        }
    }

    /// `rates[region]`: a decimal of reference data by a string.
    private func decimalEntry(_ arguments: [Node]) -> Code<Decimal>? {
        guard case .variable(let slot, _) = arguments[0].operation, type(arguments[1]) == .string else { return nil }
        let key = TextOperand(arguments[1], in: self)
        return { context throws(Unusual) in
            let key = try key.read(context)
            guard let value = context.variables[slot].index?.find(key)?.pointee.decimal else { throw Unusual() }
            return value
        }
    }

    /// Other reference data by a string.
    private func entry(_ arguments: [Node]) -> Code<Value>? {
        guard case .variable(let slot, _) = arguments[0].operation, type(arguments[1]) == .string else { return nil }
        let key = TextOperand(arguments[1], in: self)
        return { context throws(Unusual) in
            let key = try key.read(context)
            guard let index = context.variables[slot].index, let entry = index.find(key) else { throw Unusual() }
            return index.value(of: entry)
        }
    }
}
