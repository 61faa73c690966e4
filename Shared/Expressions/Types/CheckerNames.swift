/// Names, fields and what was perhaps meant by them.
extension Checker {
    /// A name or a chain of selections: the longest part of the chain that is a declared name is one.
    mutating func checkName(_ syntax: Syntax) -> Node {
        if let (name, isAbsolute) = qualifiedName(of: syntax), !startsWithLocal(name, isAbsolute: isAbsolute),
            let node = lookUp(name, isAbsolute: isAbsolute, at: syntax.offset)
        {
            return node
        }
        switch syntax.kind {
        case .name(let name, let isAbsolute):
            if !isAbsolute, let index = locals.lastIndex(where: { $0.name == name }) {
                return make(.local(index), locals[index].type, at: syntax.offset)
            }
            if environment.hasOpenRecord {
                references.insert(name)
                return make(.field(recordField(name, .dyn)), .dyn, at: syntax.offset)
            }
            report(undeclared(name), at: syntax.offset)
            return make(.constant(.null), .error, at: syntax.offset)
        case .select(let operand, let field, let isOptional):
            if let misspelt = misspeltQualifiedName(syntax) {
                report(undeclared(misspelt), at: syntax.offset)
                return make(.constant(.null), .error, at: syntax.offset)
            }
            return checkSelection(check(operand), field, isOptional: isOptional, at: syntax.offset)
        default:
            return check(syntax)
        }
    }

    /// A chain that starts with nothing declared but is nearly a qualified name: `record.topci`.
    private func misspeltQualifiedName(_ syntax: Syntax) -> String? {
        guard !environment.hasOpenRecord, let (name, isAbsolute) = qualifiedName(of: syntax),
            !startsWithLocal(name, isAbsolute: isAbsolute)
        else { return nil }
        let parts = name.split(separator: ".")
        for length in 1..<parts.count {
            let prefix = parts[..<length].joined(separator: ".")
            for candidate in candidates(for: prefix, isAbsolute: isAbsolute)
            where environment.variables[candidate] != nil || Self.typeNames[candidate] != nil {
                return nil
            }
        }
        let qualified = environment.variables.keys.filter { $0.contains(".") }
        return nearestName(to: name, among: qualified.sorted()) == nil ? nil : name
    }

    func qualifiedName(of syntax: Syntax) -> (name: String, isAbsolute: Bool)? {
        switch syntax.kind {
        case .name(let name, let isAbsolute): return (name, isAbsolute)
        case .select(let operand, let field, false):
            return qualifiedName(of: operand).map { ($0.name + "." + field, $0.isAbsolute) }
        default: return nil
        }
    }

    func startsWithLocal(_ name: String, isAbsolute: Bool) -> Bool {
        guard !isAbsolute else { return false }
        let root = name.prefix { $0 != "." }
        return locals.contains { $0.name == root }
    }

    /// The names that a name can stand for, the one in the innermost namespace first.
    func candidates(for name: String, isAbsolute: Bool) -> [String] {
        guard !isAbsolute, !environment.container.isEmpty else { return [name] }
        var found: [String] = []
        var namespace = environment.container[...]
        while !namespace.isEmpty {
            found.append("\(namespace).\(name)")
            namespace = namespace.lastIndex(of: ".").map { namespace[..<$0] } ?? ""
        }
        return found + [name]
    }

    private mutating func lookUp(_ name: String, isAbsolute: Bool, at offset: Int) -> Node? {
        for candidate in candidates(for: name, isAbsolute: isAbsolute) {
            if let variable = environment.variables[candidate] {
                references.insert(candidate)
                switch variable.storage {
                case .slot(let slot):
                    variableCount = max(variableCount, slot + 1)
                    return make(.variable(slot: slot, name: candidate), variable.type, at: offset)
                case .field: return make(.field(recordField(candidate, variable.type)), variable.type, at: offset)
                case .record: return make(.record, variable.type, at: offset)
                case .constant:
                    return make(.constant(environment.constants[candidate] ?? .null), variable.type, at: offset)
                }
            }
            if let type = Self.typeNames[candidate] {
                return make(.constant(.type(type)), .type(type), at: offset)
            }
            if candidate == "google.protobuf.NullValue.NULL_VALUE" {
                return make(.constant(.null), .null, at: offset)
            }
        }
        return nil
    }

    /// Types are values: `type(x) == int`.
    private static let typeNames: [String: ValueType] = [
        "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes,
        "null_type": .null, "type": .type(.dyn), "list": .list(.dyn), "map": .map(key: .dyn, value: .dyn),
        "optional_type": .optional(.dyn), "decimal": .decimal, "google.protobuf.Timestamp": .timestamp,
        "google.protobuf.Duration": .duration,
    ]

    private func undeclared(_ name: String) -> String {
        let known = environment.variables.keys.sorted() + locals.map(\.name)
        if let field = environment.recordType {
            return "'\(name)' is neither a field of \(field.name) nor a declared name" + suggestion(name, among: known)
        }
        return "'\(name)' is not declared" + suggestion(name, among: known)
    }

    func suggestion(_ name: String, among known: [String]) -> String {
        nearestName(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
    }

    // MARK: Selections

    mutating func checkSelection(_ operand: Node, _ field: String, isOptional: Bool, at offset: Int) -> Node {
        let operandType = type(of: operand)
        if !isOptional, case .record = operand.operation {
            let type = fieldType(field, of: operandType, at: offset)
            return make(.field(recordField(field, type)), type, at: offset)
        }
        if !isOptional, case .field(let parent) = operand.operation, !operandType.isOptional {
            let type = fieldType(field, of: operandType, at: offset)
            return make(.field(parent.appending(field, type)), type, at: offset)
        }
        var result = selectedType(field, of: operandType, at: offset)
        if isOptional, !result.isOptional { result = .optional(result) }
        let operation = Node.Operation.select(operand, field: Text(field), isOptional: isOptional)
        return make(operation, result, at: offset)
    }

    private mutating func recordField(_ name: String, _ type: ValueType) -> Node.RecordField {
        references.insert(name)
        let place = environment.layout.field(name)
        fieldCount = max(fieldCount, place + 1)
        return Node.RecordField(name: name, place: place, type: type)
    }

    /// A selection from an optional is optional.
    private mutating func selectedType(_ field: String, of type: ValueType, at offset: Int) -> ValueType {
        if case .optional(let wrapped) = type {
            let inner = fieldType(field, of: inference.resolve(wrapped), at: offset)
            return inner.isOptional ? inner : .optional(inner)
        }
        return fieldType(field, of: type, at: offset)
    }

    private mutating func fieldType(_ field: String, of type: ValueType, at offset: Int) -> ValueType {
        switch type {
        case .object(let object):
            if let known = object.type(of: field) { return known }
            report(
                "\(object.name) has no field '\(field)'" + suggestion(field, among: object.fields.map(\.name)),
                at: offset)
            return .error
        case .map(let key, let value):
            if !inference.assign(.string, to: key) {
                report("a map with keys of type \(shown(key)) has no fields: use [...]", at: offset)
            }
            return inference.resolve(value)
        case .dyn, .error: return type
        case .parameter: return .dyn
        case .nullable(let wrapped): return fieldType(field, of: wrapped, at: offset)
        default:
            report("a value of type \(shown(type)) has no fields (.\(field))", at: offset)
            return .error
        }
    }

    mutating func checkPresence(_ operand: Syntax, _ field: String, isOptional: Bool, at offset: Int) -> Node {
        var target = check(operand)
        if case .record = target.operation, !isOptional {
            let type = fieldType(field, of: type(of: target), at: offset)
            return make(.hasField(recordField(field, type)), .bool, at: offset)
        }
        if case .field(let parent) = target.operation, !isOptional, !type(of: target).isOptional {
            let type = fieldType(field, of: type(of: target), at: offset)
            return make(.hasField(parent.appending(field, type)), .bool, at: offset)
        }
        _ = selectedType(field, of: type(of: target), at: offset)
        if isOptional {
            // has(a.?b) asks what has(optional.of(a).b) asks.
            target = make(
                .call(FunctionLibrary.optionalOf, [target]), .optional(type(of: target)), at: target.offset)
        }
        return make(.presence(target, field: Text(field)), .bool, at: offset)
    }

    /// `has(field)`, where the name is a field of the record.
    mutating func checkFieldPresence(_ argument: Syntax, at offset: Int) -> Node {
        let node = checkName(argument)
        if case .field(let field) = node.operation { return make(.hasField(field), .bool, at: offset) }
        if type(of: node) != .error {
            report("has() takes a field of the record or of an object: has(x.field)", at: offset)
        }
        return make(.constant(.null), .error, at: offset)
    }
}

extension ValueType {
    var isOptional: Bool {
        if case .optional = self { return true }
        return false
    }
}

/// The known name that differs least, if it differs little.
func nearestName(to name: String, among known: [String]) -> String? {
    let limit = max(1, name.utf8.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in known {
        let distance = editDistance(Array(name.utf8), Array(candidate.utf8))
        if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
}

/// Insertions, deletions, replacements and swaps of neighbours that make one name the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard abs(left.count - right.count) < 8 else { return .max }
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for row in 0..<left.count {
        var current = [row + 1]
        for column in 0..<right.count {
            var cost = min(
                previous[column + 1] + 1, current[column] + 1, previous[column] + (left[row] == right[column] ? 0 : 1))
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = min(cost, beforePrevious[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
