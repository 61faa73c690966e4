public import Expressions
internal import JSON
public import StreamKit

/// Fields that expressions compute and that are put into the record without re-encoding the rest; a field that is there
/// already is replaced. Later expressions may refer to what earlier ones computed.
public final class ComputedFields {
    private struct Field {
        let name: String
        let expression: Expression
        let splice: SpliceField
        /// Where the value goes if a later expression refers to it.
        let variable: VariableSlot?
    }

    private let evaluator: RuleEvaluator
    private let splice: JSONSplice
    /// One value's JSON: the writer puts commas after what stands before in its buffer, which must not be another field's value.
    private let value = OutputBuffer()
    private let fields: [Field]
    private let output = OutputBuffer(capacity: 1024)

    public init(_ fields: [(name: String, expression: Expression)], evaluator: RuleEvaluator) {
        self.evaluator = evaluator
        let splice = JSONSplice(evaluator.context.record)
        self.splice = splice
        self.fields = fields.enumerated().map { position, field in
            let isReferredTo = fields[(position + 1)...].contains { $0.expression.references.contains(field.name) }
            return Field(
                name: field.name, expression: field.expression, splice: splice.field(field.name),
                variable: isReferredTo ? evaluator.context.slot(field.name) : nil)
        }
    }

    /// The present record with its fields; valid until the next call. The record must have been read by the evaluator.
    public func compute() throws(Refusal) -> Bytes {
        splice.begin()
        for field in fields {
            let value: Value
            do { value = try field.expression.evaluate(in: evaluator.context) } catch {
                throw RuleEvaluator.refusal("fields.\(field.name)", error)
            }
            self.value.removeAll()
            if !ValueJSON.append(value, to: JSONWriter(self.value)) {
                throw Refusal("EXPRESSION_FAILED", "fields.\(field.name): its value has no JSON form")
            }
            splice.set(field.splice)
            splice.values.append(self.value.bytes)
            if let variable = field.variable { evaluator.context.set(variable, value) }
        }
        output.removeAll()
        guard splice.finish(into: output) else {
            throw Refusal("SCHEMA_VIOLATION", "the record is not a JSON object")
        }
        return output.bytes
    }
}
