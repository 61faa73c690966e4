import JSON
import Patterns

/// Conditions: connectives, comparisons, membership, tests of strings.
extension Compiler {
    func specialBool(_ node: Node) -> Code<Bool>? {
        switch node.operation {
        case .constant(.bool(let value)): return { _ in value }
        case .field(let field):
            let place = FieldPlace(field)
            return { context throws(Unusual) in
                guard let value = try context.present(place).bool else { throw Unusual() }
                return value
            }
        case .hasField(let field): return presence(field)
        case .and(let terms): return connect(terms, until: false)
        case .or(let terms): return connect(terms, until: true)
        case .conditional: return conditional(node, bool)
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard case .bool(let value)? = context.variables[slot].value else { throw Unusual() }
                return value
            }
        case .call(let function, let arguments):
            if let pattern = function.pattern { return match(arguments[0], pattern) }
            return test(function.name, arguments)
        default: return nil
        }
    }

    private func presence(_ field: Node.RecordField) -> Code<Bool> {
        let place = FieldPlace(field)
        guard let parent = field.parent.map({ FieldPlace($0) }), let member = place.path.last else {
            return { context in context.find(place) != nil }
        }
        return { context throws(Unusual) in
            let object = try context.present(parent)
            guard object.kind == .object else { throw Unusual() }
            return object.member(utf8: member.slice.bytes) != nil
        }
    }

    /// Two at a time: a chain of closures, not a loop over an array of them.
    private func connect(_ terms: [Node], until deciding: Bool) -> Code<Bool>? {
        var conditions = deciding ? terms.map { Condition(code: bool($0)) } : DecimalLimits.joined(terms, in: self)
        guard var code = conditions.popLast()?.code else { return nil }
        for condition in conditions.reversed() {
            let (first, rest) = (condition.code, code)
            // What fails is left to the general evaluator, which knows whether a later term decides all the same.
            if deciding {
                code = { context throws(Unusual) in try first(context) ? true : try rest(context) }
            } else {
                code = { context throws(Unusual) in try first(context) ? try rest(context) : false }
            }
        }
        return code
    }

    private func test(_ name: String, _ arguments: [Node]) -> Code<Bool>? {
        switch (name, arguments.count) {
        case (Operator.not, 1):
            let operand = bool(arguments[0])
            return { context throws(Unusual) in try !operand(context) }
        case (Operator.equal, 2), (Operator.notEqual, 2), ("_<_", 2), ("_<=_", 2), ("_>_", 2), ("_>=_", 2):
            return comparison(name, arguments[0], arguments[1])
        case (Operator.contained, 2): return membership(arguments[0], arguments[1])
        case ("startsWith", 2), ("endsWith", 2), ("contains", 2): return textTest(name, arguments)
        default: return nil
        }
    }

    // MARK: Comparisons

    private func comparison(_ name: String, _ left: Node, _ right: Node) -> Code<Bool>? {
        switch (type(left), type(right)) {
        case (.int, .int): return compare(name, int(left), int(right), constant: constantInt(right))
        case (.double, .double): return compare(name, double(left), double(right), constant: nil)
        case (.decimal, .decimal), (.decimal, .int), (.int, .decimal):
            if let limits = DecimalLimits(name, left, right, in: self) { return limits.code }
            return compare(name, decimalOperand(left), decimalOperand(right), constant: constantDecimal(right))
        case (.timestamp, .timestamp): return compare(name, instant(left), instant(right), constant: nil)
        case (.duration, .duration): return compare(name, duration(left), duration(right), constant: nil)
        case (.string, .string): return compareTexts(name, left, right)
        case (.bool, .bool) where name == Operator.equal || name == Operator.notEqual:
            let (first, second, wanted) = (bool(left), bool(right), name == Operator.equal)
            return { context throws(Unusual) in (try first(context) == (try second(context))) == wanted }
        case (.dyn, .int), (.dyn, .double): return dynamicComparison(name, left, right)
        case (.dyn, .string) where name == Operator.equal || name == Operator.notEqual:
            return fieldEquality(left, right, wanted: name == Operator.equal)
        case (.nullable(.string), .string) where name == Operator.equal || name == Operator.notEqual:
            return fieldEquality(left, right, wanted: name == Operator.equal)
        default: return nil
        }
    }

    private func compare<T: Comparable & Sendable>(
        _ name: String, _ left: @escaping Code<T>, _ right: @escaping Code<T>, constant: T?
    ) -> Code<Bool>? {
        if let constant {
            switch name {
            case Operator.equal: return { context throws(Unusual) in try left(context) == constant }
            case Operator.notEqual: return { context throws(Unusual) in try left(context) != constant }
            case "_<_": return { context throws(Unusual) in try left(context) < constant }
            case "_<=_": return { context throws(Unusual) in try left(context) <= constant }
            case "_>_": return { context throws(Unusual) in try left(context) > constant }
            case "_>=_": return { context throws(Unusual) in try left(context) >= constant }
            default: return nil
            }
        }
        switch name {
        case Operator.equal: return { context throws(Unusual) in try left(context) == (try right(context)) }
        case Operator.notEqual: return { context throws(Unusual) in try left(context) != (try right(context)) }
        case "_<_": return { context throws(Unusual) in try left(context) < (try right(context)) }
        case "_<=_": return { context throws(Unusual) in try left(context) <= (try right(context)) }
        case "_>_": return { context throws(Unusual) in try left(context) > (try right(context)) }
        case "_>=_": return { context throws(Unusual) in try left(context) >= (try right(context)) }
        default: return nil
        }
    }

    private func constantInt(_ node: Node) -> Int64? {
        if case .int(let value)? = node.constant { return value }
        return nil
    }

    func constantDecimal(_ node: Node) -> Decimal? {
        switch node.constant {
        case .decimal(let value)?: value
        case .int(let value)?: Decimal(value)
        default: nil
        }
    }

    private func compareTexts(_ name: String, _ left: Node, _ right: Node) -> Code<Bool>? {
        let first = text(left)
        if case .string(let constant)? = right.constant, name == Operator.equal || name == Operator.notEqual {
            let pinned = PinnedText(constant.utf8)
            let wanted = name == Operator.equal
            return { context throws(Unusual) in (try first(context) == pinned.slice) == wanted }
        }
        let second = text(right)
        switch name {
        case Operator.equal: return { context throws(Unusual) in try first(context) == (try second(context)) }
        case Operator.notEqual: return { context throws(Unusual) in !(try first(context) == (try second(context))) }
        case "_<_": return { context throws(Unusual) in try first(context).order(to: try second(context)) < 0 }
        case "_<=_": return { context throws(Unusual) in try first(context).order(to: try second(context)) <= 0 }
        case "_>_": return { context throws(Unusual) in try first(context).order(to: try second(context)) > 0 }
        case "_>=_": return { context throws(Unusual) in try first(context).order(to: try second(context)) >= 0 }
        default: return nil
        }
    }

    /// A field that may be null, or anything, against a string: unequal if it is no string.
    private func fieldEquality(_ left: Node, _ right: Node, wanted: Bool) -> Code<Bool>? {
        guard case .field(let field) = left.operation, case .string(let constant)? = right.constant else { return nil }
        let pinned = PinnedText(constant.utf8)
        let place = FieldPlace(field)
        return { context throws(Unusual) in
            let value = try context.present(place)
            guard value.kind == .string else {
                // Of other kinds the general evaluator knows whether they are errors.
                guard value.kind == .null else { throw Unusual() }
                return !wanted
            }
            return (try context.textField(place) == pinned.slice) == wanted
        }
    }

    /// A field of any kind against a constant number.
    private func dynamicComparison(_ name: String, _ left: Node, _ right: Node) -> Code<Bool>? {
        guard case .field(let field) = left.operation, let constant = right.constant else { return nil }
        let isEquality = name == Operator.equal || name == Operator.notEqual
        let accepted: Set<Order>
        switch name {
        case Operator.equal, Operator.notEqual: accepted = [.same]
        case "_<_": accepted = [.before]
        case "_<=_": accepted = [.before, .same]
        case "_>_": accepted = [.after]
        default: accepted = [.after, .same]
        }
        let (before, same, after) = (
            accepted.contains(.before), accepted.contains(.same), accepted.contains(.after)
        )
        let isNegated = name == Operator.notEqual
        let place = FieldPlace(field)
        return { context throws(Unusual) in
            let json = try context.present(place)
            switch json.kind {
            case .number: break
            case .string, .true, .false, .null:
                if isEquality { return isNegated }
                throw Unusual()
            default: throw Unusual()
            }
            let value: Value
            if let int = json.int64 {
                value = .int(int)
            } else if !json.isWrittenAsInteger, let double = json.double {
                value = .double(double)
            } else {
                throw Unusual()
            }
            let holds: Bool =
                switch value.numericOrder(to: constant) {
                case .before: before
                case .same: same
                case .after: after
                case nil: false
                }
            return holds != isNegated
        }
    }

    // MARK: Membership

    private func membership(_ element: Node, _ container: Node) -> Code<Bool>? {
        if case .list(let list)? = container.constant {
            switch type(element) {
            case .string: return textMembership(element, list)
            case .int:
                let wanted = list.compactMap { if case .int(let int) = $0 { int } else { nil } }
                guard wanted.count == list.count else { return nil }
                let element = int(element)
                return { context throws(Unusual) in wanted.contains(try element(context)) }
            case .dyn: return dynamicMembership(element, list)
            default: return nil
            }
        }
        guard type(element) == .string, case .variable(let slot, _) = container.operation else { return nil }
        let key = TextOperand(element, in: self)
        return { context throws(Unusual) in
            let key = try key.read(context)
            guard let found = context.variables[slot].index else { throw Unusual() }
            return found.find(key) != nil
        }
    }

    private func table(of list: [Value]) -> TextTable? {
        var map = ValueMap()
        for value in list {
            guard case .string = value else { return nil }
            _ = map.set(value, .null)
        }
        return TextTable(map)
    }

    /// A field of any kind among strings: not one of them if it is no string.
    private func dynamicMembership(_ element: Node, _ list: [Value]) -> Code<Bool>? {
        guard case .field(let field) = element.operation, let table = table(of: list) else { return nil }
        let place = FieldPlace(field)
        return { context throws(Unusual) in
            guard try context.present(place).kind == .string else { return false }
            return table.find(try context.textField(place)) != nil
        }
    }

    private func textMembership(_ element: Node, _ list: [Value]) -> Code<Bool>? {
        guard let table = table(of: list) else { return nil }
        if case .field(let field) = element.operation, field.path.isEmpty {
            let index = field.place
            return { context throws(Unusual) in table.find(try context.textField(index)) != nil }
        }
        let element = text(element)
        return { context throws(Unusual) in table.find(try element(context)) != nil }
    }

    // MARK: Tests of strings

    private func match(_ argument: Node, _ pattern: Pattern) -> Code<Bool> {
        let operand = text(argument)
        return { context throws(Unusual) in pattern.matches(try operand(context).bytes) }
    }

    private func textTest(_ name: String, _ arguments: [Node]) -> Code<Bool>? {
        let (whole, part) = (text(arguments[0]), text(arguments[1]))
        switch name {
        case "startsWith":
            return { context throws(Unusual) in
                let (whole, part) = (try whole(context), try part(context))
                return whole.count >= part.count && TextSlice(whole.base, part.count) == part
            }
        case "endsWith":
            return { context throws(Unusual) in
                let (whole, part) = (try whole(context), try part(context))
                let start = whole.count &- part.count
                return start >= 0 && TextSlice(whole.base + start, part.count) == part
            }
        default:
            return { context throws(Unusual) in try whole(context).offset(of: try part(context), from: 0) != nil }
        }
    }
}
