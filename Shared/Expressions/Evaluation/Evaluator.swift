/// The general evaluator: any expression, over values. It walks the checked tree; every node costs one.
extension Node {
    func value(in context: EvaluationContext) throws(EvaluationError) -> Value {
        try located(context.charge(1))
        switch operation {
        case .constant(let value): return value
        case .variable(let slot, let name): return try context.value(slot: slot, name: name)
        case .local(let index): return context.locals[index]
        case .field(let field): return try located(context.fieldValue(field))
        case .record: return try located(context.recordValue())
        case .hasField(let field): return .bool(try located(context.hasField(field)))
        case .select(let operand, let field, let isOptional):
            let selected = try operand.value(in: context)
            do { return try selected.selecting(field, isOptional: isOptional) } catch { throw error.at(offset) }
        case .presence(let operand, let field):
            let selected = try operand.value(in: context)
            do { return .bool(try selected.has(field)) } catch { throw error.at(offset) }
        case .call(let function, let arguments): return try call(function, arguments, in: context)
        case .list(let elements): return try list(elements, in: context)
        case .map(let entries): return try map(entries, in: context)
        case .and(let terms): return .bool(try connect(terms, until: false, in: context))
        case .or(let terms): return .bool(try connect(terms, until: true, in: context))
        case .conditional(let condition, let accepted, let refused):
            guard case .bool(let holds) = try condition.value(in: context) else {
                throw EvaluationError(.noSuchOverload, "no such overload: the condition of ?: is not a bool").at(offset)
            }
            return try (holds ? accepted : refused).value(in: context)
        case .comprehension(let comprehension):
            return try comprehension.value(in: context, offset: offset)
        case .bind(let local, let value, let body):
            context.locals[local] = try value.value(in: context)
            return try body.value(in: context)
        case .optionalMap(let target, let local, let body, let isFlat):
            return try optionalMap(target, local, body, isFlat: isFlat, in: context)
        }
    }

    private func located<T>(_ body: @autoclosure () throws(EvaluationError) -> T) throws(EvaluationError) -> T {
        do { return try body() } catch { throw error.at(offset) }
    }

    private func call(
        _ function: Function, _ arguments: [Node], in context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch function.body {
        case .unary(let body) where arguments.count == 1:
            let argument = try arguments[0].value(in: context)
            do { return try body(argument, context) } catch { throw error.at(offset) }
        case .binary(let body) where arguments.count == 2:
            let left = try arguments[0].value(in: context)
            let right = try arguments[1].value(in: context)
            do { return try body(left, right, context) } catch { throw error.at(offset) }
        case .alternative(let isUnwrapping) where arguments.count == 2:
            let value = try arguments[0].value(in: context)
            let present: Value?
            do { present = try function.present(value, isUnwrapping: isUnwrapping) } catch { throw error.at(offset) }
            if let present { return present }
            return try arguments[1].value(in: context)
        default:
            var values: [Value] = []
            values.reserveCapacity(arguments.count)
            for argument in arguments { values.append(try argument.value(in: context)) }
            do { return try function(values, context) } catch { throw error.at(offset) }
        }
    }

    /// `&&` and `||`: the value that decides wins over any error, whichever side it stands on.
    private func connect(
        _ terms: [Node], until deciding: Bool, in context: EvaluationContext
    ) throws(EvaluationError) -> Bool {
        var failure: EvaluationError?
        for term in terms {
            do throws(EvaluationError) {
                guard case .bool(let value) = try term.value(in: context) else {
                    throw EvaluationError(
                        .noSuchOverload, "no such overload: an operand of \(deciding ? "||" : "&&") is not a bool"
                    ).at(term.offset)
                }
                if value == deciding { return deciding }
            } catch {
                if error.reason == .costLimit { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return !deciding
    }

    private func list(_ elements: [Element], in context: EvaluationContext) throws(EvaluationError) -> Value {
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for element in elements {
            let value = try element.value.value(in: context)
            if let present = try element.isOptional ? unwrap(value) : value { values.append(present) }
        }
        return .list(values)
    }

    private func map(_ entries: [Entry], in context: EvaluationContext) throws(EvaluationError) -> Value {
        var map = ValueMap()
        for entry in entries {
            let key = try entry.key.value(in: context)
            let value = try entry.value.value(in: context)
            guard let present = try entry.isOptional ? unwrap(value) : value else { continue }
            try map.insert(key, present, at: entry.key.offset)
        }
        return .map(map)
    }

    private func unwrap(_ value: Value) throws(EvaluationError) -> Value? {
        guard case .optional(let wrapped) = value else {
            throw EvaluationError(.noSuchOverload, "'?' takes an optional, not \(value.type.reflectedName)").at(offset)
        }
        return wrapped
    }

    private func optionalMap(
        _ target: Node, _ local: Int, _ body: Node, isFlat: Bool, in context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        guard case .optional(let wrapped) = try target.value(in: context) else {
            throw EvaluationError(.noSuchOverload, "no such overload: the receiver is no optional").at(offset)
        }
        guard let wrapped else { return .optional(nil) }
        context.locals[local] = wrapped
        let mapped = try body.value(in: context)
        guard isFlat else { return .optional(mapped) }
        guard case .optional = mapped else {
            throw EvaluationError(.noSuchOverload, "optFlatMap() takes an optional").at(body.offset)
        }
        return mapped
    }
}

extension ValueMap {
    /// Adds an entry; a key that is there already, or cannot be one, is an error.
    mutating func insert(_ key: Value, _ value: Value, at offset: Int) throws(EvaluationError) {
        switch key {
        case .bool, .int, .uint, .string: break
        default:
            throw EvaluationError(.invalidArgument, "unsupported key type: \(key.type.reflectedName)").at(offset)
        }
        guard !contains(key) else {
            throw EvaluationError(.duplicateKey, "the map has the key \(key.inMessage) twice").at(offset)
        }
        _ = set(key, value)
    }
}

// MARK: - Fields and indices

extension Value {
    func selecting(_ field: Text, isOptional: Bool) throws(EvaluationError) -> Value {
        switch self {
        case .map(let map):
            if let value = map[field] { return isOptional ? .optional(value) : value }
            if isOptional { return .optional(nil) }
            throw EvaluationError(.noSuchKey, "no such key: '\(field)'")
        case .optional(let wrapped):
            guard let wrapped else { return .optional(nil) }
            return try wrapped.selecting(field, isOptional: true)
        default:
            throw EvaluationError(
                .noSuchOverload, "no such overload: a value of type \(type.reflectedName) has no field '\(field)'")
        }
    }

    func has(_ field: Text) throws(EvaluationError) -> Bool {
        switch self {
        case .map(let map): return map[field] != nil
        case .optional(let wrapped):
            guard let wrapped else { return false }
            return try wrapped.has(field)
        default:
            throw EvaluationError(
                .noSuchOverload, "no such overload: a value of type \(type.reflectedName) has no field '\(field)'")
        }
    }

    func indexed(by index: Value, isOptional: Bool) throws(EvaluationError) -> Value {
        switch self {
        case .list(let list):
            guard let position = index.listIndex else { throw .noSuchOverload(Operator.index, self, index) }
            if list.indices.contains(position) { return isOptional ? .optional(list[position]) : list[position] }
            if isOptional { return .optional(nil) }
            throw EvaluationError(.indexOutOfRange, "index out of bounds: \(index.inMessage) of \(list.count)")
        case .map(let map):
            switch index {
            case .bool, .int, .uint, .string, .double, .number: break
            default: throw .noSuchOverload(Operator.index, self, index)
            }
            if let value = map[index] { return isOptional ? .optional(value) : value }
            if isOptional { return .optional(nil) }
            throw EvaluationError(.noSuchKey, "no such key: \(index.inMessage)")
        case .optional(let wrapped):
            guard let wrapped else { return .optional(nil) }
            return try wrapped.indexed(by: index, isOptional: true)
        default:
            throw .noSuchOverload(Operator.index, self, index)
        }
    }

    /// A position in a list: any number that is whole.
    private var listIndex: Int? {
        switch plain {
        case .int(let value): Int(value)
        case .uint(let value): Int(exactly: value) ?? .max
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// A key or an index as messages show it.
    var inMessage: String {
        switch plain {
        case .string(let text): "'\(text)'"
        case .int(let value): "\(value)"
        case .uint(let value): "\(value)u"
        case .bool(let value): "\(value)"
        case .double(let value): formatDouble(value)
        default: type.reflectedName
        }
    }
}
