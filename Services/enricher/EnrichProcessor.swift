import StreamKit
import StreamKitRules

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
