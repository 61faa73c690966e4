/// How often something may be tried within a span of time: what fails as fast as it is tried again will not mend.
package struct AttemptLimit: Sendable {
    package let limit: Int
    private let spanMilliseconds: Int64
    private var times: [Int64] = []

    package init(_ limit: Int, withinMilliseconds spanMilliseconds: Int64) {
        self.limit = limit
        self.spanMilliseconds = spanMilliseconds
    }

    /// How many producers a thread may use up within a minute. Two processes with one INSTANCE_ID fence each other as fast as the
    /// brokers answer, and nobody gets anything done.
    package static func ofProducers() -> AttemptLimit {
        // By lot, so that one of two such processes gives up first and the other goes on.
        AttemptLimit(Int.random(in: 40...80), withinMilliseconds: 60_000)
    }

    /// Notes an attempt; false if it is one too many.
    package mutating func allowsAnother(now: Int64) -> Bool {
        times.removeAll { now - $0 > spanMilliseconds }
        times.append(now)
        return times.count <= limit
    }
}
