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
        self.fields = fields.map { ($0, $0.isRead ? evaluator.context.slot($0.name) : nil) }
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
                let isThere =
                    if let slot {
                        try field.expression.writeJSON(in: context, binding: slot, to: output)
                    } else {
                        try field.expression.writeJSON(in: context, to: output)
                    }
                if !isThere { output.truncate(to: start) }
            } catch {
                throw RuleEvaluator.refusal("fields.\(field.name)", error)
            }
        }
        writer.endObject()
        return output.bytes
    }
}
