/// Resolves names and overloads and infers types; what comes out cannot fail for a reason that was known before.
struct Checker {
    let environment: Environment
    let source: SourceText
    var inference = TypeInference()
    var types: [ValueType] = []
    var errors: [SyntaxError] = []
    var references: Set<String> = []
    /// The names that comprehensions and binds have introduced, innermost last.
    var locals: [(name: String, type: ValueType)] = []
    var localCount = 0
    var variableCount = 0
    var fieldCount = 0
    /// Calls constants; made when the first one is met.
    var folding: EvaluationContext?

    static func check(
        _ syntax: Syntax, source: SourceText, environment: Environment, expecting: ValueType?
    ) throws(CompilationErrors) -> Program {
        var checker = Checker(environment: environment, source: source)
        let root = checker.check(syntax)
        if let expecting, checker.errors.isEmpty {
            let found = checker.type(of: root)
            if !checker.inference.assign(found, to: expecting) {
                checker.report("the result must be \(expecting), but it is \(checker.shown(found))", at: syntax.offset)
            }
        }
        guard checker.errors.isEmpty else {
            let ordered = checker.errors.sorted { $0.offset < $1.offset }
            throw CompilationErrors(errors: ordered.map { $0.located(in: source) })
        }
        return Program(
            root: root, types: checker.types.map { checker.inference.resolve($0, closing: true) },
            needs: Needs(
                layout: environment.layout, variableCount: checker.variableCount, fieldCount: checker.fieldCount,
                localCount: checker.localCount),
            references: checker.references)
    }

    private init(environment: Environment, source: SourceText) {
        self.environment = environment
        self.source = source
    }

    // MARK: Nodes

    mutating func make(_ operation: Node.Operation, _ type: ValueType, at offset: Int) -> Node {
        types.append(type)
        return Node(operation, id: types.count - 1, offset: offset)
    }

    func type(of node: Node) -> ValueType { inference.resolve(types[node.id]) }

    func shown(_ type: ValueType) -> String { inference.resolve(type, closing: true).description }

    mutating func report(_ message: String, at offset: Int) {
        errors.append(SyntaxError(message: message, offset: offset))
    }

    /// What stands for an expression that was refused.
    private mutating func refused(_ message: String, at offset: Int) -> Node {
        report(message, at: offset)
        return make(.constant(.null), .error, at: offset)
    }

    // MARK: Kinds of expression

    mutating func check(_ syntax: Syntax) -> Node {
        let offset = syntax.offset
        switch syntax.kind {
        case .constant(let value):
            return make(.constant(value), value.type, at: offset)
        case .name, .select:
            return checkName(syntax)
        case .presence(let operand, let field, let isOptional):
            return checkPresence(operand, field, isOptional: isOptional, at: offset)
        case .call(let name, let receiver, let arguments):
            return checkCall(name, receiver: receiver, arguments, at: offset)
        case .list(let elements):
            return checkList(elements, at: offset)
        case .map(let entries):
            return checkMap(entries, at: offset)
        case .message(let name, _, let fields):
            return checkMessage(name, fields, at: offset)
        case .and(let terms):
            return make(.and(checkConditions(terms, of: "&&")), .bool, at: offset)
        case .or(let terms):
            return make(.or(checkConditions(terms, of: "||")), .bool, at: offset)
        case .conditional(let condition, let accepted, let refused):
            return checkConditional(condition, accepted, refused, at: offset)
        case .comprehension(let comprehension):
            return checkComprehension(comprehension, at: offset)
        case .bind(let name, let value, let body):
            let bound = check(value)
            let (local, checked) = with(name, type(of: bound)) { $0.check(body) }
            return make(.bind(local: local, value: bound, body: checked), type(of: checked), at: offset)
        case .optionalMap(let target, let name, let body, let isFlat):
            return checkOptionalMap(target, name, body, isFlat: isFlat, at: offset)
        }
    }

    private mutating func checkConditions(_ terms: [Syntax], of name: String) -> [Node] {
        terms.map { checkCondition($0, of: name) }
    }

    private mutating func checkCondition(_ term: Syntax, of name: String) -> Node {
        let node = check(term)
        if !inference.assign(type(of: node), to: .bool) {
            report("\(name) takes bool, not \(shown(type(of: node)))", at: term.offset)
        }
        return node
    }

    private mutating func checkConditional(
        _ condition: Syntax, _ accepted: Syntax, _ refused: Syntax, at offset: Int
    ) -> Node {
        let test = checkCondition(condition, of: "?:")
        let (yes, no) = (check(accepted), check(refused))
        let (yesType, noType) = (type(of: yes), type(of: no))
        var result = inference.join(yesType, noType)
        // Ours: a value or null, which JSON's fields often are, needs no dyn().
        if yesType == .null, noType.isScalar { result = .nullable(noType) }
        if noType == .null, yesType.isScalar { result = .nullable(yesType) }
        if result == .dyn, !yesType.isDynamic, !noType.isDynamic {
            report("the branches of ?: are \(shown(yesType)) and \(shown(noType))", at: offset)
        }
        return make(.conditional(test, yes, no), result, at: offset)
    }

    private mutating func checkList(_ elements: [Syntax.Element], at offset: Int) -> Node {
        var elementType: ValueType?
        let nodes = elements.map { element in
            let node = check(element.value)
            let type = unwrapped(self.type(of: node), isOptional: element.isOptional, at: element.value.offset)
            elementType = inference.join(elementType, type)
            return Node.Element(value: node, isOptional: element.isOptional)
        }
        let type = ValueType.list(elementType ?? inference.fresh())
        if nodes.allSatisfy({ !$0.isOptional && $0.value.constant != nil }) {
            return make(.constant(.list(nodes.compactMap { $0.value.constant })), type, at: offset)
        }
        return make(.list(nodes), type, at: offset)
    }

    private mutating func checkMap(_ entries: [Syntax.Entry], at offset: Int) -> Node {
        var keyType: ValueType?
        var valueType: ValueType?
        let nodes = entries.map { entry in
            let (key, value) = (check(entry.key), check(entry.value))
            let type = self.type(of: key)
            switch type {
            case .bool, .int, .uint, .string, .dyn, .error, .parameter, .nullable: break
            default: report("a map's key is bool, int, uint or string, not \(shown(type))", at: entry.key.offset)
            }
            keyType = inference.join(keyType, type)
            valueType = inference.join(
                valueType, unwrapped(self.type(of: value), isOptional: entry.isOptional, at: entry.value.offset))
            return Node.Entry(key: key, value: value, isOptional: entry.isOptional)
        }
        let type = ValueType.map(key: keyType ?? inference.fresh(), value: valueType ?? inference.fresh())
        return make(.map(nodes), type, at: offset)
    }

    /// What an element written with `?` adds: what its optional holds.
    private mutating func unwrapped(_ type: ValueType, isOptional: Bool, at offset: Int) -> ValueType {
        guard isOptional else { return type }
        let inner = inference.fresh()
        guard inference.assign(type, to: .optional(inner)) else {
            report("'?' takes an optional, not \(shown(type))", at: offset)
            return .error
        }
        return type.isDynamic ? .dyn : inference.resolve(inner)
    }

    // MARK: Comprehensions

    /// Checks what is under a new name.
    private mutating func with<T>(
        _ name: String, _ type: ValueType, _ body: (inout Checker) -> T
    ) -> (local: Int, result: T) {
        locals.append((name, type))
        localCount = max(localCount, locals.count)
        let result = body(&self)
        locals.removeLast()
        return (locals.count, result)
    }

    private mutating func checkComprehension(_ comprehension: Syntax.Comprehension, at offset: Int) -> Node {
        let range = check(comprehension.range)
        let rangeType = type(of: range)
        let (first, second) = iterated(
            rangeType, isPair: comprehension.names.count == 2, at: comprehension.range.offset)
        var filter: Node?
        var body: Node?
        var result = ValueType.bool
        let (local, _) = with(comprehension.names[0], first) { checker in
            if comprehension.names.count == 2 {
                _ = checker.with(comprehension.names[1], second) {
                    (filter, body, result) = $0.checkBody(comprehension, rangeType: rangeType, first: first)
                }
            } else {
                (filter, body, result) = checker.checkBody(comprehension, rangeType: rangeType, first: first)
            }
        }
        guard let body else { return refused("the macro has no body", at: offset) }
        return make(
            .comprehension(
                Node.Comprehension(
                    kind: comprehension.kind, range: range, local: local, isPair: comprehension.names.count == 2,
                    filter: filter, body: body)), result, at: offset)
    }

    private mutating func checkBody(
        _ comprehension: Syntax.Comprehension, rangeType: ValueType, first: ValueType
    ) -> (filter: Node?, body: Node, result: ValueType) {
        let filter = comprehension.filter.map { checkCondition($0, of: "the filter") }
        switch comprehension.kind {
        case .all, .exists, .existsOne:
            return (nil, checkCondition(comprehension.body, of: "the macro"), .bool)
        case .filter:
            return (nil, checkCondition(comprehension.body, of: "filter()"), .list(first))
        case .map:
            let body = check(comprehension.body)
            return (filter, body, .list(type(of: body)))
        case .sortBy:
            return (nil, check(comprehension.body), .list(first))
        case .transformMap:
            let body = check(comprehension.body)
            var key = ValueType.int
            if case .map(let known, _) = rangeType { key = known } else if rangeType.isDynamic { key = .dyn }
            return (filter, body, .map(key: key, value: type(of: body)))
        case .transformMapEntry:
            let body = check(comprehension.body)
            let result = type(of: body)
            if !inference.assign(result, to: .map(key: inference.fresh(), value: inference.fresh())) {
                report(
                    "transformMapEntry() takes a map of one entry, not \(shown(result))", at: comprehension.body.offset)
            }
            return (filter, body, result)
        }
    }

    /// The types of the variables of a comprehension: element or key; index and element, or key and value.
    private mutating func iterated(
        _ range: ValueType, isPair: Bool, at offset: Int
    ) -> (first: ValueType, second: ValueType) {
        switch range {
        case .list(let element): return isPair ? (.int, element) : (element, .error)
        case .map(let key, let value): return (key, value)
        case .object: return (.string, .dyn)
        case .dyn, .error, .parameter: return (.dyn, .dyn)
        default:
            report("the macro runs over a list or a map, not over \(shown(range))", at: offset)
            return (.error, .error)
        }
    }

    private mutating func checkOptionalMap(
        _ target: Syntax, _ name: String, _ body: Syntax, isFlat: Bool, at offset: Int
    ) -> Node {
        let checked = check(target)
        let inner = inference.fresh()
        if !inference.assign(type(of: checked), to: .optional(inner)) {
            report("the receiver must be an optional, not \(shown(type(of: checked)))", at: target.offset)
        }
        let (local, mapped) = with(name, type(of: checked).isDynamic ? .dyn : inference.resolve(inner)) {
            $0.check(body)
        }
        var result = type(of: mapped)
        if isFlat {
            if !inference.assign(result, to: .optional(inference.fresh())) {
                report("optFlatMap() takes an optional, not \(shown(result))", at: body.offset)
            }
        } else {
            result = .optional(result)
        }
        return make(
            .optionalMap(checked, local: local, body: mapped, isFlat: isFlat), result, at: offset)
    }
}
