@preconcurrency internal import Glibc
internal import YAML

/// The process's environment variables, or a test's. One that is set but empty counts as not set.
public struct Environment: Sendable {
    public let values: [String: String]

    public init(_ values: [String: String]) {
        self.values = values
    }

    /// Those of this process, as they are now.
    public static func process() -> Environment {
        var values: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let end = text.firstIndex(of: "=") {
                values[String(text[..<end])] = String(text[text.index(after: end)...])
            }
            next += 1
        }
        return Environment(values)
    }

    public subscript(name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A variable as it is, empty or not: what `${NAME}` in a file stands for.
    func verbatim(_ name: String) -> String? { values[name] }

    /// Set variables whose names begin with a prefix, by name.
    func variables(prefix: String) -> [(name: String, value: String)] {
        values.filter { $0.key.hasPrefix(prefix) && !$0.value.isEmpty }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }
}

/// Reads settings out of environment variables with the kinds, and the strictness, of `SettingsReader`.
public struct EnvironmentReader {
    static let mark = YAMLMark(source: "environment")

    let environment: Environment
    let collector: SettingsCollector

    public func value<Value>(_ name: String, _ kind: SettingKind<Value>, default: Value) -> Value {
        if environment[name] == nil { collector.note(`default`, kind, SettingPath().key(name), origin: "default") }
        return optional(name, kind) ?? `default`
    }

    public func optional<Value>(_ name: String, _ kind: SettingKind<Value>) -> Value? {
        guard let text = environment[name] else { return nil }
        return collector.parseForeign(YAMLNode(.scalar(YAMLScalar(text)), at: Self.mark), kind, SettingPath().key(name))
    }

    func problem(_ name: String, _ message: String) {
        collector.record(SettingsProblem(mark: Self.mark, keyPath: name, message: message))
    }
}
