import JSON
import JSONSchema
import Patterns

extension RulesBenchmark {
    /// An order as the pipeline's validator describes it; every field is looked at.
    static let orderSchema = #"""
        {
          "type": "object",
          "required": ["order_id", "customer_id", "amount", "currency", "status", "timestamp", "items_count"],
          "properties": {
            "order_id": {"type": "string", "pattern": "^ORD-[0-9]{8}-[0-9]{12}$"},
            "customer_id": {"type": "string", "pattern": "^CUST-[A-Z]{2}-[0-9]{6}$"},
            "amount": {"type": "string", "pattern": "^[0-9]{1,7}\\.[0-9]{2}$"},
            "currency": {"enum": ["USD", "EUR", "GBP", "CAD", "AUD", "JPY"]},
            "status": {"enum": ["confirmed", "pending_payment", "shipped", "delivered", "cancelled"]},
            "timestamp": {"type": "string", "format": "date-time"},
            "items_count": {"type": "integer", "minimum": 1, "maximum": 999}
          },
          "additionalProperties": false
        }
        """#

    static func measureSchema(_ orders: Orders) {
        let schema: JSONSchema
        do { schema = try JSONSchema(orderSchema, formats: .assertion) } catch { return print("\(error)") }
        let record = JSONRecord()
        let validator = SchemaValidator(schema, record: record)
        Measurement.report("schema: scan and validate an order", operations: orders.texts.count) {
            var valid = 0
            for text in orders.texts {
                do { try record.read(text) } catch { continue }
                if validator.isValid() { valid &+= 1 }
            }
            return valid
        }
        let amount = record.declare("amount")
        guard let limit = Decimal("1000000") else { return }
        Measurement.report("schema: the same, and the amount within limits", operations: orders.texts.count) {
            var valid = 0
            for text in orders.texts {
                do { try record.read(text) } catch { continue }
                if validator.isValid(), let bytes = record.field(amount)?.string?.utf8,
                    let amount = Decimal(bytes: bytes),
                    amount.signum > 0, amount <= limit
                {
                    valid &+= 1
                }
            }
            if valid != orders.texts.count { print("invalid orders: \(validator.violations())") }
            return valid
        }
        do { try record.read(orders.texts[0]) } catch { return }
        Measurement.report("schema: validate only", operations: 20_000) {
            var valid = 0
            for _ in 0..<20_000 where validator.isValid() { valid &+= 1 }
            return valid
        }
    }

    static func measurePatterns(_ orders: Orders) {
        let pattern: Pattern
        do { pattern = try Pattern(ecmaScript: "^CUST-[A-Z]{2}-[0-9]{6}$") } catch { return print("\(error)") }
        let text: StaticString = "CUST-EU-123456"
        let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        Measurement.report("pattern: ASCII, by table", operations: 20_000) {
            var matching = 0
            for _ in 0..<20_000 where pattern.matches(bytes, isASCII: true) { matching &+= 1 }
            return matching
        }
        Measurement.report("pattern: by RE2", operations: 20_000) {
            var matching = 0
            for _ in 0..<20_000 where pattern.matches(bytes) { matching &+= 1 }
            return matching
        }
    }
}
