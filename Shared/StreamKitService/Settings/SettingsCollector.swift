internal import YAML

/// What comes together while settings are read: problems, the keys that exist, the values in effect.
final class SettingsCollector {
    private(set) var problems: [SettingsProblem] = []
    /// What can be used, but hardly does what was meant.
    private(set) var warnings: [SettingsProblem] = []
    private(set) var effective: [EffectiveSetting] = []
    private var noted: Set<SettingPath> = []
    /// Keys that the program asked for, as paths; what is in the document and not here is unknown.
    private var known: Set<SettingPath> = []
    /// Keys whose values were read as a whole.
    private var taken: Set<SettingPath> = []

    var keys: Set<String> { Set(known.map(\.description)) }

    func record(_ problem: SettingsProblem) {
        problems.append(problem)
    }

    func warn(_ warning: SettingsProblem) {
        warnings.append(warning)
    }

    func know(_ path: SettingPath) {
        known.insert(path)
    }

    func take(_ path: SettingPath) {
        known.insert(path)
        taken.insert(path)
    }

    func note<Value>(_ value: Value, _ kind: SettingKind<Value>, _ path: SettingPath, origin: String) {
        // The service and the runtime may read the same key.
        guard noted.insert(path).inserted else { return }
        let shown = kind.isSecret ? Secret.mask : kind.format(value)
        effective.append(EffectiveSetting(keyPath: path.description, value: shown, origin: origin))
    }

    /// - Returns: `nil` where the value is not of the kind; the problem is recorded then.
    func parse<Value>(_ node: YAMLNode, _ kind: SettingKind<Value>, _ path: SettingPath) -> Value? {
        take(path)
        return parseForeign(node, kind, path)
    }

    /// The same of a value that is not the document's: its name is no key there.
    func parseForeign<Value>(_ node: YAMLNode, _ kind: SettingKind<Value>, _ path: SettingPath) -> Value? {
        switch kind.parse(node) {
        case .accepted(let value):
            note(value, kind, path, origin: node.mark.description)
            return value
        case .refused(let hint):
            let message =
                node.isNull
                ? "has no value; must be \(kind.expectation), or remove the key" : kind.message(for: node, hint: hint)
            record(SettingsProblem(mark: node.mark, keyPath: path.description, message: message))
            return nil
        }
    }

    /// Records every key of the document that nothing asked for.
    func refuseUnknownKeys(in node: YAMLNode, at path: SettingPath = SettingPath()) {
        guard !taken.contains(path) else { return }
        for (position, child) in (node.sequence ?? []).enumerated() {
            refuseUnknownKeys(in: child, at: path.element(position))
        }
        for entry in node.mapping?.entries ?? [] {
            let child = path.key(entry.key)
            if known.contains(child) {
                refuseUnknownKeys(in: entry.value, at: child)
            } else {
                record(
                    SettingsProblem(
                        mark: entry.keyMark, keyPath: child.description,
                        message: "unknown key" + advice(entry.key, at: path, in: node)))
            }
        }
    }

    private func advice(_ key: String, at path: SettingPath, in node: YAMLNode) -> String {
        let siblings = known.filter { $0.parent == path }.compactMap(\.lastKey)
        if let nearest = Suggestion.nearest(to: key, among: siblings.filter { node.mapping?[$0] == nil }) {
            return "; did you mean \(nearest)?"
        }
        if key.contains("."), known.contains(path.keys(key)) {
            return "; write its parts as nested keys"
        }
        return siblings.isEmpty ? "" : "; known here: \(siblings.sorted().joined(separator: ", "))"
    }
}

/// A value that a service works with, and where it comes from.
public struct EffectiveSetting: Sendable, Equatable, CustomStringConvertible {
    public let keyPath: String
    /// Secrets are masked.
    public let value: String
    /// A file's place, `--set`, `environment` or `default`.
    public let origin: String

    public var description: String { "\(keyPath) = \(value) (\(origin))" }
}

/// A place in the tree of settings.
struct SettingPath: Hashable, CustomStringConvertible {
    private enum Component: Hashable {
        case key(String)
        case element(Int)
    }

    private var components: [Component] = []

    func key(_ key: String) -> SettingPath {
        var path = self
        path.components.append(.key(key))
        return path
    }

    /// Descends by each part of a dotted key; an empty one stays here.
    func keys(_ dotted: String) -> SettingPath {
        if dotted.isEmpty { return self }
        return dotted.split(separator: ".", omittingEmptySubsequences: false).reduce(self) { $0.key(String($1)) }
    }

    func element(_ position: Int) -> SettingPath {
        var path = self
        path.components.append(.element(position))
        return path
    }

    var parent: SettingPath? {
        guard !components.isEmpty else { return nil }
        var path = self
        path.components.removeLast()
        return path
    }

    var lastKey: String? {
        if case .key(let key) = components.last { key } else { nil }
    }

    var description: String {
        components.reduce(into: "") { text, component in
            switch component {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .element(let position): text += "[\(position)]"
            }
        }
    }
}
