package import StreamKit
import StreamKitRules
package import StreamKitService

/// Adds what follows from a record and from reference data, without re-encoding the rest. Without `fields` it copies.
@main package struct Enricher: StreamService {
    package static let name = "enricher"
    package static let about = "Adds computed fields to records."

    private let input: ServiceInput
    private let output: SinkDefinition
    private let declarations: RuleDeclarations
    private let fields: [ComputedField]

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        output = settings.sink("output")
        var declarations = RuleDeclarations(settings)
        fields = declarations.computedFields(settings, "fields")
        self.declarations = declarations
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { declarations.watch }

    package func declare(_ flow: Flow) {
        let records = flow.source("records", topics: input.topics)
        if fields.isEmpty { return records.to("copied", output) }
        let declarations = declarations
        let fields = fields
        records.process("enrich") { EnrichProcessor($0, declarations, fields) }.to("enriched", output)
    }
}
