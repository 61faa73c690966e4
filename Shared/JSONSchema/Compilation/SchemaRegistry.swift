internal import JSON

/// A schema resource: a schema with a URI of its own (JSON Schema core, section 4.3.5).
struct SchemaResource {
    let uri: URIReference
    let root: JSONValue
    let document: Int
    var anchors: [String: JSONValue] = [:]
    var dynamicAnchors: [String: JSONValue] = [:]
}

/// A place in a schema document.
struct SchemaPlace: Hashable {
    let document: Int
    let offset: Int
}

/// A schema found by a reference.
struct SchemaTarget {
    let value: JSONValue
    let document: Int
    let resource: Int
    /// From the resource's root, as a JSON pointer.
    let pointer: String
}

/// All schema resources that the compiler knows, by URI and by anchor.
struct SchemaRegistry {
    private(set) var documents: [SchemaDocument] = []
    private(set) var resources: [SchemaResource] = []
    private var numbers: [String: Int] = [:]
    /// Resources by the place of their root.
    private var roots: [SchemaPlace: Int] = [:]
    private let load: (String) throws -> [UInt8]?
    private var failures: [String: String] = [:]

    init(load: @escaping (String) throws -> [UInt8]?) {
        self.load = load
    }

    /// Reads a document and registers all resources and anchors in it; answers the number of its root resource.
    mutating func add(_ bytes: UnsafeRawBufferPointer, uri: String, problems: inout [SchemaProblem]) -> Int? {
        let document: SchemaDocument
        do {
            document = try SchemaDocument(bytes)
        } catch {
            problems.append(SchemaProblem("the schema is not JSON: \(error.description(in: bytes))", at: uri))
            return nil
        }
        documents.append(document)
        let number = documents.count - 1
        let root = register(document.root, document: number, uri: URIReference(uri), problems: &problems)
        index(document.root, document: number, resource: root, pointer: "", problems: &problems)
        // An $id may have given the root another name; it keeps the one by which it was found.
        let named = roots[SchemaPlace(document: number, offset: document.root.offset)] ?? root
        numbers[resources[root].uri.withoutFragment] = named
        return named
    }

    private mutating func register(
        _ value: JSONValue, document: Int, uri: URIReference, problems: inout [SchemaProblem]
    ) -> Int {
        resources.append(SchemaResource(uri: uri, root: value, document: document))
        let number = resources.count - 1
        let name = uri.withoutFragment
        if let other = numbers[name],
            resources[other].root.offset != value.offset || resources[other].document != document
        {
            problems.append(SchemaProblem("$id \(name) is given twice", at: name))
        }
        numbers[name] = number
        roots[SchemaPlace(document: document, offset: value.offset)] = number
        return number
    }

    /// The number of the resource that begins at a place, if one does.
    func resource(at place: SchemaPlace) -> Int? {
        roots[place]
    }

    func location(_ resource: Int, _ pointer: String) -> String {
        let uri = resources[resource].uri.withoutFragment
        return (uri == JSONSchema.inlineURI ? "" : uri) + "#" + pointer
    }

    // MARK: Identifiers and anchors

    /// Walks through a schema and its subschemas.
    private mutating func index(
        _ value: JSONValue, document: Int, resource: Int, pointer: String,
        problems: inout [SchemaProblem]
    ) {
        guard value.kind == .object else { return }
        var resource = resource
        var pointer = pointer
        if let id = value.member("$id") {
            if let text = id.string?.string {
                let uri = URIReference(text).resolved(against: resources[resource].uri)
                if let fragment = uri.fragment, !fragment.isEmpty {
                    problems.append(
                        SchemaProblem("$id has a fragment: use $anchor", at: location(resource, pointer + "/$id")))
                }
                resource = register(value, document: document, uri: uri, problems: &problems)
                pointer = ""
            } else {
                problems.append(SchemaProblem("$id must be a string", at: location(resource, pointer + "/$id")))
            }
        }
        anchor("$anchor", of: value, resource, pointer, &problems)
        anchor("$dynamicAnchor", of: value, resource, pointer, &problems)
        for (key, child) in value.members {
            guard let shape = Keyword.subschemas[key.string] else { continue }
            let place = pointer + "/" + key.string
            switch shape {
            case .schema: index(child, document: document, resource: resource, pointer: place, problems: &problems)
            case .list:
                for (number, element) in child.elements.enumerated() {
                    index(
                        element, document: document, resource: resource, pointer: "\(place)/\(number)",
                        problems: &problems)
                }
            case .map:
                for (name, member) in child.members {
                    index(
                        member, document: document, resource: resource,
                        pointer: place + "/" + JSONPointer.escape(name.string), problems: &problems)
                }
            }
        }
    }

    private mutating func anchor(
        _ keyword: String, of value: JSONValue, _ resource: Int, _ pointer: String, _ problems: inout [SchemaProblem]
    ) {
        guard let anchor = value.member(keyword) else { return }
        guard let name = anchor.string?.string, SchemaRegistry.isAnchor(name) else {
            problems.append(
                SchemaProblem(
                    "\(keyword) must be a letter or '_' followed by letters, digits, '-', '_' and '.'",
                    at: location(resource, pointer + "/" + keyword)))
            return
        }
        if let other = resources[resource].anchors[name], other.offset != value.offset {
            problems.append(
                SchemaProblem("the anchor \(name) is given twice", at: location(resource, pointer + "/" + keyword)))
        }
        resources[resource].anchors[name] = value
        if keyword == "$dynamicAnchor" { resources[resource].dynamicAnchors[name] = value }
    }

    private static func isAnchor(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic || first == "_" else {
            return false
        }
        return name.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_" || $0 == ".")
        }
    }

    // MARK: References

    /// The schema to which a reference leads from a resource; the error is the message.
    mutating func resolve(
        _ reference: String, from resource: Int, problems: inout [SchemaProblem]
    ) -> Result<SchemaTarget, ReferenceFailure> {
        let uri = URIReference(reference).resolved(against: resources[resource].uri)
        let name = uri.withoutFragment
        guard let number = find(name, problems: &problems) else {
            return .failure(ReferenceFailure(failures[name] ?? "\(reference) leads nowhere"))
        }
        let fragment = uri.decodedFragment
        let root = resources[number]
        if fragment.isEmpty {
            return .success(SchemaTarget(value: root.root, document: root.document, resource: number, pointer: ""))
        }
        if fragment.hasPrefix("/") { return follow(fragment, from: number, reference) }
        guard let value = root.anchors[fragment] else {
            return .failure(ReferenceFailure("\(reference) leads nowhere: there is no anchor \(fragment)"))
        }
        return .success(
            SchemaTarget(
                value: value, document: root.document, resource: number,
                pointer: JSONPointer.pointer(to: value, from: root.root)))
    }

    private mutating func find(_ name: String, problems: inout [SchemaProblem]) -> Int? {
        if let known = numbers[name] { return known }
        if failures[name] != nil { return nil }
        if name == MetaSchema.uri {
            var text = MetaSchema.text
            return text.withUTF8 { add(UnsafeRawBufferPointer($0), uri: name, problems: &problems) }
        }
        do {
            if let bytes = try load(name) {
                _ = bytes.withUnsafeBytes { add($0, uri: name, problems: &problems) }
                // The document's own $id may name it otherwise; by this reference it is known too.
                if numbers[name] == nil { failures[name] = "\(name) is not a schema" }
                return numbers[name]
            }
            failures[name] =
                name.hasPrefix("http:") || name.hasPrefix("https:")
                ? "\(name) is remote: schemas are not fetched; give it as a local document"
                : "there is no schema \(name)"
        } catch {
            failures[name] = "\(name) cannot be read: \(error)"
        }
        return nil
    }

    private func follow(_ pointer: String, from resource: Int, _ reference: String) -> Result<
        SchemaTarget, ReferenceFailure
    > {
        var resource = resource
        let document = resources[resource].document
        var value = resources[resource].root
        var within = ""
        for token in JSONPointer.tokens(pointer) {
            guard let next = JSONPointer.step(value, token) else {
                return .failure(ReferenceFailure("\(reference) leads nowhere"))
            }
            value = next
            within += "/" + JSONPointer.escape(token)
            // A schema with its own $id begins another resource.
            if let inner = roots[SchemaPlace(document: document, offset: value.offset)] {
                resource = inner
                within = ""
            }
        }
        return .success(SchemaTarget(value: value, document: document, resource: resource, pointer: within))
    }
}

struct ReferenceFailure: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
