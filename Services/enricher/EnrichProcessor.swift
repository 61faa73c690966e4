import StreamKit
import StreamKitRules

/// One record after the other: its fields, then its key and its topic, which may refer to them.
final class EnrichProcessor: Processor {
    private let evaluator: RuleEvaluator
    private let fields: ComputedFields?
    private let key: KeyExpression?
    private let topic: TopicChoice?
    // The same, for each record.
    private let computation: Uncounted<ComputedFields>?
    private let keying: Uncounted<KeyExpression>?
    private let choice: Uncounted<TopicChoice>?

    init(_ context: ProcessorContext, _ enrichment: Enrichment) {
        let evaluator = RuleEvaluator(enrichment.declarations, context, expressions: enrichment.expressions)
        self.evaluator = evaluator
        fields = enrichment.fields.isEmpty ? nil : ComputedFields(enrichment.fields, evaluator: evaluator)
        key = enrichment.key.map { KeyExpression("key", $0) }
        topic = TopicChoice(enrichment.output)
        computation = fields.map { Uncounted($0) }
        keying = key.map { Uncounted($0) }
        choice = topic.map { Uncounted($0) }
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var enriched = record
        var output: Int?
        do throws(Refusal) {
            try evaluator.read(record)
            try computation?.with { (fields) throws(Refusal) in enriched.value = try fields.compute() }
            try keying?.with { (key) throws(Refusal) in enriched.key = try key.evaluate(evaluator) }
            try choice?.with { (topic) throws(Refusal) in output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        if let output { try forward(enriched, to: output) } else { try forward(enriched) }
    }
}
