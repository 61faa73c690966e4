public import Expressions
internal import JSON
public import StreamKit

/// A computed field: its name, its expression, and, where later expressions refer to it, one that reads what was computed.
public struct ComputedField: Sendable {
    public let name: String
    public let expression: Expression
    let reader: Expression?
}

/// Fields that expressions compute and that are put into the record without re-encoding the rest; a field that is there
/// already is replaced. Later expressions may refer to what earlier ones computed. An empty optional leaves its field out.
public final class ComputedFields {
    private final class Field {
        let name: String
        let expression: Uncounted<Expression>
        let splice: SpliceField
        /// Where the value goes if a later expression refers to it, and how it is read from there.
        let slot: VariableSlot?
        let reader: Uncounted<Expression>?
        private let owned: [Expression?]

        init(_ field: ComputedField, _ splice: SpliceField, _ slot: VariableSlot?) {
            name = field.name
            expression = Uncounted(field.expression)
            self.splice = splice
            self.slot = slot
            reader = field.reader.map { Uncounted($0) }
            owned = [field.expression, field.reader]
        }
    }

    private let context: EvaluationContext
    private let splice: JSONSplice
    private let fields: UncountedArray<Field>
    private let output = OutputBuffer(capacity: 1024)

    /// - Parameter context: where the expressions find the record.
    public init(_ fields: [ComputedField], context: EvaluationContext) {
        self.context = context
        let splice = JSONSplice(context.record)
        self.splice = splice
        self.fields = UncountedArray(
            fields.map { field in Field(field, splice.field(field.name), context.slot(field.name)) })
    }

    public convenience init(_ fields: [ComputedField], evaluator: RuleEvaluator) {
        self.init(fields, context: evaluator.context)
    }

    /// The present record with its fields; valid until the next call. The record must have been read by the context.
    public func compute() throws(Refusal) -> Bytes {
        splice.begin()
        let context = context
        let values = splice.values
        try fields.forEach { (field) throws(Refusal) in
            do throws(EvaluationError) {
                splice.set(field.splice)
                var isThere = false
                if let slot = field.slot, let reader = field.reader {
                    try field.expression.with { (expression) throws(EvaluationError) in
                        try expression.evaluate(in: context, into: slot)
                    }
                    try reader.with { (reader) throws(EvaluationError) in
                        isThere = try reader.writeJSON(in: context, to: values)
                    }
                } else {
                    try field.expression.with { (expression) throws(EvaluationError) in
                        isThere = try expression.writeJSON(in: context, to: values)
                    }
                }
                if !isThere { splice.remove(field.splice) }
            } catch {
                throw RuleEvaluator.refusal("fields.\(field.name)", error)
            }
        }
        output.removeAll()
        guard splice.finish(into: output) else {
            throw Refusal("SCHEMA_VIOLATION", "the record is not a JSON object")
        }
        return output.bytes
    }
}
