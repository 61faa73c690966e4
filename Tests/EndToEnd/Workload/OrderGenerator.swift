import Foundation
import Kafka
import enum StreamKit.Murmur2
import TestSupport

/// A record for the topic of raw orders.
struct RawRecord {
    var partition: Int32
    var key: [UInt8]?
    var value: [UInt8]?
    /// Unlike any other's: records keep it from stage to stage, so that each can be recognised at the end.
    var timestampMilliseconds: Int64
    var headers: [(name: String, value: String)] = []
}

/// Makes orders, good ones, bad ones of every kind, repeats and late ones. The same seed and settings give the same records.
struct OrderGenerator {
    var partitions: Int32 = 4
    var badPercent = 4.0
    var repeatPercent = 3.0
    var latePercent = 2.0
    var customers = 250
    /// Event time from one order to the next: 20,000 orders are two days and four hours, more than deduplication looks back.
    var millisecondsBetween: Int64 = 9_360
    /// 2025-01-13T15:00:00Z
    var startMilliseconds: Int64 = 1_736_780_400_000
    /// All in the order's own partition, so that the order of the raw records is kept to the end. Otherwise partitions are read at
    /// their own pace, and much is late for them that was not when it was written.
    var isKeyed = true

    private var random: SeededRandom
    private var number: Int64 = 0
    private var recent: [Order] = []
    private var old: [Order] = []
    private var burst: (customer: Int, left: Int, offset: Int64)?

    /// An order as the generator knows it.
    private struct Order {
        var fields: [(name: String, json: String)]
        var identifier: String
        var text: String { "{" + fields.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}" }

        func setting(_ name: String, _ json: String?) -> Order {
            var order = self
            order.fields = fields.compactMap { field in
                field.name == name ? json.map { (name, $0) } : field
            }
            return order
        }
    }

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// The next records, with timestamps that follow one another from `firstTimestamp`.
    mutating func records(_ count: Int, firstTimestamp: Int64) -> [RawRecord] {
        (0..<count).map { record(timestamp: firstTimestamp + Int64($0)) }
    }

    /// Lays so many orders out over the two days that deduplication looks back and more, by as many customers as keep the number of
    /// orders of each.
    mutating func spread(_ orders: Int) {
        let scale = max(1, orders / 20_000)
        millisecondsBetween /= Int64(scale)
        customers *= scale
    }

    /// How much event time the orders so far take.
    var eventTimeMilliseconds: Int64 { number * millisecondsBetween }

    /// As many seconds of event time that all open windows close, in every partition: orders an hour after all others.
    mutating func closing(firstTimestamp: Int64) -> [RawRecord] {
        number += 3_600_000 / millisecondsBetween + 1
        let (bad, repeats, late) = (badPercent, repeatPercent, latePercent)
        (badPercent, repeatPercent, latePercent) = (0, 0, 0)
        defer { (badPercent, repeatPercent, latePercent) = (bad, repeats, late) }
        burst = nil
        return records(Int(partitions) * 24, firstTimestamp: firstTimestamp)
    }

    private mutating func record(timestamp: Int64) -> RawRecord {
        number += 1
        var order: Order
        var spoiled: [UInt8]??
        if !recent.isEmpty, random.chance(percent: repeatPercent) {
            order = random.pick(!old.isEmpty && random.chance(percent: 30) ? old : recent)
            // The same id again, some days later or with another content.
            if random.chance(percent: 30) {
                order = order.setting("status", "\"delivered\"").setting(
                    "timestamp", quote(time(number * millisecondsBetween)))
            }
        } else {
            order = next()
            if random.chance(percent: badPercent) {
                spoiled = .some(spoil(order))
            } else {
                remember(order)
            }
        }
        let value = spoiled ?? [UInt8](order.text.utf8)
        let key = [UInt8](order.identifier.utf8)
        var record = RawRecord(
            partition: isKeyed
                ? key.withUnsafeBytes { Murmur2.partition(of: $0, among: partitions) }
                : Int32.random(in: 0..<partitions, using: &random),
            key: isKeyed || random.chance(percent: 50) ? key : nil, value: value, timestampMilliseconds: timestamp)
        if number % 16 == 0 { record.headers = [("correlation-id", "c-\(number)"), ("shop", "north")] }
        return record
    }

    private mutating func remember(_ order: Order) {
        if recent.count < 400 { return recent.append(order) }
        let index = Int.random(in: 0..<recent.count, using: &random)
        if old.count < 400 {
            old.append(recent[index])
        } else {
            old[Int.random(in: 0..<400, using: &random)] = recent[index]
        }
        recent[index] = order
    }

    // MARK: Good orders

    private static let regions = ["US", "EU", "UK", "CA", "AU"]
    private static let currencies = ["USD", "EUR", "GBP", "CAD", "AUD", "JPY"]
    private static let statuses = ["confirmed", "pending_payment", "shipped", "delivered", "cancelled"]

    private mutating func next() -> Order {
        var customer = Int.random(in: 0..<customers, using: &random)
        var offset = number * millisecondsBetween
        if let current = burst {
            customer = current.customer
            offset = current.offset + Int64.random(in: 0..<50_000, using: &random)
            burst = current.left > 1 ? (current.customer, current.left - 1, current.offset) : nil
        } else if random.chance(percent: 0.3) {
            burst = (customer, Int.random(in: 3...14, using: &random), offset)
        } else if random.chance(percent: latePercent) {
            offset -= Int64.random(in: 660_000...1_800_000, using: &random)
        } else if random.chance(percent: 0.1) {
            // Of the year 2099, or of 1970: neither may close a window.
            offset = random.chance(percent: 50) ? 4_070_908_800_000 - startMilliseconds : -startMilliseconds + number
        }
        let identifier = "ORD-20250113-\(String(format: "%09d", number))"
        return Order(
            fields: [
                ("order_id", quote(identifier)), ("customer_id", quote(name(customer))), ("amount", amount()),
                ("currency", quote(random.pick(Self.currencies))), ("status", quote(random.pick(Self.statuses))),
                ("timestamp", quote(time(offset))), ("items_count", "\(Int.random(in: 1...9, using: &random))"),
            ] + (random.chance(percent: 2) ? extra() : []), identifier: identifier)
    }

    /// Most customers have a region; some have one that nobody knows, or none, or a name that is no ASCII.
    private func name(_ customer: Int) -> String {
        switch customer % 50 {
        case 47: "CUST-XX-\(customer)"
        case 48: "Zoë-eu-\(customer)"
        case 49: "CUSTOMER\(customer)"
        default: "CUST-\(Self.regions[customer % 5])-\(String(format: "%06d", customer))"
        }
    }

    private mutating func amount() -> String {
        let cents: Int
        switch Int.random(in: 0..<200, using: &random) {
        case 0: cents = 99_999_999
        case 1: cents = 1
        case 2: cents = random.pick([4_999, 5_000, 50_000, 50_001, 100_000, 100_001])
        case 3...5: cents = Int.random(in: 100_000...500_000, using: &random)
        default:
            // Bell-shaped, so that deviations mean something.
            cents = 1 + (0..<4).reduce(0) { sum, _ in sum + Int.random(in: 0...3_000, using: &random) }
        }
        let text = "\(cents / 100).\(String(format: "%02d", cents % 100))"
        return random.chance(percent: 10) ? text : quote(text)
    }

    /// What an order may have besides, and a field that the enricher replaces.
    private mutating func extra() -> [(String, String)] {
        random.chance(percent: 50)
            ? [("note", #""two\nlines \"and\" \u00e9""#), ("lines", #"[{"sku":"A","n":1},[]]"#)]
            : [("region", #""mars""#), ("tax", "null")]
    }

    private func time(_ offset: Int64) -> String {
        let milliseconds = startMilliseconds + offset
        switch milliseconds / 7 % 20 {
        case 0: return CivilClock.text(milliseconds, offsetMinutes: 330)
        case 1: return CivilClock.text(milliseconds, offsetMinutes: -300)
        default: return CivilClock.text(milliseconds)
        }
    }

    private func quote(_ text: String) -> String { "\"\(text)\"" }

    // MARK: Bad ones

    private mutating func spoil(_ order: Order) -> [UInt8]? {
        let text = [UInt8](order.text.utf8)
        let field = random.pick(order.fields.prefix(7).map(\.name))
        let spoiled: Order
        switch Int.random(in: 0..<22, using: &random) {
        case 0: return Array(text[..<Int.random(in: 1..<text.count, using: &random)])
        case 1: return [UInt8]("order ".utf8) + text.dropFirst()
        case 2: return [UInt8]("[".utf8) + text + [UInt8]("]".utf8)
        case 3: return text.dropLast() + [UInt8](",\"amount\":\"0.01\"}".utf8)
        case 4: return text.map { $0 == UInt8(ascii: "-") ? 0xE9 : $0 }
        case 5: return nil
        case 6: return []
        case 7: return [UInt8](random.pick(["null", "\"order\"", "42", "true", "[]", "{}"]).utf8)
        case 8: return text + [UInt8]("}".utf8)
        case 9: return [UInt8](String(repeating: "[", count: 5_000).utf8)
        case 10: spoiled = order.setting(field, nil)
        case 11: spoiled = order.setting(field, "null")
        case 12: spoiled = order.setting("amount", random.pick(["true", "{}", "[]", "\"N/A\"", "\"\""]))
        case 13: spoiled = order.setting("amount", "\"-12.00\"")
        case 14: spoiled = order.setting("amount", random.pick(["\"0.00\"", "0", "\"0.009\""]))
        case 15: spoiled = order.setting("amount", random.pick(["\"1000000.00\"", "999999.991"]))
        case 16: spoiled = order.setting("currency", random.pick(["\"ZZZ\"", "\"usd\"", "\"US\"", "\"\"", "978"]))
        case 17: spoiled = order.setting("status", random.pick(["\"unknown\"", "\"CONFIRMED\"", "\"\"", "[]"]))
        case 18:
            spoiled = order.setting(
                "timestamp",
                random.pick([
                    "\"yesterday\"", "\"2025-13-01T00:00:00Z\"", "\"\"", "\"2025-01-13 15:30\"", "1736780400000",
                    "\"2025-02-29T00:00:00Z\"", "\"2025-01-13T15:30:45\"",
                ]))
        case 19: spoiled = order.setting("items_count", random.pick(["1.5", "\"three\"", "-1", "0"]))
        case 20:
            spoiled = order.setting("currency", "\"ZZZ\"").setting("status", "\"lost\"").setting("amount", "\"0.00\"")
        default: spoiled = order.setting("customer_id", "7").setting("timestamp", "null").setting("items_count", nil)
        }
        return [UInt8](spoiled.text.utf8)
    }
}
