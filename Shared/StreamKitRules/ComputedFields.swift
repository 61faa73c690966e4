public import Expressions
internal import JSON
public import StreamKit

/// A computed field: its name, its expression, and whether later expressions refer to it.
public struct ComputedField: Sendable {
    public let name: String
    public let expression: Expression
    let isRead: Bool
}

/// Fields that expressions compute and that are put into the record without re-encoding the rest; a field that is there
/// already is replaced. Later expressions may refer to what earlier ones computed. An empty optional leaves its field out.
///
/// A record that has none of the fields yet, as a rule, is copied to its closing brace, and each value is written behind that
/// where it stays. Otherwise a splice takes the values in.
public final class ComputedFields {
    private final class Field {
        let name: String
        let expression: Expression
        let splice: SpliceField
        let prefixCount: Int
        /// Where the value goes if a later expression refers to it.
        let slot: VariableSlot?

        init(_ field: ComputedField, _ splice: SpliceField, prefixCount: Int, _ slot: VariableSlot?) {
            name = field.name
            expression = field.expression
            self.splice = splice
            self.prefixCount = prefixCount
            self.slot = slot
        }
    }

    private let context: EvaluationContext
    private let splice: JSONSplice
    private let fields: [Field]
    private let writers: FieldWriters
    /// Whether no name is there twice, of which the last would count.
    private let isDistinct: Bool
    /// Whether the writers can be used, which they can from some record on.
    private var isReady = false
    private let output = OutputBuffer(capacity: 1024)

    /// - Parameter context: where the expressions find the record.
    public init(_ fields: [ComputedField], context: EvaluationContext) {
        self.context = context
        let splice = JSONSplice(context.record)
        self.splice = splice
        let fields = fields.map { field in
            let name = splice.field(field.name)
            let slot = field.isRead ? context.slot(field.name) : nil
            return Field(field, name, prefixCount: splice.prefix(of: name).count, slot)
        }
        self.fields = fields
        let written = fields.map { WrittenField($0.expression, prefix: splice.prefix(of: $0.splice), binding: $0.slot) }
        writers = FieldWriters(written, in: context)
        isDistinct = Set(fields.map(\.splice)).count == fields.count
    }

    public convenience init(_ fields: [ComputedField], evaluator: RuleEvaluator) {
        self.init(fields, context: evaluator.context)
    }

    /// The present record with its fields; valid until the next call. The record must have been read by the context.
    public func compute() throws(Refusal) -> Bytes {
        let (output, writers) = (output, writers)
        output.removeAll()
        guard isReady || becomesReady(), splice.copyOpen(into: output) else { return try computeBySplice() }
        var next = writers.append(from: 0, to: output)
        while next < fields.count {
            let field = fields[next]
            let start = output.count
            if try !write(field, to: output) { output.truncate(to: start - field.prefixCount) }
            next = writers.append(from: next + 1, to: output)
        }
        output.append(UInt8(ascii: "}"))
        return output.bytes
    }

    @inline(never)
    private func becomesReady() -> Bool {
        isReady = isDistinct && writers.areReady()
        return isReady
    }

    /// The whole way, whatever the record is and has.
    @inline(never)
    package func computeBySplice() throws(Refusal) -> Bytes {
        splice.begin()
        for field in fields {
            splice.set(field.splice)
            if try !write(field, to: splice.values) { splice.remove(field.splice) }
        }
        output.removeAll()
        guard splice.finish(into: output) else {
            throw Refusal("SCHEMA_VIOLATION", "the record is not a JSON object")
        }
        return output.bytes
    }

    /// The value by whatever way, and whether there is one.
    @inline(never)
    private func write(_ field: Field, to values: OutputBuffer) throws(Refusal) -> Bool {
        do throws(EvaluationError) {
            guard let slot = field.slot else { return try field.expression.writeJSON(in: context, to: values) }
            return try field.expression.writeJSON(in: context, binding: slot, to: values)
        } catch {
            throw RuleEvaluator.refusal("fields.\(field.name)", error)
        }
    }
}
