public import YAML

/// Reads settings out of a mapping, strictly: a missing key and a malformed value are different things, and only a missing
/// key takes a default.
///
/// Reading never stops at the first problem. A value that cannot be read is recorded and replaced by a stand-in, so that the
/// rest is read too; `SettingsDocument.read` then throws all problems together, and nothing built on stand-ins gets out.
///
///     let interval = reader.value("commit.interval", .duration(in: .milliseconds(1)...(.seconds(60))), default: .milliseconds(100))
///     let input = reader.required("input", .topicName)
///
/// Keys may be dotted, which descends into nested mappings.
public struct SettingsReader {
    let node: YAMLNode
    let path: SettingPath
    let collector: SettingsCollector
    public let environment: EnvironmentReader

    init(node: YAMLNode, path: SettingPath, collector: SettingsCollector, environment: EnvironmentReader) {
        self.node = node
        self.path = path
        self.collector = collector
        self.environment = environment
    }

    // MARK: Values

    /// A value that must be there.
    public func required<Value>(_ key: String, _ kind: SettingKind<Value>) -> Value {
        presentValue(key, kind) ?? kind.placeholder
    }

    /// A value that has a default.
    public func value<Value>(_ key: String, _ kind: SettingKind<Value>, default: Value) -> Value {
        guard let node = lookUp(key) else {
            collector.note(`default`, kind, path.keys(key), origin: "default")
            return `default`
        }
        return collector.parse(node, kind, path.keys(key)) ?? `default`
    }

    /// A value that may be absent; so is one written as `null` or left empty.
    public func optional<Value>(_ key: String, _ kind: SettingKind<Value>) -> Value? {
        guard let node = lookUp(key) else { return nil }
        guard !node.isNull else {
            collector.take(path.keys(key))
            return nil
        }
        return collector.parse(node, kind, path.keys(key))
    }

    /// A value that something else makes sense of: an expression, a pattern. What `make` throws is the key's problem.
    ///
    /// - Returns: `nil` if a problem was recorded, or the key is absent and not required.
    public func compiled<Value, Made>(
        _ key: String, _ kind: SettingKind<Value>, isRequired: Bool = false, _ make: (Value) throws -> Made
    ) -> Made? {
        guard let value = isRequired ? presentValue(key, kind) : optional(key, kind) else { return nil }
        do {
            return try make(value)
        } catch {
            problem(key, "\(error)")
            return nil
        }
    }

    /// A list of values; empty where the key is absent.
    public func list<Value>(_ key: String, _ kind: SettingKind<Value>, atLeast minimum: Int = 0) -> [Value] {
        let path = path.keys(key)
        let elements = nodes(key, expecting: "a list of \(kind.expectation)", atLeast: minimum)
        return elements.enumerated().compactMap { collector.parse($0.element, kind, path.element($0.offset)) }
    }

    /// Values under keys that the user chooses, with their places, in the order of the file; empty where the key is absent.
    public func entries<Value>(
        _ key: String, _ kind: SettingKind<Value>
    ) -> [(key: String, value: Value, mark: YAMLMark)] {
        let path = path.keys(key)
        return mapping(key).entries.compactMap { entry in
            collector.parse(entry.value, kind, path.key(entry.key)).map { (entry.key, $0, entry.value.mark) }
        }
    }

    /// A value of any shape, taken as it is, with its places.
    public func tree(_ key: String) -> YAMLNode? {
        collector.take(path.keys(key))
        return lookUp(key)
    }

    // MARK: Sections

    /// The settings under a key; where it is absent they are all absent.
    public func section(_ key: String) -> SettingsReader {
        let mapping = mapping(key)
        let mark = lookUp(key)?.mark ?? node.mark
        return reader(YAMLNode(.mapping(mapping), at: mark), path.keys(key))
    }

    /// The settings under a key, or `nil` where it is absent.
    public func optionalSection(_ key: String) -> SettingsReader? {
        lookUp(key) == nil ? nil : section(key)
    }

    /// A list of sections; empty where the key is absent.
    public func sections(_ key: String, atLeast minimum: Int = 0) -> [SettingsReader] {
        let path = path.keys(key)
        return nodes(key, expecting: "a list of mappings", atLeast: minimum).enumerated().compactMap { position, node in
            reader(ofMapping: node, path.element(position))
        }
    }

    /// Sections under names that the user chooses, in the order of the file; empty where the key is absent.
    public func namedSections(_ key: String) -> [(name: String, reader: SettingsReader)] {
        let path = path.keys(key)
        return mapping(key).entries.compactMap { entry in
            reader(ofMapping: entry.value, path.key(entry.key)).map { (entry.key, $0) }
        }
    }

    // MARK: Problems

    /// Records that the value under a key cannot be, for a reason that its kind alone does not tell.
    public func problem(_ key: String, _ message: String) {
        problem(key, at: lookUp(key)?.mark ?? node.mark, message)
    }

    /// Records a problem of the value under a key whose place is better known: within the value, or in another file.
    public func problem(_ key: String, at mark: YAMLMark, _ message: String) {
        collector.record(SettingsProblem(mark: mark, keyPath: path.keys(key).description, message: message))
    }

    /// Records what does no harm by itself but hardly does what was meant: the service starts and says so.
    public func warning(_ key: String, at mark: YAMLMark? = nil, _ message: String) {
        let mark = mark ?? lookUp(key)?.mark ?? node.mark
        collector.warn(SettingsProblem(mark: mark, keyPath: path.keys(key).description, message: message))
    }

    // MARK: -

    private func presentValue<Value>(_ key: String, _ kind: SettingKind<Value>) -> Value? {
        guard let node = lookUp(key) else {
            problem(key, "is missing; must be \(kind.expectation)")
            return nil
        }
        return collector.parse(node, kind, path.keys(key))
    }

    private func reader(_ node: YAMLNode, _ path: SettingPath) -> SettingsReader {
        SettingsReader(node: node, path: path, collector: collector, environment: environment)
    }

    private func reader(ofMapping node: YAMLNode, _ path: SettingPath) -> SettingsReader? {
        collector.know(path)
        guard node.mapping != nil || node.isNull else {
            refuse(node, path, expecting: "a mapping")
            return nil
        }
        return reader(node, path)
    }

    private func nodes(_ key: String, expecting expectation: String, atLeast minimum: Int) -> [YAMLNode] {
        let path = path.keys(key)
        guard let node = lookUp(key), !node.isNull else {
            if minimum > 0 { problem(key, "is missing; must be \(expectation)") }
            return []
        }
        guard let nodes = node.sequence else {
            refuse(node, path, expecting: expectation)
            return []
        }
        if nodes.count < minimum {
            problem(key, "must have at least \(minimum) \(minimum == 1 ? "element" : "elements")")
        }
        return nodes
    }

    private func mapping(_ key: String) -> YAMLMapping {
        guard let node = lookUp(key), !node.isNull else { return YAMLMapping() }
        guard let mapping = node.mapping else {
            refuse(node, path.keys(key), expecting: "a mapping")
            return YAMLMapping()
        }
        return mapping
    }

    private func refuse(_ node: YAMLNode, _ path: SettingPath, expecting expectation: String) {
        collector.take(path)
        collector.record(
            SettingsProblem(
                mark: node.mark, keyPath: path.description, message: "must be \(expectation), not \(node.summary)"))
    }

    func peek(_ key: String) -> YAMLNode? { lookUp(key) }

    private func lookUp(_ key: String) -> YAMLNode? {
        var current: YAMLNode? = node
        var path = path
        for part in key.split(separator: ".", omittingEmptySubsequences: false) {
            path = path.key(String(part))
            collector.know(path)
            current = current?.mapping?[String(part)]
        }
        return current
    }
}
