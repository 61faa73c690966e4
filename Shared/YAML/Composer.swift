/// Makes a tree of events: anchors, merge keys, duplicate keys, limits.
struct Composer: ~Copyable {
    private struct Anchor {
        let node: YAMLNode
        let nodeCount: Int
    }

    private var events: EventParser
    private let source: String
    private let limits: YAMLDocument.Limits
    private let variables: ((String) -> String?)?
    private var anchors: [String: Anchor] = [:]
    /// Anchors of collections that are still being read: an alias to one would contain itself.
    private var openAnchors: Set<String> = []
    private var nodeCount = 0
    private var problems: [YAMLError.Problem] = []

    init(
        events: consuming EventParser, source: String, limits: YAMLDocument.Limits, variables: ((String) -> String?)?
    ) {
        self.events = events
        self.source = source
        self.limits = limits
        self.variables = variables
    }

    mutating func document() throws(YAMLError) -> YAMLNode {
        var root = YAMLNode(.scalar(YAMLScalar("")), at: YAMLMark(source: source, line: 1, column: 1))
        var documentCount = 0
        reading: while true {
            let (event, mark) = try events.next()
            switch event {
            case .streamStart, .documentEnd: continue
            case .streamEnd: break reading
            case .documentStart:
                documentCount += 1
                if documentCount > 1 { throw refusal(mark, "a second document begins; a file holds one") }
            default: root = try node(event, mark, depth: 0)
            }
        }
        guard problems.isEmpty else { throw YAMLError(problems: problems) }
        return root
    }

    private mutating func node(_ event: EventParser.Event, _ mark: YAMLMark, depth: Int) throws(YAMLError) -> YAMLNode {
        let before = nodeCount
        try count(1, mark)
        switch event {
        case .alias(let name):
            guard let anchor = anchors[name], !openAnchors.contains(name) else {
                let why = openAnchors.contains(name) ? "stands inside the value it names" : "names no anchor before it"
                throw refusal(mark, "the alias *\(name) \(why)")
            }
            try count(anchor.nodeCount, mark)
            return anchor.node
        case .scalar(let text, let style, let properties):
            let node = YAMLNode(.scalar(scalar(text, style, properties, mark)), at: mark)
            keep(node, properties, since: before)
            return node
        case .sequenceStart(let properties):
            try enter(properties, expecting: .sequence, mark, depth: depth)
            let node = YAMLNode(.sequence(try sequence(depth: depth + 1)), at: mark)
            keep(node, properties, since: before)
            return node
        case .mappingStart(let properties):
            try enter(properties, expecting: .mapping, mark, depth: depth)
            let node = YAMLNode(.mapping(try mapping(depth: depth + 1)), at: mark)
            keep(node, properties, since: before)
            return node
        default:
            throw refusal(mark, "the document ends within a value")
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLError) -> [YAMLNode] {
        var nodes: [YAMLNode] = []
        while true {
            let (event, mark) = try events.next()
            if case .sequenceEnd = event { return nodes }
            nodes.append(try node(event, mark, depth: depth))
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLError) -> YAMLMapping {
        var mapping = YAMLMapping()
        var merged: [(YAMLNode, YAMLMark)] = []
        while true {
            let (event, keyMark) = try events.next()
            if case .mappingEnd = event { break }
            let key = try key(event, keyMark)
            let (valueEvent, valueMark) = try events.next()
            let value = try node(valueEvent, valueMark, depth: depth)
            if key.isMerge {
                merged.append((value, keyMark))
            } else if let first = mapping.entry(key.text) {
                problems.append(
                    .init(mark: keyMark, message: "the key \(key.text) is there already, on line \(first.keyMark.line)")
                )
            } else {
                mapping.set(.init(key: key.text, keyMark: keyMark, value: value))
            }
        }
        for (value, mark) in merged { merge(value, into: &mapping, mark) }
        return mapping
    }

    private mutating func key(
        _ event: EventParser.Event, _ mark: YAMLMark
    ) throws(YAMLError) -> (text: String, isMerge: Bool) {
        switch event {
        case .scalar(let text, let style, let properties):
            try count(1, mark)
            let scalar = YAMLScalar(text, style: style)
            keep(YAMLNode(.scalar(scalar), at: mark), properties, since: nodeCount - 1)
            return (text, style == .plain && properties.tag == nil && text == "<<")
        case .alias(let name):
            guard let scalar = anchors[name]?.node.scalar else {
                throw refusal(mark, "the key *\(name) does not name a scalar before it")
            }
            try count(1, mark)
            return (scalar.text, false)
        default:
            throw refusal(mark, "a list or a mapping cannot be a key here")
        }
    }

    /// The merge key of YAML 1.1: the mapping's own keys win, then those of mappings named first.
    private mutating func merge(_ value: YAMLNode, into mapping: inout YAMLMapping, _ mark: YAMLMark) {
        let sources = value.sequence ?? [value]
        for source in sources {
            guard let entries = source.mapping?.entries else {
                problems.append(.init(mark: mark, message: "<< takes a mapping or a list of mappings"))
                return
            }
            for entry in entries where mapping.entry(entry.key) == nil { mapping.set(entry) }
        }
    }

    private mutating func scalar(
        _ text: String, _ style: YAMLScalar.Style, _ properties: EventParser.Properties, _ mark: YAMLMark
    ) -> YAMLScalar {
        var text = text
        if let variables {
            do throws(Substitution.Failure) {
                text = try Substitution.apply(to: text, variables)
            } catch {
                problems.append(.init(mark: mark, message: error.message))
                return YAMLScalar("", style: .doubleQuoted)
            }
        }
        guard let name = properties.tag else { return YAMLScalar(text, style: style) }
        guard let tag = CoreTag(rawValue: name) else {
            problems.append(.init(mark: mark, message: "the tag \(name) is not known here"))
            return YAMLScalar(text, style: .doubleQuoted)
        }
        if !tag.accepts(text) {
            problems.append(.init(mark: mark, message: "\"\(text)\" is not what its tag \(name) says"))
        }
        return YAMLScalar(text, style: style, tag: tag)
    }

    private mutating func enter(
        _ properties: EventParser.Properties, expecting tag: CoreTag, _ mark: YAMLMark, depth: Int
    ) throws(YAMLError) {
        guard depth < limits.depth else { throw refusal(mark, "nested deeper than \(limits.depth) levels") }
        if let name = properties.tag, name != tag.rawValue {
            problems.append(.init(mark: mark, message: "the tag \(name) is not known here"))
        }
        if let anchor = properties.anchor { openAnchors.insert(anchor) }
    }

    private mutating func keep(_ node: YAMLNode, _ properties: EventParser.Properties, since before: Int) {
        guard let anchor = properties.anchor else { return }
        openAnchors.remove(anchor)
        anchors[anchor] = Anchor(node: node, nodeCount: nodeCount - before)
    }

    private mutating func count(_ nodes: Int, _ mark: YAMLMark) throws(YAMLError) {
        nodeCount += nodes
        guard nodeCount <= limits.nodes else {
            throw refusal(mark, "more than \(limits.nodes) values, counting what aliases repeat")
        }
    }

    private func refusal(_ mark: YAMLMark, _ message: String) -> YAMLError {
        YAMLError(problems: problems + [.init(mark: mark, message: message)])
    }
}
