import StreamKit

/// What is suspicious, as the YAML says it.
struct AnomalyRules: Sendable {
    enum Condition: Hashable, Sendable {
        /// So many orders within a span of event time; one alert, and the next only for orders a whole span away.
        case burst(count: Int, spanMilliseconds: Int64)
        /// A condition on the order itself, computed before the shuffle: its bit there.
        case matches(bit: Int)
        /// So many sample standard deviations from the mean of at least `minimum` earlier orders.
        case outlier(deviations: Int, minimum: Int)
    }

    struct Rule: Sendable {
        let type: String
        let severity: String
        let condition: Condition
        let description: Description
    }

    /// A text with `{measure}` for the number of orders, or the amount; taken apart once.
    struct Description: Sendable {
        private let parts: [String]

        init(_ text: String) {
            var parts: [String] = []
            var rest = text[...]
            while let range = rest.firstRange(of: "{measure}") {
                parts.append(String(rest[..<range.lowerBound]))
                rest = rest[range.upperBound...]
            }
            self.parts = parts + [String(rest)]
        }

        func text(_ measure: String) -> String { parts.joined(separator: measure) }
    }

    let rules: [Rule]
    /// How far event time goes on, in all input partitions, before an order is forgotten.
    let rememberMilliseconds: Int64
    /// How many orders of a customer are remembered at most.
    let ordersMax: Int
    /// Of the bursts; nil without any.
    private let longestSpanMilliseconds: Int64?

    init(rules: [Rule], rememberMilliseconds: Int64, ordersMax: Int) {
        self.rules = rules
        self.rememberMilliseconds = rememberMilliseconds
        self.ordersMax = ordersMax
        longestSpanMilliseconds =
            rules.compactMap { rule in
                if case .burst(_, let span) = rule.condition { span } else { nil }
            }.max()
    }

    /// What the store's entries mean depends on the rules' number and order.
    var storeFormat: String { "customer-history/1 " + rules.map(\.type).joined(separator: ",") }

    /// Of what an order counts together with, some may be forgotten already if the order lies before this. nil while nothing is
    /// forgotten, or where orders count alone.
    func wholeSince(watermarkMilliseconds: Int64) -> Int64? {
        guard let longest = longestSpanMilliseconds, watermarkMilliseconds != TaskTime.none else { return nil }
        let since = watermarkMilliseconds.subtractingReportingOverflow(rememberMilliseconds)
        if since.overflow { return nil }
        let whole = since.partialValue.addingReportingOverflow(longest)
        return whole.overflow ? nil : whole.partialValue
    }
}
