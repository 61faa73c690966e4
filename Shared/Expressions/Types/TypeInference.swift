/// Type variables and what is known of them so far.
///
/// The rules are those of the language definition's gradual typing: `dyn` goes with everything, null goes with types that
/// have a null, and a list or map literal of unlike elements is a list or map of `dyn`.
struct TypeInference {
    private var known: [Int: ValueType] = [:]
    private var next = 1000

    mutating func fresh() -> ValueType {
        next += 1
        return .parameter(next)
    }

    /// The signature with type variables of its own.
    mutating func instantiate(_ signature: Signature) -> (parameters: [ValueType], result: ValueType) {
        guard signature.variables > 0 else { return (signature.parameters, signature.result) }
        let base = next
        next += signature.variables
        let rename: (Int) -> ValueType = { .parameter(base + 1 + $0) }
        return (
            signature.parameters.map { $0.mappingParameters(rename) }, signature.result.mappingParameters(rename)
        )
    }

    /// The type with everything that is known put in; what stays unknown is `dyn` if `closing`.
    func resolve(_ type: ValueType, closing: Bool = false) -> ValueType {
        type.mappingParameters { number in
            if let found = known[number] { return resolve(found, closing: closing) }
            return closing ? .dyn : .parameter(number)
        }
    }

    /// Whether a value of `source` can stand where `target` is wanted; what is learnt is kept only if so.
    mutating func assign(_ source: ValueType, to target: ValueType) -> Bool {
        assign([source], to: [target])
    }

    mutating func assign(_ sources: [ValueType], to targets: [ValueType]) -> Bool {
        let before = known
        for (source, target) in zip(sources, targets) where !unify(target, source) {
            known = before
            return false
        }
        return true
    }

    /// The type of a value that is one or the other.
    mutating func join(_ first: ValueType?, _ second: ValueType) -> ValueType {
        guard let first else { return second }
        if assign(second, to: first) {
            let (left, right) = (resolve(first), resolve(second))
            return Self.isEqualOrLessSpecific(left, right) ? left : right
        }
        if assign(first, to: second) { return second }
        return .dyn
    }

    private mutating func unify(_ target: ValueType, _ source: ValueType) -> Bool {
        if target == source { return true }
        if case .parameter(let number) = source { return bind(number, source, to: target, isTarget: false) }
        if case .parameter(let number) = target { return bind(number, target, to: source, isTarget: true) }
        if target.isDynamic || source.isDynamic { return true }
        switch (target, source) {
        case (.nullable(let wrapped), .null): return wrapped != .null
        case (.nullable(let wrapped), .nullable(let inner)): return unify(wrapped, inner)
        case (.nullable(let wrapped), _): return unify(wrapped, source)
        case (_, .nullable(let wrapped)): return unify(target, wrapped)
        case (.null, let other), (let other, .null): return other.acceptsNull
        case (.list(let wanted), .list(let given)): return unify(wanted, given)
        case (.optional(let wanted), .optional(let given)): return unify(wanted, given)
        case (.map(let key, let value), .map(let givenKey, let givenValue)):
            return unify(key, givenKey) && unify(value, givenValue)
        case (.type, .type): return true
        case (.map(let key, let value), .object), (.object, .map(let key, let value)):
            // An object is a map whose keys are known.
            return unify(key, .string) && unify(value, .dyn)
        default: return false
        }
    }

    private mutating func bind(_ number: Int, _ variable: ValueType, to type: ValueType, isTarget: Bool) -> Bool {
        if let found = known[number] {
            guard isTarget ? unify(found, type) : unify(type, found) else { return false }
            let resolved = resolve(type)
            if Self.isEqualOrLessSpecific(resolved, resolve(found)), !mentions(type, number) { known[number] = type }
            return true
        }
        if mentions(type, number) { return resolve(type) == variable }
        known[number] = type
        return true
    }

    private func mentions(_ type: ValueType, _ number: Int) -> Bool {
        switch type {
        case .parameter(let other):
            other == number || (known[other].map { mentions($0, number) } ?? false)
        case .list(let inner), .optional(let inner), .type(let inner), .nullable(let inner):
            mentions(inner, number)
        case .map(let key, let value): mentions(key, number) || mentions(value, number)
        default: false
        }
    }

    static func isEqualOrLessSpecific(_ first: ValueType, _ second: ValueType) -> Bool {
        switch (first, second) {
        case (.dyn, _), (.error, _), (.parameter, _): true
        case (_, .dyn), (_, .error), (_, .parameter): false
        case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)),
            (.nullable(let left), .nullable(let right)):
            isEqualOrLessSpecific(left, right)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            isEqualOrLessSpecific(key, otherKey) && isEqualOrLessSpecific(value, otherValue)
        case (.nullable, _): true
        case (_, .nullable): false
        case (.null, _): false
        case (_, .null): true
        case (.map, .object): true
        case (.object, .map): false
        default: true
        }
    }
}

extension ValueType {
    /// Whether null may stand for a value of the type, as it may for protobuf's messages.
    fileprivate var acceptsNull: Bool {
        switch self {
        case .timestamp, .duration, .object, .optional, .nullable, .null: true
        default: false
        }
    }
}
