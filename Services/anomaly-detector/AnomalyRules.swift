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
        /// With `{measure}` for the number of orders, or the amount.
        let description: String
    }

    let rules: [Rule]
    /// For how long before a customer's latest order the orders are remembered.
    let rememberMilliseconds: Int64
    /// How many orders of a customer are remembered at most.
    let ordersMax: Int

    /// What the store's entries mean depends on the rules' number and order.
    var storeFormat: String { "customer-history/1 " + rules.map(\.type).joined(separator: ",") }
}
