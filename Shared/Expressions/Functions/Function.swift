import Patterns

/// A function or operator: its overloads for the checker, one body for all of them.
///
/// The body decides by the values it is given, because operands may be `dyn`; it answers `noSuchOverload` for what it does
/// not take.
final class Function: Sendable {
    typealias Unary = @Sendable (Value, EvaluationContext) throws(EvaluationError) -> Value
    typealias Binary = @Sendable (Value, Value, EvaluationContext) throws(EvaluationError) -> Value
    typealias Variadic = @Sendable ([Value], EvaluationContext) throws(EvaluationError) -> Value

    enum Body: Sendable {
        case unary(Unary)
        case binary(Binary)
        case variadic(Variadic)
        /// The second operand is evaluated only if the first one is an empty optional.
        case alternative(isUnwrapping: Bool)
    }

    let name: String
    let signatures: [Signature]
    let body: Body
    /// Whether equal operands always give an equal result, so that a call of constants can be made once.
    let isPure: Bool
    /// The regular expression of `matches`, where it is a constant.
    let pattern: Pattern?

    init(_ name: String, _ signatures: [Signature], isPure: Bool = true, _ body: Body, pattern: Pattern? = nil) {
        self.name = name
        self.signatures = signatures
        self.isPure = isPure
        self.pattern = pattern
        self.body = body
    }

    func callAsFunction(
        _ arguments: [Value], _ context: EvaluationContext
    ) throws(EvaluationError) -> Value {
        switch body {
        case .unary(let body) where arguments.count == 1:
            return try body(arguments[0], context)
        case .binary(let body) where arguments.count == 2:
            return try body(arguments[0], arguments[1], context)
        case .variadic(let body):
            return try body(arguments, context)
        case .alternative(let isUnwrapping) where arguments.count == 2:
            return try present(arguments[0], isUnwrapping: isUnwrapping) ?? arguments[1]
        default:
            throw EvaluationError(.noSuchOverload, "no such overload: \(name) with \(arguments.count) arguments")
        }
    }
}

extension Function {
    /// What an optional on the left of `or` or `orValue` answers for itself; nil if it is empty.
    func present(_ value: Value, isUnwrapping: Bool) throws(EvaluationError) -> Value? {
        guard case .optional(let wrapped) = value else { throw .noSuchOverload(name, value) }
        guard let wrapped else { return nil }
        return isUnwrapping ? wrapped : value
    }
}

/// A group of functions on the way into the library.
struct FunctionGroup {
    private(set) var functions: [Function] = []

    /// Adds a function under the overloads of its signatures (``Signature/read(_:)``), which all have one name.
    mutating func add(_ signatures: [String], isPure: Bool = true, _ body: Function.Body) {
        var name = ""
        let overloads = signatures.compactMap { text in
            let read = Signature.read(text)
            assert(read != nil, "unreadable signature: \(text)")
            name = read?.name ?? name
            return read?.signature
        }
        functions.append(Function(name, overloads, isPure: isPure, body))
    }

    mutating func unary(_ signatures: String..., isPure: Bool = true, body: @escaping Function.Unary) {
        add(signatures, isPure: isPure, .unary(body))
    }

    mutating func binary(_ signatures: String..., body: @escaping Function.Binary) {
        add(signatures, .binary(body))
    }

    mutating func variadic(_ signatures: String..., isPure: Bool = true, body: @escaping Function.Variadic) {
        add(signatures, isPure: isPure, .variadic(body))
    }
}

/// All functions by name: the standard ones, the extensions, and our own.
enum FunctionLibrary {
    static let functions: [String: Function] = {
        var group = FunctionGroup()
        addOperators(&group)
        addComparisons(&group)
        addConversions(&group)
        addStandardStrings(&group)
        addMatching(&group)
        addTimeAccessors(&group)
        addStringExtensions(&group)
        addMath(&group)
        addLists(&group)
        addSetsAndEncoders(&group)
        addOptionals(&group)
        addDecimals(&group)
        addHashes(&group)
        var byName: [String: Function] = [:]
        for function in group.functions {
            assert(byName[function.name] == nil, "\(function.name) is there twice")
            byName[function.name] = function
        }
        return byName
    }()
}
