import Expressions
import JSON
import JSONSchema
import StreamKit
import StreamKitRules

/// Checks one record after the other. What is wrong with one is told whole: every violation, not just the first.
final class ValidateProcessor: Processor {
    private let evaluator: RuleEvaluator
    private let schema: SchemaValidator?
    private let rules: [ValidationRules.Rule]
    private let key: KeyExpression?
    private let topic: TopicChoice?
    // The same, for each record.
    private let validator: Uncounted<SchemaValidator>?
    private let conditions: Uncounted<Conditions>
    private let ownedConditions: Conditions
    private let keyOfRecord: Uncounted<KeyExpression>?

    init(_ context: ProcessorContext, _ declarations: RuleDeclarations, _ rules: ValidationRules) {
        evaluator = RuleEvaluator(declarations, context, expressions: rules.expressions)
        schema = rules.schema.map { [record = evaluator.context.record] in SchemaValidator($0, record: record) }
        self.rules = rules.rules
        key = rules.key.map { KeyExpression("key", $0) }
        topic = TopicChoice(rules.output)
        validator = schema.map { Uncounted($0) }
        ownedConditions = Conditions(rules.rules.map(\.condition), in: evaluator.context)
        conditions = Uncounted(ownedConditions)
        keyOfRecord = key.map { Uncounted($0) }
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var valid = record
        var output: Int?
        do throws(Refusal) {
            try evaluator.read(record)
            if !isValid() { throw violations() }
            try keyOfRecord?.with { (key) throws(Refusal) in valid.key = try key.evaluate(evaluator) }
            if let topic { output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        if let output { try forward(valid, to: output) } else { try forward(valid) }
    }

    private func isValid() -> Bool {
        var isValid = true
        validator?.with { isValid = $0.isValid() }
        // A rule that cannot be evaluated is not fulfilled.
        if isValid { conditions.with { isValid = $0.allHold() } }
        return isValid
    }

    /// Everything that is wrong. A rule that fails to evaluate counts only if the schema found nothing: it fails because a field
    /// is missing or of another type, and the schema says that better.
    private func violations() -> Refusal {
        let ofSchema = schema?.violations() ?? []
        var messages = ofSchema.map(\.message)
        var rulesBroken = 0
        for rule in rules {
            do throws(EvaluationError) {
                if try rule.condition.bool(in: evaluator.context) { continue }
                messages.append("\(rule.field): \(rule.message)")
                rulesBroken += 1
            } catch {
                if !ofSchema.isEmpty { continue }
                messages.append("\(rule.field): \(rule.message) (\(rule.condition.sourceText): \(error.message))")
                rulesBroken += 1
            }
        }
        let type = ofSchema.isEmpty && rulesBroken > 0 ? "BUSINESS_RULE_VIOLATION" : "SCHEMA_VIOLATION"
        return Refusal(type, messages.joined(separator: "; "))
    }
}
