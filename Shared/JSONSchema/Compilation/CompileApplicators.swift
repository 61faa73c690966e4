internal import JSON
internal import Patterns

/// The keywords that apply other schemas (JSON Schema core, sections 8.2.3, 10 and 11), and those that belong to them.
extension SchemaCompiler {
    mutating func compileArray(_ node: NodePointer, _ schema: SchemaSource) {
        var rules = ArrayRules()
        rules.prefix = list(schema, "prefixItems")
        rules.items = subschema(schema, "items")
        rules.contains = subschema(schema, "contains")
        if let count = count(schema, "minContains") { rules.minimumContained = count }
        if let count = count(schema, "maxContains") { rules.maximumContained = count }
        if let count = count(schema, "minItems") { rules.minimumCount = count }
        if let count = count(schema, "maxItems") { rules.maximumCount = count }
        if let value = schema["uniqueItems"] {
            if let isUnique = value.bool {
                rules.isUnique = isUnique
            } else {
                report("uniqueItems must be true or false", schema, "uniqueItems")
            }
        }
        let isEmpty =
            rules.prefix == nil && rules.items == nil && rules.contains == nil && rules.minimumCount == 0
            && rules.maximumCount == .max && !rules.isUnique
        if !isEmpty { node.pointee.array = program.allocate(rules) }
    }

    mutating func compileObject(_ node: NodePointer, _ schema: SchemaSource) {
        var properties: [ObjectRules.Property] = []
        var names: [String] = []
        for (name, child) in map(schema, "properties") {
            names.append(name)
            let childNode = self.node(schema.child(child, "properties", name))
            properties.append(ObjectRules.Property(name: keep(name), node: childNode, isRequired: false))
        }
        var requiredCount = 0
        if let value = schema["required"], let required = self.names(value, schema, "required") {
            requiredCount = required.count
            for name in required {
                if let known = names.firstIndex(of: name) {
                    properties[known].isRequired = true
                } else {
                    names.append(name)
                    properties.append(ObjectRules.Property(name: keep(name), node: nil, isRequired: true))
                }
            }
        }
        var patterns: [ObjectRules.PatternProperty] = []
        for (text, child) in map(schema, "patternProperties") {
            let childNode = self.node(schema.child(child, "patternProperties", text))
            if let pattern = pattern(text, schema, "patternProperties") {
                patterns.append(ObjectRules.PatternProperty(pattern: pattern, node: childNode))
            }
        }
        let additional = subschema(schema, "additionalProperties")
        let propertyNames = subschema(schema, "propertyNames")
        let minimum = count(schema, "minProperties") ?? 0
        let maximum = count(schema, "maxProperties") ?? .max
        if properties.isEmpty, patterns.isEmpty, additional == nil, propertyNames == nil, minimum == 0, maximum == .max
        {
            return
        }
        node.pointee.object = program.allocate(
            ObjectRules(
                properties: program.allocate(properties), requiredCount: requiredCount,
                names: program.table(names.map { Array($0.utf8) }),
                patterns: patterns.isEmpty ? nil : program.allocate(patterns), additional: additional,
                propertyNames: propertyNames, minimumCount: minimum, maximumCount: maximum))
    }

    mutating func compileApplicators(_ node: NodePointer, _ schema: SchemaSource) {
        let present = [
            "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas",
            "dependencies", "then", "else",
        ].contains { schema[$0] != nil }
        guard present else { return }
        let rules = program.allocate(ApplicatorRules())
        rules.pointee.reference = reference(schema, "$ref").map { self.node($0) }
        dynamicReference(rules, schema)
        rules.pointee.all = list(schema, "allOf")
        rules.pointee.any = list(schema, "anyOf")
        rules.pointee.one = list(schema, "oneOf")
        rules.pointee.not = subschema(schema, "not")
        let consequence = subschema(schema, "then")
        let alternative = subschema(schema, "else")
        if let condition = subschema(schema, "if") {
            // Without then and else it still says what was evaluated.
            rules.pointee.condition = condition
            rules.pointee.consequence = consequence
            rules.pointee.alternative = alternative
        }
        let dependencies = dependencies(schema)
        if !dependencies.isEmpty { rules.pointee.dependencies = program.allocate(dependencies) }
        node.pointee.applicators = rules
    }

    /// `dependentRequired` and `dependentSchemas`, and `dependencies`, which was both in earlier drafts.
    private mutating func dependencies(_ schema: SchemaSource) -> [ApplicatorRules.Dependency] {
        var dependencies: [ApplicatorRules.Dependency] = []
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            for (name, value) in map(schema, keyword) {
                var dependency = ApplicatorRules.Dependency(name: keep(name), required: nil, node: nil)
                if keyword == "dependentRequired" || (keyword == "dependencies" && value.kind == .array) {
                    guard let names = names(value, schema, keyword) else { continue }
                    dependency.required = program.allocate(names.map { keep($0) })
                } else {
                    dependency.node = node(schema.child(value, keyword, name))
                }
                dependencies.append(dependency)
            }
        }
        return dependencies
    }
}
