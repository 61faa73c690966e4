import JSON
import StreamKit

/// What is remembered of one customer, and what of it is suspicious: a pure value, orders in, findings out.
struct CustomerHistory {
    struct Order: Hashable {
        var timeMilliseconds: Int64
        var identifier: String
    }

    /// By event time.
    private(set) var orders: [Order] = []
    /// By rule, in the order of the rules: event times of the orders that completed an alert.
    private var alerts: [[Int64]]
    private var amounts = AmountStatistics()
    /// How many orders the last one made forgotten only because there were too many.
    private(set) var forgottenEarly = 0

    init(ruleCount: Int) { alerts = Array(repeating: [], count: ruleCount) }

    /// Takes an order and tells which rules it fulfils.
    ///
    /// It counts together with the orders before and after it in event time, in whatever order they arrive. What lies `remember`
    /// before `watermarkMilliseconds`, the least of all input partitions, and before the customer's newest is forgotten afterwards.
    mutating func take(
        _ order: Order, amount: Decimal?, matches: UInt64, rules: AnomalyRules, watermarkMilliseconds: Int64
    ) -> [Finding] {
        insert(order)
        var findings: [Finding] = []
        for (number, rule) in rules.rules.enumerated() {
            switch rule.condition {
            case .burst(let count, let span):
                guard let found = burst(around: order, count: count, span: span, rule: number) else { continue }
                alerts[number].append(order.timeMilliseconds)
                findings.append(Finding(rule: number, order: order, orders: found, measure: "\(found.count)"))
            case .matches(let bit):
                if matches >> UInt64(bit) & 1 == 1 {
                    findings.append(
                        Finding(rule: number, order: order, orders: [order], measure: amount?.description ?? ""))
                }
            case .outlier(let deviations, let minimum):
                guard let amount, amounts.isOutlier(amount, deviations: deviations, minimum: minimum) else { continue }
                findings.append(Finding(rule: number, order: order, orders: [order], measure: amount.description))
            }
        }
        if let amount { amounts.take(amount) }
        forgetOld(rules, watermarkMilliseconds: watermarkMilliseconds)
        return findings
    }

    /// A rule that an order fulfils, and the orders that bear it out.
    struct Finding: Hashable {
        var rule: Int
        var order: Order
        var orders: [Order]
        var measure: String
    }

    private mutating func insert(_ order: Order) {
        var index = orders.count
        while index > 0, orders[index - 1].timeMilliseconds > order.timeMilliseconds { index -= 1 }
        orders.insert(order, at: index)
    }

    /// The largest set of orders within `span` that the order belongs to, if it has `count` of them and no alert of the rule is
    /// less than a span away.
    private func burst(around order: Order, count: Int, span: Int64, rule: Int) -> [Order]? {
        let time = order.timeMilliseconds
        if alerts[rule].contains(where: { Self.distance($0, time) < UInt64(span) }) { return nil }
        var best: ArraySlice<Order> = []
        var right = 0
        for left in orders.indices where Self.distance(orders[left].timeMilliseconds, time) <= UInt64(span) {
            let first = orders[left].timeMilliseconds
            if first > time { break }
            right = max(right, left)
            while right + 1 < orders.count, Self.distance(orders[right + 1].timeMilliseconds, first) <= UInt64(span) {
                right += 1
            }
            if orders[right].timeMilliseconds >= time, right - left + 1 > best.count { best = orders[left...right] }
        }
        return best.count >= count ? Array(best) : nil
    }

    private mutating func forgetOld(_ rules: AnomalyRules, watermarkMilliseconds: Int64) {
        if watermarkMilliseconds != TaskTime.none, let latest = orders.last?.timeMilliseconds {
            let limit = min(watermarkMilliseconds, latest).subtractingReportingOverflow(rules.rememberMilliseconds)
            if !limit.overflow {
                orders.removeFirst(orders.firstIndex { $0.timeMilliseconds >= limit.partialValue } ?? orders.count)
                for number in alerts.indices { alerts[number].removeAll { $0 < limit.partialValue } }
            }
        }
        forgottenEarly = max(0, orders.count - rules.ordersMax)
        orders.removeFirst(forgottenEarly)
        for number in alerts.indices where alerts[number].count > rules.ordersMax { alerts[number].removeFirst() }
    }

    private static func distance(_ left: Int64, _ right: Int64) -> UInt64 {
        let difference = left.subtractingReportingOverflow(right)
        return difference.overflow ? .max : difference.partialValue.magnitude
    }

    // MARK: The store's form

    func encode(into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        amounts.encode(into: &bytes)
        bytes.append(integer: UInt8(truncatingIfNeeded: alerts.count))
        for times in alerts {
            bytes.append(integer: Int32(times.count))
            for time in times { bytes.append(integer: time) }
        }
        bytes.append(integer: Int32(orders.count))
        for order in orders {
            bytes.append(integer: order.timeMilliseconds)
            bytes.append(text: order.identifier)
        }
    }

    /// Reads the store's form; nil if it is not whole. Rules that were added since have no alerts yet.
    init?(_ bytes: Bytes, ruleCount: Int) {
        var reader = ByteReader(bytes)
        guard let amounts = AmountStatistics(&reader), let kinds = reader.byte() else { return nil }
        self.amounts = amounts
        alerts = []
        for _ in 0..<kinds {
            guard let count = reader.int32(), count >= 0 else { return nil }
            var times: [Int64] = []
            for _ in 0..<count {
                guard let time = reader.int64() else { return nil }
                times.append(time)
            }
            alerts.append(times)
        }
        while alerts.count < ruleCount { alerts.append([]) }
        guard let count = reader.int32(), count >= 0 else { return nil }
        for _ in 0..<count {
            guard let time = reader.int64(), let identifier = reader.text() else { return nil }
            orders.append(Order(timeMilliseconds: time, identifier: identifier))
        }
    }
}
