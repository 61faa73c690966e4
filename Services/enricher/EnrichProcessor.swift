import StreamKit
import StreamKitRules

/// One record after the other: its fields, then its key and its topic, which may refer to them.
final class EnrichProcessor: Processor {
    private let evaluator: RuleEvaluator
    private let fields: ComputedFields
    private let hasFields: Bool
    private let key: KeyExpression?
    private let topic: TopicChoice?
    // The same, for each record.
    private let keying: Uncounted<KeyExpression>?
    private let choice: Uncounted<TopicChoice>?
    /// Whether there are fields, and nothing else.
    private let isFieldsOnly: Bool

    init(_ context: ProcessorContext, _ enrichment: Enrichment) {
        let evaluator = RuleEvaluator(enrichment.declarations, context, expressions: enrichment.expressions)
        self.evaluator = evaluator
        fields = ComputedFields(enrichment.fields, evaluator: evaluator)
        hasFields = !enrichment.fields.isEmpty
        key = enrichment.key.map { KeyExpression("key", $0) }
        topic = TopicChoice(enrichment.output)
        keying = key.map { Uncounted($0) }
        choice = topic.map { Uncounted($0) }
        isFieldsOnly = hasFields && key == nil && topic == nil
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var enriched = record
        if isFieldsOnly {
            do throws(Refusal) {
                try evaluator.read(record)
                enriched.value = try fields.compute()
            } catch {
                throw .refused(error)
            }
            return try forward(enriched)
        }
        var output: Int?
        do throws(Refusal) {
            try evaluator.read(record)
            if hasFields { enriched.value = try fields.compute() }
            try keying?.with { (key) throws(Refusal) in enriched.key = try key.evaluate(evaluator) }
            try choice?.with { (topic) throws(Refusal) in output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        if let output { try forward(enriched, to: output) } else { try forward(enriched) }
    }
}
