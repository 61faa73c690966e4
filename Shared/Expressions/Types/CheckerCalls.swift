import Patterns

/// Calls: which function, which overload, and whether the answer is known already.
extension Checker {
    mutating func checkCall(
        _ name: String, receiver: Syntax?, _ arguments: [Syntax], at offset: Int
    ) -> Node {
        guard let receiver else {
            if name == "has", arguments.count == 1 { return checkFieldPresence(arguments[0], at: offset) }
            let isAbsolute = name.hasPrefix(".")
            let plainName = isAbsolute ? String(name.dropFirst()) : name
            guard let function = findFunction(plainName, isAbsolute: isAbsolute) else {
                return unknownFunction(plainName, arguments, isMethod: false, at: offset)
            }
            return apply(function, arguments.map { check($0) }, isMethod: false, at: offset)
        }
        // A receiver that is a chain of names may be a namespace: math.greatest(...).
        if let (namespace, isAbsolute) = qualifiedName(of: receiver),
            !startsWithLocal(namespace, isAbsolute: isAbsolute),
            let function = findFunction("\(namespace).\(name)", isAbsolute: isAbsolute)
        {
            return apply(function, arguments.map { check($0) }, isMethod: false, at: offset)
        }
        if let (namespace, _) = qualifiedName(of: receiver), !startsWithLocal(namespace, isAbsolute: false),
            Self.namespaces.contains(namespace), environment.variables[namespace] == nil
        {
            return unknownFunction("\(namespace).\(name)", arguments, isMethod: false, at: offset)
        }
        guard let function = FunctionLibrary.functions[name] else {
            return unknownFunction(name, [receiver] + arguments, isMethod: true, at: offset)
        }
        return apply(function, ([receiver] + arguments).map { check($0) }, isMethod: true, at: offset)
    }

    private static let namespaces = Set(
        FunctionLibrary.functions.keys.compactMap { name in name.lastIndex(of: ".").map { String(name[..<$0]) } })

    private func findFunction(_ name: String, isAbsolute: Bool) -> Function? {
        for candidate in candidates(for: name, isAbsolute: isAbsolute) {
            if let function = FunctionLibrary.functions[candidate] { return function }
        }
        return nil
    }

    private mutating func unknownFunction(
        _ name: String, _ arguments: [Syntax], isMethod: Bool, at offset: Int
    ) -> Node {
        for argument in arguments { _ = check(argument) }
        let known = FunctionLibrary.functions.keys.filter { !$0.hasPrefix("_") && !$0.hasPrefix("@") }.sorted()
        report("there is no function '\(name)'" + suggestion(name, among: known), at: offset)
        return make(.constant(.null), .error, at: offset)
    }

    mutating func apply(_ function: Function, _ arguments: [Node], isMethod: Bool, at offset: Int) -> Node {
        let given = arguments.map { type(of: $0) }
        var result: ValueType?
        for signature in function.signatures
        where signature.isMethod == isMethod && signature.parameters.count == arguments.count {
            let instance = inference.instantiate(signature)
            guard inference.assign(given, to: instance.parameters) else { continue }
            let found = inference.resolve(instance.result)
            if let known = result {
                if known != found { result = .dyn }
            } else {
                result = found
            }
        }
        guard var result else {
            if !given.contains(.error) { report(noOverload(function, given, isMethod: isMethod), at: offset) }
            return make(.constant(.null), .error, at: offset)
        }
        if function.name == "dyn" { result = .dyn }
        if function.name == "type", let argument = given.first { result = .type(argument) }
        if function.name == "matches", let pattern = arguments[1].constant, case .string(let text) = pattern {
            do {
                let compiled = try Pattern(re2: text.string)
                return make(.call(FunctionLibrary.constantMatch(compiled), [arguments[0]]), result, at: offset)
            } catch {
                report("'\(text)' is no regular expression: \(error)", at: arguments[1].offset)
            }
        }
        if let folded = fold(function, arguments, at: offset) { return make(.constant(folded), result, at: offset) }
        return make(.call(function, arguments), result, at: offset)
    }

    private func noOverload(_ function: Function, _ given: [ValueType], isMethod: Bool) -> String {
        let types = given.map { shown($0) }
        let name = function.name
        if let symbol = Self.symbols[name] {
            return types.count == 2
                ? "there is no \(types[0]) \(symbol) \(types[1])" : "there is no \(symbol)\(types.joined())"
        }
        switch name {
        case Operator.index, Operator.optionalIndex: return "a value of type \(types[0]) has no [\(types[1])]"
        default: break
        }
        let call =
            isMethod
            ? "\(types[0]).\(name)(\(types.dropFirst().joined(separator: ", ")))"
            : "\(name)(\(types.joined(separator: ", ")))"
        return "no overload of '\(name)' is \(call)"
    }

    private static let symbols = [
        "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=",
        Operator.equal: "==", Operator.notEqual: "!=", Operator.contained: "in", Operator.not: "!",
        Operator.negate: "-",
    ]

    /// The value of a call of constants. What fails is left for the evaluation, where `||` or `?:` may pass it over.
    private mutating func fold(_ function: Function, _ arguments: [Node], at offset: Int) -> Value? {
        let constants = arguments.compactMap(\.constant)
        guard function.isPure, constants.count == arguments.count else { return nil }
        let context = folding ?? EvaluationContext(folding: Limits.folding)
        folding = context
        context.renewCost()
        return try? function(constants, context)
    }

    // MARK: Messages

    /// There are no protobuf messages here but the well-known ones, which are values of the language.
    mutating func checkMessage(_ name: String, _ fields: [Syntax.Field], at offset: Int) -> Node {
        let known = candidates(for: name, isAbsolute: false).first { WellKnownMessage.types[$0] != nil }
        guard let known, let message = WellKnownMessage.types[known] else {
            for field in fields { _ = check(field.value) }
            report("there is no message type '\(name)'", at: offset)
            return make(.constant(.null), .error, at: offset)
        }
        var arguments: [Node] = []
        for field in message.fields {
            guard let written = fields.last(where: { $0.name == field.name }) else {
                arguments.append(make(.constant(field.initial), .dyn, at: offset))
                continue
            }
            let node = check(written.value)
            if !inference.assign(type(of: node), to: field.type) {
                report("\(known).\(field.name) is \(field.type), not \(shown(type(of: node)))", at: written.offset)
            }
            arguments.append(node)
        }
        for field in fields where !message.fields.contains(where: { $0.name == field.name }) {
            report("\(known) has no field '\(field.name)'", at: field.offset)
        }
        return make(.call(message.constructor, arguments), message.result, at: offset)
    }
}

extension Limits {
    /// Constants are folded only while that is cheap.
    static var folding: Limits {
        var limits = Limits()
        limits.cost = 10_000
        return limits
    }
}
