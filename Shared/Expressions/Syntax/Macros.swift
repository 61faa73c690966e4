/// Macros become nodes of their own: what they bind and when they stop is known before anything is evaluated.
extension Parser {
    /// The node that a call of a macro stands for; nil if the call has another name or another form.
    func expandMacro(
        _ name: String, receiver: Syntax?, arguments: [Syntax], at offset: Int
    ) throws(SyntaxError) -> Syntax? {
        guard let receiver else {
            return name == "has" && arguments.count == 1 ? try presence(arguments[0], at: offset) : nil
        }
        if case .name(let namespace, _) = receiver.kind,
            let expanded = try namespaceMacro(
                namespace, name, arguments: arguments, at: offset)
        {
            return expanded
        }
        switch (name, arguments.count) {
        case ("all", 2), ("all", 3):
            return try predicate(.all, receiver, arguments, at: offset)
        case ("exists", 2), ("exists", 3):
            return try predicate(.exists, receiver, arguments, at: offset)
        case ("exists_one", 2), ("exists_one", 3), ("existsOne", 2), ("existsOne", 3):
            return try predicate(.existsOne, receiver, arguments, at: offset)
        case ("filter", 2):
            return try comprehension(.filter, receiver, names: arguments.prefix(1), nil, arguments[1], at: offset)
        case ("map", 2):
            return try comprehension(.map, receiver, names: arguments.prefix(1), nil, arguments[1], at: offset)
        case ("map", 3):
            return try comprehension(
                .map, receiver, names: arguments.prefix(1), arguments[1], arguments[2], at: offset)
        case ("transformList", 3), ("transformList", 4):
            return try transform(.map, receiver, arguments, at: offset)
        case ("transformMap", 3), ("transformMap", 4):
            return try transform(.transformMap, receiver, arguments, at: offset)
        case ("transformMapEntry", 3), ("transformMapEntry", 4):
            return try transform(.transformMapEntry, receiver, arguments, at: offset)
        case ("sortBy", 2):
            return try comprehension(.sortBy, receiver, names: arguments.prefix(1), nil, arguments[1], at: offset)
        case ("optMap", 2), ("optFlatMap", 2):
            let variable = try variableName(arguments[0])
            return try make(
                .optionalMap(receiver, name: variable, body: arguments[1], isFlat: name == "optFlatMap"), at: offset,
                over: [receiver, arguments[1]])
        default:
            return nil
        }
    }

    /// `cel.bind(x, value, body)`; `math.greatest` and `math.least` of any number of arguments are the same of one list.
    private func namespaceMacro(
        _ namespace: String, _ name: String, arguments: [Syntax], at offset: Int
    ) throws(SyntaxError) -> Syntax? {
        switch (namespace, name, arguments.count) {
        case ("cel", "bind", 3):
            let variable = try variableName(arguments[0])
            return try make(
                .bind(variable, value: arguments[1], body: arguments[2]), at: offset,
                over: [arguments[1], arguments[2]])
        case ("math", "greatest", 2...), ("math", "least", 2...):
            let elements = arguments.map { Syntax.Element(value: $0, isOptional: false) }
            let list = try make(.list(elements), at: offset, over: arguments)
            return try call("math." + name, [list], at: offset)
        default:
            return nil
        }
    }

    private func presence(_ argument: Syntax, at offset: Int) throws(SyntaxError) -> Syntax {
        switch argument.kind {
        case .select(let operand, let field, let isOptional):
            return try make(
                .presence(operand, field: field, isOptional: isOptional), at: argument.offset, over: [operand])
        case .name:
            // Ours: a field of the record is a name, and whether it is there can be asked too. The checker refuses
            // names that are no such fields.
            return try make(.call("has", receiver: nil, arguments: [argument]), at: argument.offset, over: [argument])
        default:
            throw SyntaxError(message: "has() takes a field: has(x.field)", offset: argument.offset)
        }
    }

    private func predicate(
        _ kind: ComprehensionKind, _ range: Syntax, _ arguments: [Syntax], at offset: Int
    ) throws(SyntaxError) -> Syntax {
        try comprehension(kind, range, names: arguments.dropLast(), nil, arguments[arguments.count - 1], at: offset)
    }

    private func transform(
        _ kind: ComprehensionKind, _ range: Syntax, _ arguments: [Syntax], at offset: Int
    ) throws(SyntaxError) -> Syntax {
        let filter = arguments.count == 4 ? arguments[2] : nil
        return try comprehension(
            kind, range, names: arguments.prefix(2), filter, arguments[arguments.count - 1], at: offset)
    }

    private func comprehension(
        _ kind: ComprehensionKind, _ range: Syntax, names: ArraySlice<Syntax>, _ filter: Syntax?, _ body: Syntax,
        at offset: Int
    ) throws(SyntaxError) -> Syntax {
        var variables: [String] = []
        for name in names {
            let variable = try variableName(name)
            guard !variables.contains(variable) else {
                throw SyntaxError(message: "both variables are called '\(variable)'", offset: name.offset)
            }
            variables.append(variable)
        }
        return try make(
            .comprehension(
                Syntax.Comprehension(kind: kind, names: variables, range: range, filter: filter, body: body)),
            at: offset, over: [range, body] + (filter.map { [$0] } ?? []))
    }

    private func variableName(_ syntax: Syntax) throws(SyntaxError) -> String {
        guard case .name(let name, false) = syntax.kind else {
            throw SyntaxError(message: "a variable is a plain name", offset: syntax.offset)
        }
        return name
    }
}
