import Foundation

/// Alerts depend on the order in which a customer's orders reach the detector, which several partitions leave open. So two
/// things are checked: each alert is borne out by its orders, and none that every order of arrival gives is missing. With one partition
/// the alerts are computed one by one.
extension PipelineOracle {
    struct Burst {
        let type: String
        let count: Int
        let spanMilliseconds: Int64
        let severity: String

        static let all = [
            Burst(type: "ORDER_SPIKE", count: 5, spanMilliseconds: 3_600_000, severity: "medium"),
            Burst(type: "RAPID_ORDERS", count: 2, spanMilliseconds: 300_000, severity: "low"),
            Burst(type: "HIGH_ORDER_VOLUME", count: 10, spanMilliseconds: 60_000, severity: "high"),
        ]
    }

    private struct Order {
        var identifier: String
        var time: Int64
        var amount: Decimal
        /// How much older it was than the newest order, when it was written.
        var lateness: Int64
    }

    /// The detector forgets orders that all partitions have passed by 25 hours, and the longest burst takes one of them.
    private static let latenessMax: Int64 = 24 * 3_600_000

    private struct Alert {
        var type: String
        var severity: String
        var orderIDs: [String]
        var text: String
    }

    mutating func checkAnomalies() {
        var orders: [String: [Order]] = [:]
        let lateness = latenessByTimestamp()
        for record in contents[.processed] {
            guard let json = record.value.flatMap({ StrictJSON($0) }), let customer = json["customer_id"]?.string,
                let identifier = json["order_id"]?.string, let amount = OrderRules.decimal(json["amount"]),
                let time = json["timestamp"]?.string.flatMap(CivilClock.milliseconds)
            else { continue }
            orders[customer, default: []].append(
                Order(
                    identifier: identifier, time: time, amount: amount,
                    lateness: lateness[record.timestampMilliseconds] ?? 0))
        }
        var alerts: [String: [Alert]] = [:]
        for record in contents[.anomalies] {
            guard let json = record.value.flatMap({ StrictJSON($0) }), let customer = json["customer_id"]?.string,
                let type = json["anomaly_type"]?.string, let severity = json["severity"]?.string,
                let orderIDs = json["order_ids"]?.strings, !orderIDs.isEmpty,
                json["alert_id"]?.string?.isEmpty == false,
                json["description"]?.string?.isEmpty == false,
                json["detected_at"]?.string.flatMap(CivilClock.milliseconds) != nil
            else {
                findings.add("not an alert: \(record.valueText)")
                continue
            }
            findings.expect(record.keyText == customer, "key \(record.keyText) of \(record.valueText)")
            tally.alertsByType[type, default: 0] += 1
            alerts[customer, default: []].append(
                Alert(type: type, severity: severity, orderIDs: orderIDs, text: record.valueText))
        }
        for customer in alerts.keys where orders[customer] == nil {
            findings.add("alerts for \(customer), who has no orders")
        }
        for (customer, orders) in orders { check(orders, alerts[customer] ?? [], of: customer) }
    }

    /// By the records' timestamps, which follow one another as they were written.
    private func latenessByTimestamp() -> [Int64: Int64] {
        var newest = Int64.min
        var lateness: [Int64: Int64] = [:]
        for record in contents[.processed].sorted(by: { $0.timestampMilliseconds < $1.timestampMilliseconds }) {
            guard let text = record.value.flatMap({ StrictJSON($0) })?["timestamp"]?.string,
                let time = CivilClock.milliseconds(text)
            else { continue }
            if time <= options.nowMilliseconds + 3_600_000 { newest = max(newest, time) }
            lateness[record.timestampMilliseconds] = max(0, newest - time)
        }
        return lateness
    }

    private mutating func check(_ orders: [Order], _ alerts: [Alert], of customer: String) {
        var byType = Dictionary(grouping: alerts, by: \.type)
        let large = orders.filter { $0.amount > 1_000 }.map(\.identifier).sorted()
        checkSingles(byType.removeValue(forKey: "LARGE_ORDER") ?? [], are: large, "LARGE_ORDER", "medium", of: customer)
        let outliers = byType.removeValue(forKey: "STATISTICAL_OUTLIER") ?? []
        if options.isSequential {
            let expected = Self.outliers(orders).map(\.identifier).sorted()
            checkSingles(outliers, are: expected, "STATISTICAL_OUTLIER", "high", of: customer)
        }
        for burst in Burst.all {
            let alerts = byType.removeValue(forKey: burst.type) ?? []
            for alert in alerts { checkBorneOut(alert, burst, orders) }
            if options.isSequential {
                checkSequence(alerts, burst, orders, of: customer)
            } else {
                checkComplete(alerts, burst, orders, of: customer)
            }
        }
        for alert in byType.values.joined() { findings.add("no such anomaly: \(alert.text)") }
    }

    private mutating func checkSingles(
        _ alerts: [Alert], are expected: [String], _ type: String, _ severity: String, of customer: String
    ) {
        let found = alerts.map { $0.orderIDs.joined(separator: "+") }.sorted()
        findings.expect(found == expected, "\(type) of \(customer): \(found), expected \(expected)")
        for alert in alerts { findings.expect(alert.severity == severity, "severity of \(alert.text)") }
    }

    /// The alert's orders are the customer's, as many as the rule asks for, and within its span.
    private mutating func checkBorneOut(_ alert: Alert, _ burst: Burst, _ orders: [Order]) {
        findings.expect(alert.severity == burst.severity, "severity of \(alert.text)")
        findings.expect(alert.orderIDs.count >= burst.count, "too few orders: \(alert.text)")
        // An id may be there twice, a day apart: some choice of its times has to fit.
        let times = alert.orderIDs.map { identifier in orders.filter { $0.identifier == identifier }.map(\.time) }
        guard times.allSatisfy({ !$0.isEmpty }) else { return findings.add("orders of somebody else: \(alert.text)") }
        let fits = times.joined().contains { first in
            times.allSatisfy { $0.contains { $0 >= first && $0 - first <= burst.spanMilliseconds } }
        }
        findings.expect(fits, "not within the span: \(alert.text), \(times)")
    }

    /// Whenever enough orders lie within a span, an alert lies less than a span from one of them: whichever of them came last would
    /// have raised it otherwise. (What came so late that its company may be forgotten is left out.)
    private mutating func checkComplete(_ alerts: [Alert], _ burst: Burst, _ orders: [Order], of customer: String) {
        let sorted = orders.sorted { $0.time < $1.time }
        let alerted = Set(alerts.flatMap(\.orderIDs))
        for first in sorted.indices where first + burst.count <= sorted.count {
            let last = first + burst.count - 1
            guard sorted[last].time - sorted[first].time <= burst.spanMilliseconds,
                sorted[first...last].allSatisfy({ $0.lateness <= Self.latenessMax })
            else { continue }
            let near = sorted.contains {
                alerted.contains($0.identifier) && $0.time > sorted[first].time - 2 * burst.spanMilliseconds
                    && $0.time < sorted[last].time + 2 * burst.spanMilliseconds
            }
            findings.expect(
                near,
                "no \(burst.type) of \(customer) for \(sorted[first...last].map(\.identifier)), from \(CivilClock.text(sorted[first].time))"
            )
        }
    }

    /// The orders that complete an alert, one after the other in the order of arrival.
    private mutating func checkSequence(_ alerts: [Alert], _ burst: Burst, _ orders: [Order], of customer: String) {
        var arrived: [Order] = []
        var completing: [Order] = []
        for order in orders {
            arrived.append(order)
            if completing.contains(where: { abs($0.time - order.time) < burst.spanMilliseconds }) { continue }
            let near = arrived.map(\.time).filter { abs($0 - order.time) <= burst.spanMilliseconds }.sorted()
            let most = near.filter { $0 <= order.time }.map { first in
                near.count { $0 >= first && $0 - first <= burst.spanMilliseconds }
            }.max()
            if let most, most >= burst.count { completing.append(order) }
        }
        guard alerts.count == completing.count else {
            return findings.add(
                "\(burst.type) of \(customer): \(alerts.count) alerts, expected those of \(completing.map(\.identifier)): \(alerts.map(\.orderIDs))"
            )
        }
        for (alert, order) in zip(alerts, completing) {
            findings.expect(
                alert.orderIDs.contains(order.identifier), "completed by \(order.identifier): \(alert.text)")
        }
    }

    /// Orders more than three sample standard deviations from the mean of at least ten before them.
    ///
    /// Without division: |x - S/n| > 3 s with s² = (nQ - S²) / (n (n - 1)).
    private static func outliers(_ orders: [Order]) -> [Order] {
        var found: [Order] = []
        var (count, sum, squares) = (Decimal(0), Decimal(0), Decimal(0))
        for order in orders {
            let spread = count * squares - sum * sum
            let distance = count * order.amount - sum
            if count >= 10, spread > 0, distance * distance * (count - 1) > 9 * count * spread { found.append(order) }
            count += 1
            sum += order.amount
            squares += order.amount * order.amount
        }
        return found
    }
}
