/// Optional values: `optional.of`, `orValue` and the like. `optMap` and `optFlatMap` are macros.
extension FunctionLibrary {
    static let optionalOf = Function(
        "optional.of", ["optional.of(A) -> optional(A)"].compactMap { Signature.read($0)?.signature },
        .unary { (value, _) in .optional(value) })

    static func addOptionals(_ group: inout FunctionGroup) {
        group.unary("optional.of(A) -> optional(A)") { (value, _) in .optional(value) }
        group.unary("optional.ofNonZeroValue(A) -> optional(A)") { (value, _) in
            .optional(value.isZero ? nil : value)
        }
        group.variadic("optional.none() -> optional(A)") { (_, _) in .optional(nil) }
        group.unary("(optional(A)).hasValue() -> bool") { (value, _) throws(EvaluationError) in
            guard case .optional(let wrapped) = value else { throw .noSuchOverload("hasValue", value) }
            return .bool(wrapped != nil)
        }
        group.unary("(optional(A)).value() -> A") { (value, _) throws(EvaluationError) in
            guard case .optional(let wrapped) = value else { throw .noSuchOverload("value", value) }
            guard let wrapped else { throw .invalid("optional.none() dereference") }
            return wrapped
        }
        group.add(["(optional(A)).orValue(A) -> A"], .alternative(isUnwrapping: true))
        group.add(["(optional(A)).or(optional(A)) -> optional(A)"], .alternative(isUnwrapping: false))
        group.unary("optional.unwrap(list(optional(A))) -> list(A)", body: unwrapAll)
        group.unary("(list(optional(A))).unwrapOpt() -> list(A)", body: unwrapAll)
    }

    @Sendable
    private static func unwrapAll(_ value: Value, _ context: EvaluationContext) throws(EvaluationError) -> Value {
        guard case .list(let list) = value else { throw .noSuchOverload("optional.unwrap", value) }
        try context.charge(list.count)
        var values: [Value] = []
        for element in list {
            guard case .optional(let wrapped) = element else { throw .noSuchOverload("optional.unwrap", value) }
            if let wrapped { values.append(wrapped) }
        }
        return .list(values)
    }
}
