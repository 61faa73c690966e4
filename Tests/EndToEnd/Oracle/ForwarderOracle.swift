import Foundation

/// Change events that become raw orders: creates and snapshot reads, once each, with the row's values; nothing else.
extension PipelineOracle {
    mutating func checkForwarder() {
        guard !contents.changes.isEmpty else { return }
        let raw = Dictionary(
            contents[.raw].map { ($0.timestampMilliseconds, $0) }, uniquingKeysWith: { first, _ in first })
        let refused = Set(letters(of: contents.changeTopic).map(\.record.timestampMilliseconds))
        for change in contents.changes {
            let time = change.timestampMilliseconds
            let event = change.value.flatMap { StrictJSON($0) }
            let goesOn = ["c", "r"].contains(event?["op"]?.string)
            let count = (raw[time] == nil ? 0 : 1) + (refused.contains(time) ? 1 : 0)
            findings.expect(
                count == (goesOn ? 1 : 0), "change event \(change.place) came out \(count) times: \(change.valueText)")
            guard let row = event?["after"], let order = raw[time] else { continue }
            guard let json = order.value.flatMap({ StrictJSON($0) }) else {
                findings.add("forwarded, but not JSON: \(order.valueText)")
                continue
            }
            for field in ["order_id", "currency", "items_count"] {
                findings.expect(json[field] == row[field], "\(field) of \(order.valueText), from \(change.valueText)")
            }
            if let encoded = row["amount"]?.string, let unscaled = Data(base64Encoded: encoded) {
                findings.expect(
                    OrderRules.decimal(json["amount"]) == Self.decimal(unscaled) / 100,
                    "amount of \(order.valueText), from \(change.valueText)")
            }
            tally.forwarded += 1
        }
    }

    /// Big-endian two's complement.
    private static func decimal(_ bytes: Data) -> Decimal {
        var value = bytes.first.map { $0 >= 0x80 } == true ? Decimal(-1) : Decimal(0)
        for byte in bytes { value = value * 256 + Decimal(Int(byte)) }
        return value
    }
}
