internal import Expressions
internal import JSON
public import StreamKit

/// A JSON object made of computed fields alone, in their order. Later expressions may refer to what earlier ones computed; an
/// empty optional leaves its field out.
public final class ComputedObject {
    private let evaluator: RuleEvaluator
    private let fields: [(field: ComputedField, slot: VariableSlot?)]
    private let output = OutputBuffer(capacity: 1024)

    public init(_ fields: [ComputedField], evaluator: RuleEvaluator) {
        self.evaluator = evaluator
        self.fields = fields.map { ($0, $0.reader == nil ? nil : evaluator.context.slot($0.name)) }
    }

    /// The object for what the evaluator has read; valid until the next call.
    public func compute() throws(Refusal) -> Bytes {
        output.removeAll()
        let writer = JSONWriter(output)
        writer.beginObject()
        let context = evaluator.context
        for (field, slot) in fields {
            let start = output.count
            writer.key(field.name)
            do throws(EvaluationError) {
                if let slot, let reader = field.reader {
                    try field.expression.evaluate(in: context, into: slot)
                    if try !reader.writeJSON(in: context, to: output) { output.truncate(to: start) }
                } else if try !field.expression.writeJSON(in: context, to: output) {
                    output.truncate(to: start)
                }
            } catch {
                throw RuleEvaluator.refusal("fields.\(field.name)", error)
            }
        }
        writer.endObject()
        return output.bytes
    }
}
