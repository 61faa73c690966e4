import Expressions
import JSON

/// What expressions cost per evaluation, by compiled code and by the general evaluator, the record being read already; and
/// what all of an enricher's fields cost per order, reading included.
struct ExpressionsBenchmark {
    private static let fields = [
        ("region", #"regions[?customer_id.split("-")[?1].orValue("").lowerAscii()].orValue("ca")"#),
        ("tax", "(decimal(amount) * rates[region]).round(2)"),
        (
            "merchant_id",
            #""MERCH-" + region.upperAscii() + "-" + string(customer_id.codepoints().sum() % 100).padStart(3, "0")"#
        ),
        ("processing_duration_ms", "milliseconds(now() - timestamp(timestamp))"),
        (
            "order_value_category",
            #"decimal(amount) < decimal("50") ? "small" : decimal(amount) <= decimal("500") ? "medium" : "large""#
        ),
    ]

    private let orders: Orders
    private let environment: Environment
    private let context: EvaluationContext

    private let name: String

    /// - Parameter isOpen: whether the record's fields are unknown, so that each is looked up by its name.
    init(_ orders: Orders, isOpen: Bool) {
        self.orders = orders
        name = isOpen ? "cel, open record" : "cel"
        var environment = Environment()
        if isOpen {
            environment.declareOpenRecord()
        } else {
            Self.declareOrder(in: &environment)
        }
        environment.declare("regions", .map(key: .string, value: .string))
        environment.declare("rates", .map(key: .string, value: .decimal))
        for (name, type) in [("region", ValueType.string), ("tax", .decimal)] { environment.declare(name, type) }
        self.environment = environment
        context = EvaluationContext(environment)
        context.set("regions", ["us": "us", "eu": "eu", "uk": "uk", "ca": "ca", "au": "au"])
        var rates = ValueMap()
        for (region, rate) in [("us", "0.0825"), ("eu", "0.21"), ("uk", "0.2"), ("ca", "0.13"), ("au", "0.1")] {
            if let rate = Decimal(rate) { _ = rates.set(.string(Text(region)), .decimal(rate)) }
        }
        context.set("rates", .map(rates))
    }

    private static func declareOrder(in environment: inout Environment) {
        environment.declareRecord(
            ObjectType(
                name: "order",
                fields: [
                    .init("order_id", .string), .init("customer_id", .string), .init("amount", .dyn),
                    .init("currency", .string), .init("status", .string), .init("timestamp", .string),
                    .init("items_count", .int),
                ]))
    }

    func run() {
        do {
            try measureConditions()
            try measureFields()
            try measureOrders()
        } catch {
            print("expressions: \(error)")
        }
    }

    private func measureConditions() throws {
        let conditions = [
            "items_count > 3", #"status == "confirmed""#, #"status in ["confirmed", "pending_payment"]"#,
            #"decimal(amount) >= decimal("0.01")"#,
            #"status in ["confirmed", "pending_payment"] && decimal(amount) >= decimal("0.01")"#,
            #"customer_id.startsWith("CUST-")"#, #"order_id.matches("^ORD-[0-9]{8}-")"#, "amount == 5",
        ]
        for source in conditions {
            let expression = try environment.compile(source, expecting: .bool)
            try context.read(orders.texts[0])
            Measurement.report("\(name): \(source)", operations: 100_000) {
                var sum = 0
                for _ in 0..<100_000 { if (try? expression.bool(in: context)) == true { sum &+= 1 } }
                return sum
            }
        }
    }

    private func measureFields() throws {
        let output = OutputBuffer()
        context.set("region", "eu")
        for (name, source) in Self.fields {
            let expression = try environment.compile(source)
            try context.read(orders.texts[0])
            Measurement.report("\(self.name): \(name)", operations: 100_000) {
                for _ in 0..<100_000 {
                    output.removeAll()
                    context.begin()
                    _ = try? expression.writeJSON(in: context, to: output)
                }
                return output.count
            }
            Measurement.report("\(self.name), general evaluator: \(name)", operations: 10_000) {
                for _ in 0..<10_000 { _ = try? expression.evaluateGenerally(in: context) }
                return 0
            }
        }
    }

    private func measureOrders() throws {
        let expressions = try Self.fields.map { try environment.compile($0.1) }
        guard let region = context.slot("region") else { return }
        let output = OutputBuffer()
        Measurement.report("\(name): order read, five fields computed and written", operations: orders.texts.count) {
            var sum = 0
            for text in orders.texts {
                output.removeAll()
                do {
                    try context.read(text)
                    try expressions[0].evaluate(in: context, into: region)
                    for expression in expressions { try expression.writeJSON(in: context, to: output) }
                } catch { sum &+= 1_000 }
                sum &+= output.count
            }
            return sum
        }
    }
}
