public import Expressions
public import JSON
public import StreamKit

/// Evaluates a service's expressions on records, in one task.
public final class RuleEvaluator {
    public let context: EvaluationContext
    private let processor: ProcessorContext
    private let references: [Reference]
    private let metadata: Metadata?
    private var nowMilliseconds = Int64.min
    private var now = Instant.epoch

    private struct Reference {
        let data: ReferenceData
        let slot: VariableSlot
        let version: Version
    }

    private final class Version { var seen = -1 }

    /// Bound only if an expression refers to it: headers are dear, the rest costs a little each.
    private struct Metadata {
        let key: VariableSlot?
        let topic: VariableSlot?
        let partition: VariableSlot?
        let offset: VariableSlot?
        let timestamp: VariableSlot?
        let headers: VariableSlot?
    }

    /// - Parameter expressions: all that will be evaluated; they tell what has to be bound.
    public init(
        _ declarations: RuleDeclarations, _ processor: ProcessorContext, record: JSONRecord = JSONRecord(),
        expressions: [Expression]
    ) {
        self.processor = processor
        let context = EvaluationContext(declarations.environment, record: record)
        self.context = context
        references = declarations.references.compactMap { data in
            context.slot(data.name).map { Reference(data: data, slot: $0, version: Version()) }
        }
        let used = Set(expressions.flatMap(\.references))
        func slot(_ name: String) -> VariableSlot? { used.contains(name) ? context.slot(name) : nil }
        let metadata = Metadata(
            key: slot(RecordMetadata.key), topic: slot(RecordMetadata.topic), partition: slot(RecordMetadata.partition),
            offset: slot(RecordMetadata.offset), timestamp: slot(RecordMetadata.timestamp),
            headers: slot(RecordMetadata.headers))
        let isUsed = used.contains { $0.hasPrefix("record.") }
        self.metadata = isUsed ? metadata : nil
    }

    /// Reads the record's value as JSON and binds what the expressions refer to.
    public func read(_ record: Record) throws(Refusal) {
        guard let value = record.value else { throw Refusal("SCHEMA_VIOLATION", "the record has no value") }
        do { try context.read(value) } catch { throw Refusal("MALFORMED_JSON", "\(error)") }
        begin(record)
    }

    /// Binds what the expressions refer to, when the value was read by somebody else.
    public func begin(_ record: Record) {
        let milliseconds = processor.time.nowMilliseconds
        if milliseconds != nowMilliseconds {
            // Another batch, as a rule.
            nowMilliseconds = milliseconds
            now = Instant(millisecondsSinceEpoch: milliseconds)
            bindReferences()
        }
        context.now = now
        if let metadata { bind(metadata, record) }
    }

    private func bindReferences() {
        for reference in references where reference.data.version != reference.version.seen {
            reference.version.seen = reference.data.version
            context.set(reference.slot, reference.data.value)
        }
    }

    private func bind(_ metadata: Metadata, _ record: Record) {
        if let slot = metadata.key {
            let text = record.key.flatMap { Text(utf8: Array($0)) }
            context.set(slot, text.map { .string($0) } ?? .null)
        }
        let partition = processor.time.currentPartition
        if let slot = metadata.topic { context.set(slot, .string(Text(partition.topic))) }
        if let slot = metadata.partition { context.set(slot, .int(Int64(partition.partition))) }
        if let slot = metadata.offset { context.set(slot, .int(record.origin.offset)) }
        if let slot = metadata.timestamp {
            context.set(slot, .timestamp(Instant(millisecondsSinceEpoch: record.timestampMilliseconds)))
        }
        if let slot = metadata.headers {
            var headers = ValueMap()
            for header in processor.headers(of: record) {
                if let text = Text(utf8: header.value ?? []) {
                    _ = headers.set(.string(Text(header.name)), .string(text))
                }
            }
            context.set(slot, .map(headers))
        }
    }

    /// What a failed evaluation makes of the record: a dead letter that names the expression and the field.
    public static func refusal(_ name: String, _ error: EvaluationError) -> Refusal {
        let field = error.field.map { " (field \($0))" } ?? ""
        let place = error.location.map { " (at \($0) of the expression)" } ?? ""
        return Refusal("EXPRESSION_FAILED", "\(name)\(field): \(error.message)\(place)")
    }
}
