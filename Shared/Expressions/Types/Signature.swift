/// One overload of a function, as the checker sees it.
struct Signature: Sendable {
    let isMethod: Bool
    /// The receiver of a method comes first.
    let parameters: [ValueType]
    let result: ValueType
    /// How many type variables the types hold.
    let variables: Int

    /// Reads `"name(int, list(A)) -> A"` and, for methods, `"(list(A)).name(int) -> A"`.
    static func read(_ text: String) -> (name: String, signature: Signature)? {
        var reader = TypeReader(text: Array(text.utf8))
        var receiver: ValueType?
        let name: String
        if reader.skip("(") {
            receiver = reader.type()
            guard receiver != nil, reader.skip(")"), reader.skip(".") else { return nil }
            name = reader.functionName()
        } else {
            name = reader.functionName()
        }
        guard reader.skip("(") else { return nil }
        var parameters = receiver.map { [$0] } ?? []
        if !reader.skip(")") {
            repeat {
                guard let parameter = reader.type() else { return nil }
                parameters.append(parameter)
            } while reader.skip(",")
            guard reader.skip(")") else { return nil }
        }
        guard reader.skip("-"), reader.skip(">"), let result = reader.type(), reader.isAtEnd else { return nil }
        let variables = (parameters + [result]).map(\.highestParameter).max() ?? 0
        return (
            name,
            Signature(isMethod: receiver != nil, parameters: parameters, result: result, variables: variables)
        )
    }
}

extension ValueType {
    /// One more than the greatest number of a type variable in it.
    var highestParameter: Int {
        switch self {
        case .parameter(let number): number + 1
        case .list(let inner), .optional(let inner), .type(let inner), .nullable(let inner): inner.highestParameter
        case .map(let key, let value): max(key.highestParameter, value.highestParameter)
        default: 0
        }
    }

    func mappingParameters(_ transform: (Int) -> ValueType) -> ValueType {
        switch self {
        case .parameter(let number): transform(number)
        case .list(let inner): .list(inner.mappingParameters(transform))
        case .optional(let inner): .optional(inner.mappingParameters(transform))
        case .type(let inner): .type(inner.mappingParameters(transform))
        case .nullable(let inner): .nullable(inner.mappingParameters(transform))
        case .map(let key, let value):
            .map(key: key.mappingParameters(transform), value: value.mappingParameters(transform))
        default: self
        }
    }
}
