import StreamKit
import StreamKitRules
import StreamKitService

/// Adds what follows from a record and from reference data, without re-encoding the rest. Without `fields` it copies.
@main struct Enricher: StreamService {
    static let name = "enricher"
    static let about = "Adds computed fields to records."

    private let input: ServiceInput
    private let output: SinkDefinition
    private let declarations: RuleDeclarations
    private let fields: [ComputedField]

    init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        output = settings.sink("output")
        var declarations = RuleDeclarations(settings)
        fields = declarations.computedFields(settings, "fields")
        self.declarations = declarations
    }

    func makeWatch() -> (@Sendable () -> any ServiceWatch)? { declarations.watch }

    func declare(_ flow: Flow) {
        let records = flow.source("records", topics: input.topics)
        if fields.isEmpty { return records.to("copied", output) }
        let declarations = declarations
        let fields = fields
        records.process("enrich") { EnrichProcessor($0, declarations, fields) }.to("enriched", output)
    }
}

final class EnrichProcessor: Processor {
    private let evaluator: RuleEvaluator
    private let fields: ComputedFields

    init(
        _ context: ProcessorContext, _ declarations: RuleDeclarations,
        _ fields: [ComputedField]
    ) {
        evaluator = RuleEvaluator(declarations, context, expressions: fields.map(\.expression))
        self.fields = ComputedFields(fields, evaluator: evaluator)
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var enriched = record
        do throws(Refusal) {
            try evaluator.read(record)
            enriched.value = try fields.compute()
        } catch {
            throw .refused(error)
        }
        try forward(enriched)
    }
}
