import Expressions
import StreamKit
import StreamKitRules
import StreamKitService

/// Adds what follows from a record and from reference data, without re-encoding the rest. Without `fields`, `key` and a choice of
/// topics it copies.
@main struct Enricher: StreamService {
    static let name = "enricher"
    static let about = "Adds computed fields to records."

    private let input: ServiceInput
    private let enrichment: Enrichment

    init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        enrichment = Enrichment(settings)
    }

    func makeWatch() -> (@Sendable () -> any ServiceWatch)? { enrichment.declarations.watch }

    func declare(_ flow: Flow) {
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

final class EnrichProcessor: Processor {
    private let evaluator: RuleEvaluator
    private let fields: ComputedFields?
    private let key: KeyExpression?
    private let topic: TopicChoice?

    init(_ context: ProcessorContext, _ enrichment: Enrichment) {
        let evaluator = RuleEvaluator(enrichment.declarations, context, expressions: enrichment.expressions)
        self.evaluator = evaluator
        fields = enrichment.fields.isEmpty ? nil : ComputedFields(enrichment.fields, evaluator: evaluator)
        key = enrichment.key.map { KeyExpression("key", $0) }
        topic = TopicChoice(enrichment.output)
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var enriched = record
        var output: Int?
        do throws(Refusal) {
            try evaluator.read(record)
            if let fields { enriched.value = try fields.compute() }
            if let key { enriched.key = try key.evaluate(evaluator) }
            if let topic { output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        if let output { try forward(enriched, to: output) } else { try forward(enriched) }
    }
}
