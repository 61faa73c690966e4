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
        /// Where the value goes if a later expression refers to it.
        let slot: VariableSlot?

        init(_ field: ComputedField, _ splice: SpliceField, _ slot: VariableSlot?) {
            name = field.name
            expression = field.expression
            self.splice = splice
            self.slot = slot
        }
    }

    /// The same for the quick way: visited for each record without counting references.
    private struct Appended {
        let expression: Unmanaged<Expression>
        /// `,"name":`, with zeros behind it.
        let prefix: UnsafeMutableRawPointer
        let prefixCount: Int
        let slot: VariableSlot?

        init(_ field: Field, prefix bytes: [UInt8]) {
            expression = .passUnretained(field.expression)
            slot = field.slot
            prefixCount = bytes.count
            prefix = .allocate(byteCount: bytes.count + 32, alignment: 16)
            prefix.initializeMemory(as: UInt8.self, repeating: 0, count: bytes.count + 32)
            bytes.withUnsafeBytes { prefix.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(prefix), byteCount: $0.count) }
        }
    }

    private let context: EvaluationContext
    private let splice: JSONSplice
    private let fields: [Field]
    private let appended: UnsafeMutablePointer<Appended>
    /// Those of ``appended``: none if a name is there twice, of which the last counts.
    private let appendedCount: Int
    /// Whether the context has been found to have what the expressions read; then it always has.
    private var isReady = false
    private let output = OutputBuffer(capacity: 1024)

    /// - Parameter context: where the expressions find the record.
    public init(_ fields: [ComputedField], context: EvaluationContext) {
        self.context = context
        let splice = JSONSplice(context.record)
        self.splice = splice
        let fields = fields.map { field in
            Field(field, splice.field(field.name), field.isRead ? context.slot(field.name) : nil)
        }
        self.fields = fields
        appendedCount = Set(fields.map(\.splice)).count == fields.count ? fields.count : 0
        appended = .allocate(capacity: max(1, appendedCount))
        for (position, field) in fields.prefix(appendedCount).enumerated() {
            (appended + position).initialize(to: Appended(field, prefix: splice.prefix(of: field.splice)))
        }
    }

    public convenience init(_ fields: [ComputedField], evaluator: RuleEvaluator) {
        self.init(fields, context: evaluator.context)
    }

    deinit {
        for position in 0..<appendedCount { appended[position].prefix.deallocate() }
        appended.deallocate()
    }

    /// The present record with its fields; valid until the next call. The record must have been read by the context.
    public func compute() throws(Refusal) -> Bytes {
        let output = output
        output.removeAll()
        guard isReady || becomesReady(), splice.copyOpen(into: output) else { return try computeBySplice() }
        let context = context
        for position in 0..<appendedCount {
            let field = appended + position
            let start = output.count
            output.append(blocks: field.pointee.prefix, count: field.pointee.prefixCount)
            let isWritten = field.pointee.expression._withUnsafeGuaranteedRef { expression in
                if let slot = field.pointee.slot {
                    expression.writeSpecialised(in: context, binding: slot, to: output)
                } else {
                    expression.writeSpecialised(in: context, to: output)
                }
            }
            if !isWritten, try !write(fields[position], to: output) { output.truncate(to: start) }
        }
        output.append(UInt8(ascii: "}"))
        return output.bytes
    }

    @inline(never)
    private func becomesReady() -> Bool {
        isReady = appendedCount == fields.count && fields.allSatisfy { $0.expression.isReady(in: context) }
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
