import ChangeData
import Expressions
package import StreamKit
import StreamKitRules
package import StreamKitService

/// Maps a table's changes, as a change-data-capture connector writes them, onto records.
@main package struct CDCForwarder: StreamService {
    package static let name = "cdc-forwarder"
    package static let about = "Maps change events of a database onto records."

    private let input: ServiceInput
    private let mapping: ChangeMapping

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        mapping = ChangeMapping(settings)
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { mapping.declarations.watch }

    package func declare(_ flow: Flow) {
        let mapping = mapping
        flow.source("changes", topics: input.topics)
            .process("map") { ForwardProcessor($0, mapping) }
            .to("records", mapping.output)
    }
}

/// The `source`, `where`, `fields`, `key` and `output` of the file. Key and topic may refer to computed fields.
struct ChangeMapping: Sendable {
    private enum Format: String, CaseIterable, Sendable { case debezium }

    let options: DebeziumDecoder.Options
    let declarations: RuleDeclarations
    let condition: Expression?
    let fields: [ComputedField]
    let key: Expression?
    let output: OutputTopics

    /// What expressions find of a change event.
    private static let event = ObjectType(
        name: "change event",
        fields: [
            .init("op", .string), .init("database", .nullable(.string)), .init("schema", .nullable(.string)),
            .init("table", .nullable(.string)), .init("snapshot", .bool), .init("changed_at_ms", .nullable(.int)),
            .init("captured_at_ms", .nullable(.int)), .init("before", .dyn), .init("after", .dyn),
            .init("unavailable", .list(.string)), .init("source", .dyn), .init("transaction", .dyn),
            .init("message", .dyn),
        ])

    init(_ settings: SettingsReader) {
        var options = DebeziumDecoder.Options()
        _ = settings.value("source.format", .word(Format.self), default: .debezium)
        // Without a schema an event does not tell a decimal's scale or a time's unit.
        for (column, text, mark) in settings.entries("source.columns", .text) {
            guard let encoding = ColumnEncoding(text) else {
                settings.problem(
                    "source.columns.\(column)", at: mark, "\(text) is no encoding; \(ColumnEncoding.grammar)")
                continue
            }
            options.columns[column] = encoding
        }
        options.decimals = settings.value("source.decimals", .word(DecimalForm.self), default: .string)
        options.times = settings.value("source.times", .word(TimeForm.self), default: .rfc3339)
        options.unavailableValue = settings.value(
            "source.unavailable_value", .text, default: options.unavailableValue)
        self.options = options
        var declarations = RuleDeclarations(settings, record: Self.event)
        condition = declarations.compile(settings, "where", expecting: .bool, isRequired: false)
        let fields = declarations.computedFields(settings, "fields")
        if !settings.isPresent("fields") {
            settings.problem("fields", "is missing; must be a mapping of names to expressions")
        }
        key = declarations.compile(settings, "key", expecting: nil, isRequired: false)
        output = OutputTopics(settings, "output", declarations)
        self.fields = declarations.fields(fields, readBy: output.expressions + (key.map { [$0] } ?? []))
        self.declarations = declarations
    }

    var expressions: [Expression] {
        fields.map(\.expression) + [condition, key].compactMap { $0 } + output.expressions
    }
}
