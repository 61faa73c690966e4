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
        let expression: Expression
        let splice: SpliceField
        /// Where the value goes if a later expression refers to it, and how it is read from there.
        let slot: VariableSlot?
        let reader: Expression?

        init(_ field: ComputedField, _ splice: SpliceField, _ slot: VariableSlot?) {
            name = field.name
            expression = field.expression
            self.splice = splice
            self.slot = slot
            reader = field.reader
        }
    }

    private let evaluator: RuleEvaluator
    private let splice: JSONSplice
    private let fields: UncountedArray<Field>
    private let output = OutputBuffer(capacity: 1024)

    public init(_ fields: [ComputedField], evaluator: RuleEvaluator) {
        self.evaluator = evaluator
        let splice = JSONSplice(evaluator.context.record)
        self.splice = splice
        self.fields = UncountedArray(
            fields.map { field in Field(field, splice.field(field.name), evaluator.context.slot(field.name)) })
    }

    /// The present record with its fields; valid until the next call. The record must have been read by the evaluator.
    public func compute() throws(Refusal) -> Bytes {
        splice.begin()
        let context = evaluator.context
        try fields.forEach { (field) throws(Refusal) in
            do throws(EvaluationError) {
                splice.set(field.splice)
                let isThere: Bool
                if let slot = field.slot, let reader = field.reader {
                    try field.expression.evaluate(in: context, into: slot)
                    isThere = try reader.writeJSON(in: context, to: splice.values)
                } else {
                    isThere = try field.expression.writeJSON(in: context, to: splice.values)
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
