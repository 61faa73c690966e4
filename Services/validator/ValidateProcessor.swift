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
            var fulfilsSchema = true
            validator?.with { fulfilsSchema = $0.isValid() }
            var fulfilsRules = false
            // A rule that cannot be evaluated is not fulfilled.
            if fulfilsSchema { conditions.with { fulfilsRules = $0.allHold() } }
            if !fulfilsRules { throw violations(ofSchema: !fulfilsSchema) }
            try keyOfRecord?.with { (key) throws(Refusal) in valid.key = try key.evaluate(evaluator) }
            if let topic { output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        if let output { try forward(valid, to: output) } else { try forward(valid) }
    }

    /// Everything that is wrong. A rule that fails to evaluate counts only if the schema found nothing: it fails because a field
    /// is missing or of another type, and the schema says that better.
    private func violations(ofSchema isOfSchema: Bool) -> Refusal {
        var text = ""
        func append(_ message: String) {
            if !text.isEmpty { text += "; " }
            text += message
        }
        if isOfSchema, let schema { for violation in schema.violations() { append(violation.message) } }
        for rule in rules {
            switch rule.condition.holds(in: evaluator.context) {
            case true: break
            case false: append(rule.text)
            case nil: if !isOfSchema { append("\(rule.text) (\(reason(rule.condition)))") }
            }
        }
        return Refusal(isOfSchema ? "SCHEMA_VIOLATION" : "BUSINESS_RULE_VIOLATION", text)
    }

    /// Why a condition could not be evaluated.
    private func reason(_ condition: Expression) -> String {
        do throws(EvaluationError) {
            _ = try condition.bool(in: evaluator.context)
            return condition.sourceText
        } catch {
            return "\(condition.sourceText): \(error.message)"
        }
    }
}
