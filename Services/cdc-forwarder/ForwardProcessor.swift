import ChangeData
import Expressions
import JSON
import StreamKit
import StreamKitRules

/// Decodes change events and maps those that the condition lets through; the others are counted by operation.
final class ForwardProcessor: Processor {
    private let mapping: ChangeMapping
    private let decoder: DebeziumDecoder
    private let evaluator: RuleEvaluator
    private let object: ComputedObject
    private let key: KeyExpression?
    private let topic: TopicChoice?
    private let event = OutputBuffer(capacity: 4096)
    private var skipped: [ChangeOperation: TransactionCounter] = [:]

    init(_ context: ProcessorContext, _ mapping: ChangeMapping) {
        self.mapping = mapping
        decoder = DebeziumDecoder(mapping.options)
        evaluator = RuleEvaluator(mapping.declarations, context, expressions: mapping.expressions)
        object = ComputedObject(mapping.fields, evaluator: evaluator)
        key = mapping.key.map { KeyExpression("key", $0) }
        topic = TopicChoice(mapping.output)
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var mapped = record
        var output = 0
        do throws(Refusal) {
            guard try read(record) else { return }
            mapped.value = try object.compute()
            if let key { mapped.key = try key.evaluate(evaluator) }
            if let topic { output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        try forward(mapped, to: output)
    }

    /// Decodes the event for the expressions; false if it is not to be forwarded.
    private func read(_ record: Record) throws(Refusal) -> Bool {
        let change: ChangeEvent
        event.removeAll()
        do throws(ChangeEventFault) {
            change = try decoder.decode(record.value)
            if change.operation == .tombstone {
                skip(.tombstone)
                return false
            }
            try change.write(into: event)
        } catch {
            if case .malformed = error { throw Refusal("MALFORMED_JSON", "\(error)") }
            throw Refusal("CHANGE_EVENT_UNREADABLE", "\(error)")
        }
        var plain = record
        plain.value = event.bytes
        try evaluator.read(plain)
        guard let condition = mapping.condition else { return true }
        do {
            if try condition.bool(in: evaluator.context) { return true }
        } catch {
            throw RuleEvaluator.refusal("where", error)
        }
        skip(change.operation)
        return false
    }

    private func skip(_ operation: ChangeOperation) {
        let counter = skipped[operation] ?? context.counter("skipped_\(operation)")
        skipped[operation] = counter
        counter.count()
    }
}
