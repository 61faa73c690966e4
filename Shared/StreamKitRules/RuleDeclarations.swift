public import Expressions
internal import JSON
public import StreamKitService
internal import YAML

/// What the expressions of a service's YAML may refer to, and their compilation.
///
/// Keys read: `record` (the record's fields with their types; without it any name is a field of type dyn), `constants` (values
/// by name), `reference` (data that changes without a restart: `{file: ..., type: ...}` or
/// `{topic: ..., type: ...}`).
public struct RuleDeclarations: Sendable {
    public private(set) var environment = Environment()
    public private(set) var references: [ReferenceData] = []

    /// - Parameter record: what the service itself knows of its records; the file then does not say it.
    public init(_ settings: SettingsReader, record: ObjectType? = nil) {
        environment.declareRecordMetadata()
        let fields = record == nil ? Self.fields(settings) : []
        if let record {
            environment.declareRecord(record)
        } else if fields.isEmpty {
            environment.declareOpenRecord()
        } else {
            environment.declareRecord(ObjectType(name: "record", fields: fields))
        }
        for (name, node) in settings.trees("constants") {
            do throws(SettingsFault) {
                let type = try YAMLValues.type(of: node)
                environment.define(name, try YAMLValues.value(node, as: type), type: type)
            } catch {
                settings.problem("constants.\(name)", at: node.mark, error.description)
            }
        }
        for (name, section) in settings.namedSections("reference") {
            guard let reference = Self.reference(name, section, settings) else { continue }
            references.append(reference)
            environment.declare(name, reference.type)
        }
    }

    /// From here on expressions may refer to a computed value by this name, whether or not the record has such a field.
    public mutating func declare(_ name: String, _ type: ValueType) {
        environment.declare(name, type)
    }

    /// Compiles the expression under a key; what is wrong with it is recorded with its place.
    public func compile(
        _ settings: SettingsReader, _ key: String, expecting type: ValueType?, isRequired: Bool = true
    ) -> Expression? {
        settings.compiled(key, .text, isRequired: isRequired) { try environment.compile($0, expecting: type) }
    }

    /// Compiles the expressions under keys that the user chooses; later ones may refer to what earlier ones computed.
    public mutating func computedFields(_ settings: SettingsReader, _ key: String) -> [ComputedField] {
        var compiled: [(name: String, expression: Expression)] = []
        for (name, source, mark) in settings.entries(key, .text) {
            do throws(CompilationErrors) {
                let expression = try environment.compile(source)
                compiled.append((name, expression))
                environment.declare(name, expression.type)
            } catch {
                settings.problem("\(key).\(name)", at: mark, error.description)
                environment.declare(name, .dyn)
            }
        }
        return compiled.enumerated().map { position, field in
            readable(
                ComputedField(name: field.name, expression: field.expression, isRead: false),
                by: compiled[(position + 1)...].map(\.expression))
        }
    }

    /// The same fields, when expressions beside them (a key, a topic) refer to them too.
    public func fields(_ fields: [ComputedField], readBy expressions: [Expression]) -> [ComputedField] {
        fields.map { readable($0, by: expressions) }
    }

    /// The field, kept where the expressions find it if one of them refers to it.
    private func readable(_ field: ComputedField, by expressions: [Expression]) -> ComputedField {
        guard !field.isRead, expressions.contains(where: { $0.references.contains(field.name) }) else {
            return field
        }
        return ComputedField(name: field.name, expression: field.expression, isRead: true)
    }

    private static func fields(_ settings: SettingsReader) -> [ObjectType.Field] {
        settings.entries("record", .text).compactMap { name, text, mark in
            guard let type = ValueType(text) else {
                settings.problem(
                    "record.\(name)", at: mark,
                    "\(text) is no type; types are string, int, double, bool, dyn, list(string), ...")
                return nil
            }
            return ObjectType.Field(name, type)
        }
    }

    private static func reference(
        _ name: String, _ section: SettingsReader, _ settings: SettingsReader
    ) -> ReferenceData? {
        let text = section.value("type", .text, default: "map(string, dyn)")
        guard let type = ValueType(text) else {
            settings.problem("reference.\(name).type", "\(text) is no type; a map(string, decimal), say")
            return nil
        }
        if section.isPresent("topic") {
            if section.isPresent("file") { section.problem("file", "excludes topic; one of them is the source") }
            guard case .map(.string, _) = type else {
                section.problem("type", "must be a map with string keys: a topic's keys and values")
                return nil
            }
            return ReferenceData(name, type: type, source: .topic(section.required("topic", .topicName)))
        }
        let path = settings.path(section.required("file", .text))
        let reference = ReferenceData(name, type: type, source: .file(path))
        do throws(SettingsFault) { reference.replace(try reference.load(file: path)) } catch {
            settings.problem("reference.\(name).file", error.description)
        }
        return reference
    }
}
