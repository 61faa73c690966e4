internal import Expressions
package import StreamKit
import StreamKitRules
package import StreamKitService

/// Adds what follows from a record and from reference data, without re-encoding the rest. Without `fields`, `key` and a choice of
/// topics it copies.
@main package struct Enricher: StreamService {
    package static let name = "enricher"
    package static let about = "Adds computed fields to records."

    private let input: ServiceInput
    private let enrichment: Enrichment

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        enrichment = Enrichment(settings)
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { enrichment.declarations.watch }

    package func declare(_ flow: Flow) {
        let records = flow.source("records", topics: input.topics)
        let enrichment = enrichment
        if enrichment.isNone { return records.to("copied", enrichment.output) }
        records.process("enrich") { EnrichProcessor($0, enrichment) }.to("enriched", enrichment.output)
    }
}

/// The `fields`, `key` and `output` of the file. Key and topic may refer to computed fields.
struct Enrichment: Sendable {
    let declarations: RuleDeclarations
    let fields: [ComputedField]
    /// nil: the key stays what it is.
    let key: Expression?
    let output: OutputTopics

    init(_ settings: SettingsReader) {
        var declarations = RuleDeclarations(settings)
        let fields = declarations.computedFields(settings, "fields")
        key = declarations.compile(settings, "key", expecting: nil, isRequired: false)
        output = OutputTopics(settings, "output", declarations)
        self.fields = declarations.fields(fields, readBy: output.expressions + (key.map { [$0] } ?? []))
        self.declarations = declarations
    }

    /// Whether records are copied as they are, not even read.
    var isNone: Bool { expressions.isEmpty }

    var expressions: [Expression] { fields.map(\.expression) + output.expressions + (key.map { [$0] } ?? []) }
}
