extension Node.Comprehension {
    func value(in context: EvaluationContext, offset: Int) throws(EvaluationError) -> Value {
        let range = try range.value(in: context)
        switch kind {
        case .all: return .bool(try connect(range, until: false, in: context, offset))
        case .exists: return .bool(try connect(range, until: true, in: context, offset))
        case .existsOne:
            var count = 0
            try iterate(range, in: context, offset) { () throws(EvaluationError) in
                if try holds(body, in: context) { count += 1 }
                return true
            }
            return .bool(count == 1)
        case .map, .filter:
            var values: [Value] = []
            try iterate(range, in: context, offset) { () throws(EvaluationError) in
                if kind == .filter {
                    if try holds(body, in: context) { values.append(context.locals[local]) }
                } else if try holds(filter, in: context) {
                    values.append(try body.value(in: context))
                }
                return true
            }
            return .list(values)
        case .transformMap, .transformMapEntry:
            return .map(try transformedMap(range, in: context, offset))
        case .sortBy:
            var keyed: [(key: Value, value: Value)] = []
            try iterate(range, in: context, offset) { () throws(EvaluationError) in
                keyed.append((try body.value(in: context), context.locals[local]))
                return true
            }
            do { return .list(try sorted(keyed)) } catch { throw error.at(offset) }
        }
    }

    /// `all` and `exists` are `&&` and `||` over the elements: one that decides wins over errors.
    private func connect(
        _ range: Value, until deciding: Bool, in context: EvaluationContext, _ offset: Int
    ) throws(EvaluationError) -> Bool {
        var failure: EvaluationError?
        var decided = false
        try iterate(range, in: context, offset) { () throws(EvaluationError) in
            do throws(EvaluationError) {
                decided = try holds(body, in: context) == deciding
            } catch {
                if error.reason == .costLimit { throw error }
                failure = failure ?? error
            }
            return !decided
        }
        if decided { return deciding }
        if let failure { throw failure }
        return !deciding
    }

    private func transformedMap(
        _ range: Value, in context: EvaluationContext, _ offset: Int
    ) throws(EvaluationError) -> ValueMap {
        var map = ValueMap()
        try iterate(range, in: context, offset) { () throws(EvaluationError) in
            guard try holds(filter, in: context) else { return true }
            let value = try body.value(in: context)
            if kind == .transformMap {
                try map.insert(context.locals[local], value, at: offset)
            } else if case .map(let entry) = value {
                for (key, value) in entry.entries { try map.insert(key, value, at: offset) }
            } else {
                throw EvaluationError(.noSuchOverload, "transformMapEntry() takes a map of one entry").at(body.offset)
            }
            return true
        }
        return map
    }

    private func holds(_ condition: Node?, in context: EvaluationContext) throws(EvaluationError) -> Bool {
        guard let condition else { return true }
        guard case .bool(let value) = try condition.value(in: context) else {
            throw EvaluationError(.noSuchOverload, "no such overload: the condition is not a bool").at(condition.offset)
        }
        return value
    }

    /// Runs the body with the variables set to each element, until it answers false.
    private func iterate(
        _ range: Value, in context: EvaluationContext, _ offset: Int,
        _ body: () throws(EvaluationError) -> Bool
    ) throws(EvaluationError) {
        switch range {
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                context.locals[local] = isPair ? .int(Int64(index)) : element
                if isPair { context.locals[local + 1] = element }
                guard try body() else { return }
            }
        case .map(let map):
            for (key, value) in map.entries {
                context.locals[local] = key
                if isPair { context.locals[local + 1] = value }
                guard try body() else { return }
            }
        default:
            throw EvaluationError(
                .noSuchOverload, "no such overload: a macro cannot run over a value of type \(range.type.reflectedName)"
            ).at(offset)
        }
    }
}

/// The values in the order of their keys; equal keys keep their order.
func sorted(_ keyed: [(key: Value, value: Value)]) throws(EvaluationError) -> [Value] {
    guard let first = keyed.first else { return [] }
    for (key, _) in keyed where key.type != first.key.type || key.order(to: first.key) == nil {
        throw EvaluationError(
            .noSuchOverload,
            "no such overload: \(first.key.type.reflectedName) and \(key.type.reflectedName) cannot be sorted together")
    }
    return keyed.enumerated().sorted { left, right in
        switch left.element.key.order(to: right.element.key) {
        case .some(.some(.before)): true
        case .some(.some(.same)): left.offset < right.offset
        default: false
        }
    }.map(\.element.value)
}
