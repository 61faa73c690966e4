internal import JSON
internal import Patterns

/// The keywords that look at a value itself (JSON Schema validation, section 6).
extension SchemaCompiler {
    mutating func compileKinds(_ node: NodePointer, _ schema: SchemaSource) {
        guard let value = schema["type"] else { return }
        var kinds = KindSet()
        for name in value.kind == .array ? Array(value.elements) : [value] {
            guard let text = name.string?.string, let known = KindSet.names.first(where: { $0.name == text }) else {
                let names = KindSet.names.map { $0.name }.joined(separator: ", ")
                return report("type must be one of \(names), or a list of them", schema, "type")
            }
            kinds.formUnion(known.kinds)
        }
        if kinds.isEmpty { return report("type must name one type at least", schema, "type") }
        if kinds.contains(.number) { kinds.remove(.integer) }
        node.pointee.kinds = kinds
    }

    mutating func compileValues(_ node: NodePointer, _ schema: SchemaSource) {
        var keyword: StaticString = "enum"
        var values: [JSONValue] = []
        if let value = schema["enum"] {
            guard value.kind == .array else { return report("enum must be a list of values", schema, "enum") }
            values = Array(value.elements)
        }
        if let constant = schema["const"] {
            // Both: the constant, if the list has it.
            values = schema["enum"] == nil || values.contains(where: { $0.isEqual(to: constant) }) ? [constant] : []
            keyword = "const"
        } else if schema["enum"] == nil {
            return
        }
        let strings = values.compactMap { $0.string.map { Array($0.string.utf8) } }
        node.pointee.values = program.allocate(
            ValueRules(
                keyword: keyword, strings: strings.isEmpty ? nil : program.table(strings),
                others: program.allocate(values.filter { $0.kind != .string }),
                description: Excerpt.of(values)))
    }

    mutating func compileNumber(_ node: NodePointer, _ schema: SchemaSource) {
        var bounds: [NumberRules.Bound] = []
        var rules = NumberRules(bounds: program.allocate([]))
        for (keyword, isLower, isExclusive) in [
            ("minimum", true, false), ("exclusiveMinimum", true, true), ("maximum", false, false),
            ("exclusiveMaximum", false, true),
        ] as [(StaticString, Bool, Bool)] {
            guard let value = schema["\(keyword)"] else { continue }
            guard let number = value.number else {
                report("\(keyword) must be a number", schema, "\(keyword)")
                continue
            }
            bounds.append(
                NumberRules.Bound(
                    keyword: keyword, isLower: isLower, isExclusive: isExclusive, decimal: value.decimal,
                    number: number,
                    text: String(decoding: value.bytes, as: UTF8.self)))
            rules.narrow(value.decimal, isLower: isLower, isExclusive: isExclusive)
        }
        if let value = schema["multipleOf"] {
            rules.boundsDecideIntegers = false
            if let divisor = value.decimal, divisor.signum > 0 {
                rules.multipleOf = divisor
            } else if value.number.map({ !$0.isNegative && !$0.isZero }) == true {
                report("multipleOf needs more than 38 digits", schema, "multipleOf")
            } else {
                report("multipleOf must be a number above 0", schema, "multipleOf")
            }
        }
        if bounds.isEmpty, rules.multipleOf == nil { return }
        rules.bounds = program.allocate(bounds)
        node.pointee.number = program.allocate(rules)
    }

    mutating func compileString(_ node: NodePointer, _ schema: SchemaSource) {
        var rules = StringRules()
        if let count = count(schema, "minLength") { rules.minimumLength = count }
        if let count = count(schema, "maxLength") { rules.maximumLength = count }
        if let value = schema["pattern"] {
            if let text = value.string?.string {
                rules.pattern = pattern(text, schema, "pattern")
            } else {
                report("pattern must be a string", schema, "pattern")
            }
        }
        if let value = schema["format"] {
            if let name = value.string?.string {
                if assertsFormats {
                    rules.format = Format(rawValue: name)
                    if rules.format == nil {
                        warnings.append(
                            SchemaProblem("the format \(name) is not checked", at: schema.location(of: "format")))
                    }
                }
            } else {
                report("format must be a string", schema, "format")
            }
        }
        let isEmpty =
            rules.minimumLength == 0 && rules.maximumLength == .max && rules.pattern == nil && rules.format == nil
        if !isEmpty { node.pointee.string = program.allocate(rules) }
    }
}

extension NumberRules {
    /// Takes a bound into the range of integers that satisfy all.
    fileprivate mutating func narrow(_ bound: Decimal?, isLower: Bool, isExclusive: Bool) {
        guard let bound, let whole = try? bound.rounded(scale: 0, mode: isLower ? .ceiling : .floor),
            var integer = whole.int64Value
        else {
            // Beyond 64 bits: compared one by one.
            boundsDecideIntegers = false
            return
        }
        if isExclusive, bound.isInteger {
            let (next, overflow) =
                isLower ? integer.addingReportingOverflow(1) : integer.subtractingReportingOverflow(1)
            if overflow {
                boundsDecideIntegers = false
                return
            }
            integer = next
        }
        if isLower {
            lowestInteger = max(lowestInteger, integer)
        } else {
            highestInteger = min(highestInteger, integer)
        }
    }
}
