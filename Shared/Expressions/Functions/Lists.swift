import JSON

/// The lists extension, and `sum`. `sortBy` is a macro.
extension FunctionLibrary {
    static func addLists(_ group: inout FunctionGroup) {
        list(&group, "(list(A)).distinct() -> list(A)", "distinct") { (list, context) throws(EvaluationError) in
            // Each element is compared with all that were kept.
            var kept: [Value] = []
            for element in list {
                var isNew = true
                for other in kept where isNew {
                    try context.charge(traversing: element)
                    isNew = !other.isEqual(to: element)
                }
                if isNew { kept.append(element) }
            }
            return .list(kept)
        }
        list(&group, "(list(A)).first() -> optional(A)", "first") { (list, _) in .optional(list.first) }
        list(&group, "(list(A)).last() -> optional(A)", "last") { (list, _) in .optional(list.last) }
        list(&group, "(list(A)).sort() -> list(A)", "sort") { (list, context) throws(EvaluationError) in
            try context.charge(list.count * 4)
            return .list(try sorted(list.map { ($0.plain, $0) }))
        }
        group.unary(
            "(list(int)).sum() -> int", "(list(uint)).sum() -> uint", "(list(double)).sum() -> double",
            "(list(decimal)).sum() -> decimal", "(list(duration)).sum() -> duration"
        ) { (value, context) throws(EvaluationError) in
            guard case .list(let list) = value else { throw .noSuchOverload("sum", value) }
            guard var total = list.first else { return .int(0) }
            try context.charge(list.count)
            switch total.plain {
            case .int, .uint, .double, .decimal, .duration: break
            default: throw .noSuchOverload("sum", value)
            }
            for element in list.dropFirst() { total = try add(total, element, context) }
            return total.plain
        }
        group.unary("lists.range(int) -> list(int)") { (value, context) throws(EvaluationError) in
            guard case .int(let count) = value else { throw .noSuchOverload("lists.range", value) }
            guard count > 0 else { return .list([]) }
            try context.charge(Int(count))
            return .list((0..<count).map { .int($0) })
        }
        addFlatten(&group)
        addSlice(&group)
    }

    private static func list(
        _ group: inout FunctionGroup, _ signature: String, _ name: String,
        _ body: @escaping @Sendable ([Value], EvaluationContext) throws(EvaluationError) -> Value
    ) {
        group.unary(signature) { (value, context) throws(EvaluationError) in
            guard case .list(let list) = value else { throw .noSuchOverload(name, value) }
            return try body(list, context)
        }
    }

    private static func addFlatten(_ group: inout FunctionGroup) {
        group.variadic(
            "(list(list(A))).flatten() -> list(A)", "(list(A)).flatten() -> list(dyn)",
            "(list(A)).flatten(int) -> list(dyn)"
        ) { (arguments, context) throws(EvaluationError) in
            guard case .list(let list)? = arguments.first else { throw noSuchOverload("flatten", arguments) }
            var depth: Int64 = 1
            if arguments.count == 2 {
                guard case .int(let given) = arguments[1] else { throw noSuchOverload("flatten", arguments) }
                depth = given
            }
            guard depth >= 0 else { throw .invalid("flatten(): the depth \(depth) is negative") }
            var result: [Value] = []
            try flatten(list, depth, into: &result, context)
            return .list(result)
        }
    }

    private static func flatten(
        _ list: [Value], _ depth: Int64, into result: inout [Value], _ context: EvaluationContext
    ) throws(EvaluationError) {
        for element in list {
            try context.charge(1)
            if depth > 0, case .list(let inner) = element {
                try flatten(inner, depth - 1, into: &result, context)
            } else {
                result.append(element)
            }
        }
    }

    private static func addSlice(_ group: inout FunctionGroup) {
        group.variadic("(list(A)).slice(int, int) -> list(A)") { (arguments, context) throws(EvaluationError) in
            guard arguments.count == 3, case .list(let list) = arguments[0], case .int(let start) = arguments[1],
                case .int(let end) = arguments[2]
            else { throw noSuchOverload("slice", arguments) }
            guard start >= 0, start <= end, end <= list.count else {
                throw EvaluationError(
                    .indexOutOfRange, "slice(\(start), \(end)) is out of range of a list of \(list.count)")
            }
            try context.charge(Int(end - start))
            return .list(Array(list[Int(start)..<Int(end)]))
        }
    }
}
