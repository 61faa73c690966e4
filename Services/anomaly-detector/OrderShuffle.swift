import Expressions
import JSON
import StreamKit
import StreamKitRules

/// What the detector needs of an order, on its way through the repartition topic to the customer's task. It borrows the identifier.
struct ShuffledOrder {
    static let version: UInt8 = 1

    var timeMilliseconds: Int64
    var identifier: Bytes
    /// nil where no rule needs amounts, or the order has none.
    var amount: Decimal?
    /// The conditions that hold for the order, a bit each.
    var matches: UInt64

    func encode(into bytes: OutputBuffer) {
        bytes.removeAll()
        bytes.append(Self.version)
        bytes.append(binary: timeMilliseconds)
        bytes.append(binary: matches)
        bytes.append(binary: amount.map { UInt8(truncatingIfNeeded: $0.scale) } ?? 255)
        bytes.append(binary: amount?.mantissa ?? 0)
        bytes.append(lengthAnd: identifier)
    }

    /// nil if the bytes are not of this version's form.
    init?(_ bytes: Bytes) {
        var reader = ByteReader(bytes)
        guard reader.byte() == Self.version, let time = reader.int64(), let matches = reader.int64(),
            let scale = reader.byte(), let mantissa = reader.int128(), let identifier = reader.bytesWithLength()
        else { return nil }
        timeMilliseconds = time
        self.matches = UInt64(bitPattern: matches)
        self.identifier = identifier
        if scale == 255 { amount = nil } else { amount = Decimal(mantissa: mantissa, scale: Int(scale)) }
    }

    init(timeMilliseconds: Int64, identifier: Bytes, amount: Decimal?, matches: UInt64) {
        self.timeMilliseconds = timeMilliseconds
        self.identifier = identifier
        self.amount = amount
        self.matches = matches
    }
}

/// The expressions that read an order, and the conditions on it.
struct OrderExpressions: Sendable {
    let key: Expression
    let identifier: Expression
    let eventTime: Expression
    let amount: Expression?
    /// By bit.
    let conditions: [(name: String, expression: Expression)]
}

/// The first half: reads orders, keys them by customer, and takes their times into the watermarks.
final class OrderShuffle: Processor {
    private let expressions: OrderExpressions
    private let evaluator: RuleEvaluator
    private let key: KeyExpression
    private let identifier: KeyExpression
    private let value = OutputBuffer(capacity: 256)

    init(_ context: ProcessorContext, _ declarations: RuleDeclarations, _ expressions: OrderExpressions) {
        self.expressions = expressions
        evaluator = RuleEvaluator(
            declarations, context,
            expressions: [expressions.key, expressions.identifier, expressions.eventTime]
                + (expressions.amount.map { [$0] } ?? []) + expressions.conditions.map(\.expression))
        key = KeyExpression("key", expressions.key)
        identifier = KeyExpression("id", expressions.identifier)
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var shuffled = record
        do throws(Refusal) {
            try evaluator.read(record)
            shuffled.key = try key.evaluate(evaluator)
            let order = try order()
            context.time.observe(eventTimeMilliseconds: order.timeMilliseconds)
            order.encode(into: value)
        } catch {
            throw .refused(error)
        }
        shuffled.value = value.bytes
        try forward(shuffled)
    }

    private func order() throws(Refusal) -> ShuffledOrder {
        var matches: UInt64 = 0
        for (bit, condition) in expressions.conditions.enumerated() {
            do {
                if case .bool(true) = try condition.expression.evaluate(in: evaluator.context) {
                    matches |= 1 << UInt64(bit)
                }
            } catch {
                throw RuleEvaluator.refusal(condition.name, error)
            }
        }
        return ShuffledOrder(
            timeMilliseconds: try EventTime.evaluate(expressions.eventTime, evaluator),
            identifier: try identifier.evaluate(evaluator), amount: try amount(),
            matches: matches)
    }

    private func amount() throws(Refusal) -> Decimal? {
        guard let expression = expressions.amount else { return nil }
        do {
            if case .decimal(let value) = try expression.evaluate(in: evaluator.context) { return value }
        } catch {
            throw RuleEvaluator.refusal("amount", error)
        }
        throw Refusal("EXPRESSION_FAILED", "amount: its value is not a decimal")
    }
}
