import Expressions
import JSON
import StreamKit

/// The second half: remembers each customer's orders and tells what of them is suspicious.
final class CustomerWatch: Processor {
    static let store = "customers"

    private let rules: AnomalyRules
    private let store: KeyValueStore
    private let output = OutputBuffer(capacity: 1024)
    private let encoded = OutputBuffer(capacity: 4096)
    private let history: CustomerHistory
    private let lateOrders: TransactionCounter
    private let forgottenEarly: TransactionCounter

    init(_ context: ProcessorContext, _ rules: AnomalyRules) {
        self.rules = rules
        history = CustomerHistory(rules)
        store = context.store(Self.store)
        lateOrders = context.counter("late")
        forgottenEarly = context.counter("forgotten_early")
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        guard let key = record.key, let value = record.value, let order = ShuffledOrder(value) else {
            throw .broker(
                BrokerFailure(
                    .stop, operation: "read \(context.time.currentPartition) offset \(record.origin.offset)",
                    reason: "not a record that this version of the detector wrote"))
        }
        guard history.read(try store.get(key)) else {
            throw .store(
                StoreFailure("the entry of \(String(decoding: key, as: UTF8.self)) in \(Self.store) is damaged"))
        }
        let watermark = context.time.upstreamWatermarkMilliseconds
        if let since = rules.wholeSince(watermarkMilliseconds: watermark), order.timeMilliseconds < since {
            lateOrders.count()
        }
        let findings = history.take(order, watermarkMilliseconds: watermark)
        for _ in 0..<history.forgottenEarly { forgottenEarly.count() }
        history.encode(into: encoded)
        try store.put(key, encoded.bytes)
        for finding in findings { try alert(finding, customer: key, record) }
    }

    private func alert(_ finding: CustomerHistory.Finding, customer: Bytes, _ record: Record) throws(StreamFault) {
        let rule = rules.rules[finding.rule]
        let name = String(decoding: customer, as: UTF8.self)
        let completedBy = String(decoding: history.identifier(of: finding.order), as: UTF8.self)
        output.removeAll()
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key("alert_id")
        // Of what stays the same on a replay; not of the time.
        writer.string(Digest.sha256Hex(Array("\(name)\u{0}\(rule.type)\u{0}\(completedBy)".utf8)))
        writer.key("customer_id")
        writer.string(name)
        writer.key("anomaly_type")
        writer.string(rule.type)
        writer.key("severity")
        writer.string(rule.severity)
        writer.key("description")
        writer.string(rule.description.text(finding.measure))
        writer.key("detected_at")
        writer.instant(Instant(millisecondsSinceEpoch: context.time.nowMilliseconds), fraction: .exactly(3))
        writer.key("order_ids")
        writer.beginArray()
        for order in finding.orders { writer.string(utf8: history.identifier(of: order)) }
        writer.endArray()
        writer.endObject()
        var alert = record
        alert.value = output.bytes
        // Brokers refuse records of the future.
        alert.timestampMilliseconds = min(finding.order.timeMilliseconds, context.time.nowMilliseconds)
        try forward(alert)
    }
}
