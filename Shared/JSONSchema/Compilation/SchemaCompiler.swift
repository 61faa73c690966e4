internal import JSON
internal import Patterns

/// From schema documents to a ``Program``. It goes on after a mistake, so that all of them are told at once.
struct SchemaCompiler {
    let program = Program()
    var problems: [SchemaProblem] = []
    var warnings: [SchemaProblem] = []
    var registry: SchemaRegistry
    let assertsFormats: Bool

    private var compiled: [SchemaPlace: NodePointer] = [:]
    private var pending: [(node: NodePointer, target: SchemaTarget)] = []
    private var patterns: [String: Pattern] = [:]
    /// `$dynamicRef`s whose candidates are known only when everything is compiled.
    private var dynamicReferences: [(rules: UnsafeMutablePointer<ApplicatorRules>, name: String)] = []

    init(assertsFormats: Bool, load: @escaping (String) throws -> [UInt8]?) {
        registry = SchemaRegistry(load: load)
        self.assertsFormats = assertsFormats
    }

    mutating func compile(_ bytes: UnsafeRawBufferPointer, uri: String) {
        guard let resource = registry.add(bytes, uri: uri, problems: &problems) else { return }
        let root = registry.resources[resource]
        program.setRoot(
            node(SchemaTarget(value: root.root, document: root.document, resource: resource, pointer: "")))
        drain()
        connectDynamicReferences()
        program.documents = registry.documents
        RecursionCheck(program).run(from: compiled.values, problems: &problems)
        RootObjects.mark(program)
    }

    private mutating func drain() {
        while let (node, target) = pending.popLast() { fill(node, target) }
    }

    /// The node of a schema; compiled later, once, so that schemas may refer to each other in circles.
    mutating func node(_ target: SchemaTarget) -> NodePointer {
        let place = SchemaPlace(document: target.document, offset: target.value.offset)
        if let known = compiled[place] { return known }
        var target = target
        if let own = registry.resource(at: place), own != target.resource {
            target = SchemaTarget(value: target.value, document: target.document, resource: own, pointer: "")
        }
        let node = program.allocate(SchemaNode())
        compiled[place] = node
        pending.append((node, target))
        return node
    }

    private mutating func fill(_ node: NodePointer, _ target: SchemaTarget) {
        var schema = SchemaSource(target, location: registry.location(target.resource, target.pointer))
        node.pointee.resource = Int32(target.resource)
        node.pointee.location = Int32(program.locations.count)
        program.locations.append(schema.location)
        switch target.value.kind {
        case .true: node.pointee.acceptsAll = true
        case .false: node.pointee.refusesAll = true
        case .object:
            schema.readMembers()
            compileMembers(of: node, schema)
        default: problems.append(SchemaProblem("a schema must be an object, true or false", at: schema.location))
        }
    }

    private mutating func compileMembers(of node: NodePointer, _ schema: SchemaSource) {
        checkDialect(schema)
        for key in schema.keys where Keyword.subschemas[key] == nil && !Keyword.others.contains(key) {
            warnings.append(SchemaProblem("unknown keyword \(key): it has no effect", at: schema.location(of: key)))
        }
        compileKinds(node, schema)
        compileValues(node, schema)
        compileNumber(node, schema)
        compileString(node, schema)
        compileArray(node, schema)
        compileObject(node, schema)
        compileApplicators(node, schema)
        // What nothing refers to is compiled too: its mistakes are mistakes.
        for keyword in ["$defs", "definitions"] {
            for (name, child) in map(schema, keyword) {
                _ = child.kind == .object ? self.node(schema.child(child, keyword, name)) : node
            }
        }
        node.pointee.unevaluatedProperties = subschema(schema, "unevaluatedProperties")
        node.pointee.unevaluatedItems = subschema(schema, "unevaluatedItems")
        let rules = node.pointee
        node.pointee.checksKindOnly =
            rules.values == nil && rules.number == nil && rules.string == nil && rules.array == nil
            && rules.object == nil && rules.applicators == nil && rules.unevaluatedProperties == nil
            && rules.unevaluatedItems == nil
        node.pointee.acceptsAll = node.pointee.checksKindOnly && rules.kinds == .any
    }

    private mutating func checkDialect(_ schema: SchemaSource) {
        guard let value = schema["$schema"] else { return }
        guard let dialect = value.string?.string else {
            return report("$schema must be a string", schema, "$schema")
        }
        let name = URIReference(dialect).withoutFragment
        if name != MetaSchema.uri {
            report(
                "the dialect \(dialect) is not supported: schemas are of draft 2020-12 (\(MetaSchema.uri))", schema,
                "$schema")
        }
    }

    // MARK: Helpers for the keywords

    mutating func report(_ message: String, _ schema: SchemaSource, _ keyword: String) {
        problems.append(SchemaProblem(message, at: schema.location(of: keyword)))
    }

    /// The node of a keyword whose value is a schema.
    mutating func subschema(_ schema: SchemaSource, _ keyword: String) -> NodePointer? {
        guard let value = schema[keyword] else { return nil }
        if keyword == "items", value.kind == .array {
            report("items must be a schema; for a list by position use prefixItems", schema, keyword)
            return nil
        }
        return node(schema.child(value, keyword))
    }

    /// The nodes of a keyword whose value is a list of schemas.
    mutating func list(_ schema: SchemaSource, _ keyword: String) -> NodeList? {
        guard let value = schema[keyword] else { return nil }
        guard value.kind == .array, value.element(0) != nil else {
            report("\(keyword) must be a list of schemas, one at least", schema, keyword)
            return nil
        }
        var nodes: [NodePointer] = []
        for (index, element) in value.elements.enumerated() {
            nodes.append(node(schema.child(element, keyword, "\(index)")))
        }
        return program.nodes(nodes)
    }

    /// The members of a keyword whose value is a map of schemas.
    mutating func map(_ schema: SchemaSource, _ keyword: String) -> [(name: String, schema: JSONValue)] {
        guard let value = schema[keyword] else { return [] }
        guard value.kind == .object else {
            report("\(keyword) must be an object whose members are schemas", schema, keyword)
            return []
        }
        return value.members.map { ($0.key.string, $0.value) }
    }

    /// A count: an integer of 0 or more.
    mutating func count(_ schema: SchemaSource, _ keyword: String) -> Int? {
        guard let value = schema[keyword] else { return nil }
        guard let number = value.number, number.isInteger, !number.isNegative || number.isZero else {
            report("\(keyword) must be an integer of 0 or more", schema, keyword)
            return nil
        }
        // No text and no list is that long.
        return value.decimal?.int64Value.map { Int($0) } ?? Int.max
    }

    mutating func names(_ value: JSONValue, _ schema: SchemaSource, _ keyword: String) -> [String]? {
        var names: [String] = []
        guard value.kind == .array else {
            report("\(keyword) must be a list of property names", schema, keyword)
            return nil
        }
        for element in value.elements {
            guard let name = element.string?.string else {
                report("\(keyword) must be a list of property names", schema, keyword)
                return nil
            }
            if names.contains(name) {
                report("\(keyword) has \(name) twice", schema, keyword)
            } else {
                names.append(name)
            }
        }
        return names
    }

    /// A pattern, compiled once however often it occurs.
    mutating func pattern(_ text: String, _ schema: SchemaSource, _ keyword: String) -> Unmanaged<Pattern>? {
        do {
            let pattern = try patterns[text] ?? Pattern(ecmaScript: text)
            patterns[text] = pattern
            return program.retain(pattern)
        } catch {
            report("the pattern \(text) cannot be used: \(error)", schema, keyword)
            return nil
        }
    }

    /// Text that lives as long as the program.
    func keep(_ text: String) -> UnsafeRawBufferPointer {
        // One byte at least: an empty text needs an address too.
        let bytes = program.allocate(Array(text.utf8) + [0])
        return UnsafeRawBufferPointer(start: bytes.baseAddress, count: bytes.count - 1)
    }

    // MARK: References

    mutating func reference(_ schema: SchemaSource, _ keyword: String) -> SchemaTarget? {
        guard let value = schema[keyword] else { return nil }
        guard let text = value.string?.string else {
            report("\(keyword) must be a string", schema, keyword)
            return nil
        }
        switch registry.resolve(text, from: schema.target.resource, problems: &problems) {
        case .success(let target): return target
        case .failure(let failure):
            report(failure.message, schema, keyword)
            return nil
        }
    }

    mutating func dynamicReference(_ rules: UnsafeMutablePointer<ApplicatorRules>, _ schema: SchemaSource) {
        guard let target = reference(schema, "$dynamicRef") else { return }
        rules.pointee.dynamicFallback = node(target)
        // Only what is itself a dynamic anchor is looked for in the resources on the way (core, section 8.2.3.2).
        let fragment = URIReference(schema["$dynamicRef"]?.string?.string ?? "").decodedFragment
        guard let anchored = registry.resources[target.resource].dynamicAnchors[fragment],
            anchored.offset == target.value.offset
        else { return }
        dynamicReferences.append((rules, fragment))
    }

    private mutating func connectDynamicReferences() {
        // Candidates may have dynamic references, and bring resources, of their own.
        var known: (references: Int, resources: Int)
        repeat {
            known = (dynamicReferences.count, registry.resources.count)
            for (_, name) in dynamicReferences { _ = candidates(name) }
            drain()
        } while known != (dynamicReferences.count, registry.resources.count)
        for (rules, name) in dynamicReferences { rules.pointee.dynamicReference = program.allocate(candidates(name)) }
        program.usesDynamicScope = !dynamicReferences.isEmpty
    }

    /// The nodes of a dynamic anchor by resource, nil where one has it not.
    private mutating func candidates(_ anchor: String) -> [NodePointer?] {
        var nodes: [NodePointer?] = []
        for (number, resource) in registry.resources.enumerated() {
            nodes.append(
                resource.dynamicAnchors[anchor].map { value in
                    node(
                        SchemaTarget(
                            value: value, document: resource.document, resource: number,
                            pointer: JSONPointer.pointer(to: value, from: resource.root)))
                })
        }
        return nodes
    }
}

/// A schema that is being compiled: an object's members by keyword, and where it is.
struct SchemaSource {
    let target: SchemaTarget
    let location: String
    private(set) var keys: [String] = []
    private var values: [String: JSONValue] = [:]

    init(_ target: SchemaTarget, location: String) {
        self.target = target
        self.location = location
    }

    mutating func readMembers() {
        for (key, value) in target.value.members {
            keys.append(key.string)
            values[key.string] = value
        }
    }

    subscript(keyword: String) -> JSONValue? { values[keyword] }

    func location(of keyword: String) -> String {
        location + "/" + JSONPointer.escape(keyword)
    }

    func child(_ value: JSONValue, _ path: String...) -> SchemaTarget {
        SchemaTarget(
            value: value, document: target.document, resource: target.resource,
            pointer: path.reduce(target.pointer) { $0 + "/" + JSONPointer.escape($1) })
    }
}
