public import Expressions
internal import JSON
public import StreamKit

/// Reads a stateful step's rows by expressions.
public final class RecordEventReader: EventReader {
    private let evaluator: RuleEvaluator
    private let key: KeyExpression
    private let eventTime: Expression
    private let operands: UncountedArray<Operand>

    private final class Operand {
        /// Which functions take it: an amount is summed, averaged and compared, but read once.
        let indices: [Int]
        let name: String
        let expression: Expression

        init(_ indices: [Int], _ name: String, _ expression: Expression) {
            self.indices = indices
            self.name = name
            self.expression = expression
        }
    }

    /// - Parameter operands: for each aggregate function its name and expression; nil where it takes none.
    public init(
        _ declarations: RuleDeclarations, _ processor: ProcessorContext, key: Expression, eventTime: Expression,
        operands: [(name: String, expression: Expression)?] = []
    ) {
        evaluator = RuleEvaluator(
            declarations, processor, expressions: [key, eventTime] + operands.compactMap { $0?.expression })
        self.key = KeyExpression("key", key)
        self.eventTime = eventTime
        var indices: [String: [Int]] = [:]
        for (index, operand) in operands.enumerated() {
            if let operand { indices[operand.expression.sourceText, default: []].append(index) }
        }
        self.operands = UncountedArray(
            indices.values.sorted { $0[0] < $1[0] }.compactMap { indices in
                operands[indices[0]].map { Operand(indices, $0.name, $0.expression) }
            })
    }

    public func read(_ record: Record, into row: EventRow) throws(Refusal) {
        try evaluator.read(record)
        row.key = try key.evaluate(evaluator)
        row.eventTimeMilliseconds = try EventTime.evaluate(eventTime, evaluator)
        try operands.forEach { (operand) throws(Refusal) in
            let value = try Self.decimal(operand.expression, operand.name, evaluator)
            for index in operand.indices { row.operands[index] = value }
        }
    }

    static func decimal(
        _ expression: Expression, _ name: String, _ evaluator: RuleEvaluator
    ) throws(Refusal) -> Decimal {
        do {
            if case .decimal(let value) = try expression.evaluate(in: evaluator.context) { return value }
        } catch {
            throw RuleEvaluator.refusal(name, error)
        }
        throw Refusal("EXPRESSION_FAILED", "\(name): its value is not a decimal")
    }
}

/// An expression whose text is a record's key.
public final class KeyExpression {
    private let name: String
    private let expression: Expression
    private let buffer = OutputBuffer()

    public init(_ name: String, _ expression: Expression) {
        self.name = name
        self.expression = expression
    }

    /// The key's bytes, valid until the next call or record.
    public func evaluate(_ evaluator: RuleEvaluator) throws(Refusal) -> Bytes {
        do throws(EvaluationError) { return try expression.bytes(in: evaluator.context, output: buffer) } catch {
            throw RuleEvaluator.refusal(name, error)
        }
    }
}

/// An expression that says when a record's event happened: a timestamp, or milliseconds since 1970.
public enum EventTime {
    public static func evaluate(_ expression: Expression, _ evaluator: RuleEvaluator) throws(Refusal) -> Int64 {
        let value: Value
        do { value = try expression.evaluate(in: evaluator.context) } catch {
            throw RuleEvaluator.refusal("event_time", error)
        }
        switch value {
        case .timestamp(let instant): return instant.millisecondsSinceEpoch
        case .int(let milliseconds): return milliseconds
        default:
            throw Refusal("EXPRESSION_FAILED", "event_time: must be a timestamp, or milliseconds since 1970 as an int")
        }
    }
}
