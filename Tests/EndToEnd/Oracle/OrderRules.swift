import Foundation

/// An order that is none of the validator's business any more.
struct ValidOrder {
    var orderID: String
    var customerID: String
    var amount: Decimal
    var timestampMilliseconds: Int64
}

/// What has to become of a raw record, read from the specification of the order pipeline.
enum Verdict {
    case order(ValidOrder)
    /// The fields that the dead letter's message has to name.
    case refused(type: String, fields: [String])
}

enum OrderRules {
    static let fields = ["order_id", "customer_id", "amount", "currency", "status", "timestamp", "items_count"]
    /// Those of ISO 4217 that the workload uses.
    private static let currencies: Set = ["USD", "EUR", "GBP", "CAD", "AUD", "JPY", "BRL"]
    private static let statuses: Set = ["confirmed", "pending_payment", "shipped", "delivered", "cancelled"]

    static func verdict(_ value: [UInt8]?) -> Verdict {
        // No value is no broken JSON; it lacks everything that an order has.
        guard let value else { return .refused(type: "SCHEMA_VIOLATION", fields: []) }
        guard let json = StrictJSON(value) else { return .refused(type: "MALFORMED_JSON", fields: []) }
        guard case .object = json else { return .refused(type: "SCHEMA_VIOLATION", fields: []) }
        var violated: [String] = []
        for field in fields where !isRight(field, json[field]) { violated.append(field) }
        if !violated.isEmpty { return .refused(type: "SCHEMA_VIOLATION", fields: violated) }
        guard let orderID = json["order_id"]?.string,
            let customerID = json["customer_id"]?.string, let currency = json["currency"]?.string,
            let status = json["status"]?.string, let time = json["timestamp"]?.string.flatMap(CivilClock.milliseconds)
        else { return .refused(type: "SCHEMA_VIOLATION", fields: []) }
        let amount = decimal(json["amount"]) ?? -1
        if amount < Decimal(string: "0.01")! || amount > Decimal(string: "999999.99")! { violated.append("amount") }
        if !currencies.contains(currency) { violated.append("currency") }
        if !statuses.contains(status) { violated.append("status") }
        if !violated.isEmpty { return .refused(type: "BUSINESS_RULE_VIOLATION", fields: violated) }
        return .order(
            ValidOrder(orderID: orderID, customerID: customerID, amount: amount, timestampMilliseconds: time))
    }

    private static func isRight(_ field: String, _ value: StrictJSON?) -> Bool {
        switch (field, value) {
        case (_, nil), (_, .null?): false
        case ("amount", .number?): true
        case ("amount", let value?): decimal(value) != nil
        case ("items_count", let value?): value.integer.map { $0 >= 1 } ?? false
        case ("timestamp", .string(let text)?): CivilClock.milliseconds(text) != nil
        case ("order_id", .string(let text)?), ("customer_id", .string(let text)?): !text.isEmpty
        case (_, .string?): true
        default: false
        }
    }

    static func decimal(_ value: StrictJSON?) -> Decimal? {
        let text: String
        switch value {
        case .string(let string)?: text = string
        case .number(let number)?: text = number
        default: return nil
        }
        let parts = (text.hasPrefix("-") ? text.dropFirst() : text[...]).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        return Decimal(string: text)
    }

    // MARK: What the enricher adds

    private static let rates = ["us": "0.08", "eu": "0.19", "uk": "0.20", "ca": "0.05", "au": "0.10"]

    /// The fields, but for those that are times of processing.
    static func enrichment(of order: ValidOrder) -> [String: String] {
        let parts = order.customerID.split(separator: "-", omittingEmptySubsequences: false)
        let named = parts.count > 1 ? parts[1].lowercased() : ""
        let region = rates[named] == nil ? "ca" : named
        let tax = rounded(order.amount * Decimal(string: rates[region] ?? "0")!)
        let sum = order.customerID.unicodeScalars.reduce(0) { $0 + Int($1.value) }
        return [
            "region": region,
            "tax": tax,
            "order_value_category": order.amount < 50 ? "small" : order.amount <= 500 ? "medium" : "large",
            "merchant_id": "MERCH-\(region.uppercased())-\(String(format: "%03d", sum % 100))",
        ]
    }

    /// Two decimals, half to even.
    static func rounded(_ value: Decimal) -> String {
        var value = value
        var result = Decimal()
        NSDecimalRound(&result, &value, 2, .bankers)
        let cents = NSDecimalNumber(decimal: result * 100).int64Value
        return (cents < 0 ? "-" : "") + "\(abs(cents) / 100)." + String(format: "%02d", abs(cents) % 100)
    }
}
