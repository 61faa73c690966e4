import JSON
import StreamKit
import StreamKitService

/// Lets orders of at least a given amount pass.
@main struct LargeOrders: StreamService {
    static let name = "large-orders"
    static let about = "Lets large orders pass."
    private let input: ServiceInput
    private let output: SinkDefinition
    private let atLeast: Decimal

    init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        output = settings.sink("output")
        atLeast = Decimal(Int64(settings.required("at_least", .integer(in: 0...1_000_000))))
    }

    func declare(_ flow: Flow) {
        flow.source("orders", topics: input.topics)
            .filter("large") { (order) throws(Refusal) in try amount(order) >= atLeast }
            .to("large-orders", output)
    }
}

/// What an order amounts to. A refusal becomes a dead letter, in the same transaction as everything else.
func amount(_ order: Record) throws(Refusal) -> Decimal {
    guard let value = order.value else { throw Refusal("NO_VALUE", "the record has no value") }
    let json = JSONRecord()
    do { try json.read(value) } catch { throw Refusal("MALFORMED_JSON", "\(error)") }
    guard let amount = json.field(named: "amount")?.decimal else { throw Refusal("NO_AMOUNT", "no number") }
    return amount
}
