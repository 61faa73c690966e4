import JSON
import StreamKit

/// What is remembered of one customer, and what of it is suspicious: orders in, findings out. One is used for all customers, and
/// read anew from the store for each order; what it hands out is valid until then.
final class CustomerHistory {
    struct Order {
        var timeMilliseconds: Int64
        /// Where its identifier lies among those of the customer.
        fileprivate var place: Range<Int>
    }

    /// A rule that an order fulfils, and the orders that bear it out.
    struct Finding {
        var rule: Int
        var order: Order
        var orders: [Order]
        var measure: String
    }

    /// By event time.
    private(set) var orders: [Order] = []
    private let identifiers = OutputBuffer(capacity: 4096)
    /// By rule, in the order of the rules: event times of the orders that completed an alert.
    private var alerts: [[Int64]]
    private var amounts = AmountStatistics()
    /// How many orders the last one made forgotten only because there were too many.
    private(set) var forgottenEarly = 0
    private let rules: AnomalyRules

    init(_ rules: AnomalyRules) {
        self.rules = rules
        alerts = Array(repeating: [], count: rules.rules.count)
    }

    func identifier(of order: Order) -> Bytes { Bytes(rebasing: identifiers.bytes[order.place]) }

    /// Takes an order and tells which rules it fulfils.
    ///
    /// It counts together with the orders before and after it in event time, in whatever order they arrive. What lies `remember`
    /// before `watermarkMilliseconds`, the least of all input partitions, and before the customer's newest is forgotten afterwards.
    func take(_ shuffled: ShuffledOrder, watermarkMilliseconds: Int64) -> [Finding] {
        let order = insert(shuffled.timeMilliseconds, shuffled.identifier)
        var findings: [Finding] = []
        for (number, rule) in rules.rules.enumerated() {
            switch rule.condition {
            case .burst(let count, let span):
                guard let found = burst(around: order, count: count, span: span, rule: number) else { continue }
                alerts[number].append(order.timeMilliseconds)
                findings.append(Finding(rule: number, order: order, orders: found, measure: "\(found.count)"))
            case .matches(let bit):
                if shuffled.matches >> UInt64(bit) & 1 == 1 {
                    findings.append(
                        Finding(
                            rule: number, order: order, orders: [order], measure: shuffled.amount?.description ?? ""))
                }
            case .outlier(let deviations, let minimum):
                guard let amount = shuffled.amount,
                    amounts.isOutlier(amount, deviations: deviations, minimum: minimum)
                else { continue }
                findings.append(Finding(rule: number, order: order, orders: [order], measure: amount.description))
            }
        }
        if let amount = shuffled.amount { amounts.take(amount) }
        forgetOld(watermarkMilliseconds: watermarkMilliseconds)
        return findings
    }

    private func insert(_ timeMilliseconds: Int64, _ identifier: Bytes) -> Order {
        var index = orders.count
        while index > 0, orders[index - 1].timeMilliseconds > timeMilliseconds { index -= 1 }
        let order = Order(timeMilliseconds: timeMilliseconds, place: keep(identifier))
        orders.insert(order, at: index)
        return order
    }

    private func keep(_ identifier: Bytes) -> Range<Int> {
        let start = identifiers.count
        identifiers.append(identifier)
        return start..<identifiers.count
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

    private func forgetOld(watermarkMilliseconds: Int64) {
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

    func encode(into bytes: OutputBuffer) {
        bytes.removeAll()
        amounts.encode(into: bytes)
        bytes.append(binary: UInt8(truncatingIfNeeded: alerts.count))
        for times in alerts {
            bytes.append(binary: Int32(times.count))
            for time in times { bytes.append(binary: time) }
        }
        bytes.append(binary: Int32(orders.count))
        for order in orders {
            bytes.append(binary: order.timeMilliseconds)
            bytes.append(lengthAnd: identifier(of: order))
        }
    }

    /// Begins with what the store has of a customer, or with nothing; false if that is not whole. Rules that were added since
    /// have no alerts yet.
    func read(_ stored: Bytes?) -> Bool {
        orders.removeAll(keepingCapacity: true)
        identifiers.removeAll()
        for number in alerts.indices { alerts[number].removeAll(keepingCapacity: true) }
        amounts = AmountStatistics()
        guard let stored else { return true }
        var reader = ByteReader(stored)
        guard let amounts = AmountStatistics(&reader), let kinds = reader.byte() else { return false }
        self.amounts = amounts
        for number in 0..<Int(kinds) {
            guard let count = reader.int32(), count >= 0 else { return false }
            for _ in 0..<count {
                guard let time = reader.int64() else { return false }
                if number < alerts.count { alerts[number].append(time) }
            }
        }
        guard let count = reader.int32(), count >= 0 else { return false }
        for _ in 0..<count {
            guard let time = reader.int64(), let identifier = reader.bytesWithLength() else { return false }
            orders.append(Order(timeMilliseconds: time, place: keep(identifier)))
        }
        return true
    }
}
