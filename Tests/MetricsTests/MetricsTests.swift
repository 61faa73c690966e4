import Foundation
import Metrics
import XCTest

private enum Families {
    static let records = MetricFamily.counter(
        "app_records_total", help: "Records read.", labels: ["topic", "partition"])
    static let busy = MetricFamily.counter("app_busy_seconds_total", help: "Time spent.", unit: .microseconds)
    static let lag = MetricFamily.gauge("app_lag_records", help: "Records behind.", labels: ["topic"])
    static let age = MetricFamily.gauge("app_age_seconds", help: "How long ago.", unit: .milliseconds)
    static let commit = MetricFamily.histogram(
        "app_commit_seconds", help: "Commits.", labels: ["outcome"], unit: .milliseconds, bounds: [1, 10, 250, 2_000])
}

final class MetricsTests: XCTestCase {
    private func page(_ registry: MetricsRegistry) -> String {
        String(decoding: registry.exposition(), as: UTF8.self)
    }

    func testExpositionByteForByte() throws {
        let registry = MetricsRegistry(constantLabels: ["application": "orders"])
        try registry.register(Families.records, "b", "0").increment(by: 7)
        let first = try registry.register(Families.records, "a", "10")
        first.increment()
        first.increment()
        try registry.register(Families.busy).increment(by: 1_500_000)
        try registry.register(Families.lag, "a").set(to: -3)
        try registry.register(Families.age).set(to: 50)
        let commit = try registry.register(Families.commit, "ok")
        for value in [0, 1, 2, 10, 11, 2_000, 2_001] { commit.observe(value) }
        XCTAssertEqual(
            page(registry),
            """
            # HELP app_age_seconds How long ago.
            # TYPE app_age_seconds gauge
            app_age_seconds{application="orders"} 0.05
            # HELP app_busy_seconds_total Time spent.
            # TYPE app_busy_seconds_total counter
            app_busy_seconds_total{application="orders"} 1.5
            # HELP app_commit_seconds Commits.
            # TYPE app_commit_seconds histogram
            app_commit_seconds_bucket{application="orders",outcome="ok",le="0.001"} 2
            app_commit_seconds_bucket{application="orders",outcome="ok",le="0.01"} 4
            app_commit_seconds_bucket{application="orders",outcome="ok",le="0.25"} 5
            app_commit_seconds_bucket{application="orders",outcome="ok",le="2"} 6
            app_commit_seconds_bucket{application="orders",outcome="ok",le="+Inf"} 7
            app_commit_seconds_sum{application="orders",outcome="ok"} 4.025
            app_commit_seconds_count{application="orders",outcome="ok"} 7
            # HELP app_lag_records Records behind.
            # TYPE app_lag_records gauge
            app_lag_records{application="orders",topic="a"} -3
            # HELP app_records_total Records read.
            # TYPE app_records_total counter
            app_records_total{application="orders",topic="a",partition="10"} 2
            app_records_total{application="orders",topic="b",partition="0"} 7

            """)
    }

    func testLabelValuesAndHelpAreEscaped() throws {
        let registry = MetricsRegistry()
        let family = MetricFamily.gauge("g", help: "one\\two\n\"three\"", labels: ["l"])
        try registry.register(family, "a\\b\"c\nd é").set(to: 1)
        XCTAssertEqual(
            page(registry),
            "# HELP g one\\\\two\\n\"three\"\n# TYPE g gauge\ng{l=\"a\\\\b\\\"c\\nd é\"} 1\n")
    }

    func testNumbersAreExact() throws {
        let registry = MetricsRegistry()
        let gauge = try registry.register(Families.age)
        for (value, text) in [
            (0, "0"), (1, "0.001"), (-1, "-0.001"), (1_000, "1"), (12_340, "12.34"), (-12_345, "-12.345"),
            (Int.max, "9223372036854775.807"), (Int.min, "-9223372036854775.808"),
        ] {
            gauge.set(to: value)
            XCTAssertTrue(page(registry).hasSuffix("app_age_seconds \(text)\n"), page(registry))
        }
    }

    func testTheSameSeriesIsTheSameHandle() throws {
        let registry = MetricsRegistry()
        let first = try registry.register(Families.records, "a", "0")
        XCTAssertIdentical(first, try registry.register(Families.records, "a", "0"))
        XCTAssertNotIdentical(first, try registry.register(Families.records, "a", "1"))
    }

    func testConflictsThrow() throws {
        let registry = MetricsRegistry(constantLabels: ["application": "x"])
        _ = try registry.register(Families.lag, "a")
        func refusal<Metric>(_ family: MetricFamily<Metric>, _ values: String...) -> String? {
            do {
                _ = try registry.register(family, values)
                return nil
            } catch {
                return error.description
            }
        }
        let taken = "metric app_lag_records: is registered already with another meaning"
        XCTAssertEqual(refusal(MetricFamily.gauge("app_lag_records", help: "Other.", labels: ["topic"]), "a"), taken)
        XCTAssertEqual(refusal(MetricFamily.gauge("app_lag_records", help: "Records behind.")), taken)
        XCTAssertEqual(
            refusal(MetricFamily.histogram("app_lag_records", help: "x", labels: ["topic"], bounds: [1]), "a"), taken)
        XCTAssertEqual(refusal(Families.lag), "metric app_lag_records: 0 values for 1 labels")
        XCTAssertEqual(
            refusal(MetricFamily.counter("a_records", help: "x")), "metric a_records: a counter's name ends with _total"
        )
        XCTAssertEqual(refusal(MetricFamily.gauge("1a", help: "x")), "metric 1a: not a name for a metric")
        XCTAssertEqual(refusal(MetricFamily.gauge("a b", help: "x")), "metric a b: not a name for a metric")
        XCTAssertEqual(refusal(MetricFamily.gauge("a", help: "")), "metric a: has no help text")
        XCTAssertEqual(
            refusal(MetricFamily.gauge("a", help: "x", labels: ["__a"]), ""), "metric a: __a is not a name for a label")
        XCTAssertEqual(
            refusal(MetricFamily.gauge("a", help: "x", labels: ["application"]), ""), "metric a: has a label twice")
        XCTAssertEqual(refusal(MetricFamily.histogram("h", help: "x", bounds: [2, 2])), "metric h: bounds must ascend")
    }

    func testRetiredSeriesAreGoneAndMayReturn() throws {
        let registry = MetricsRegistry()
        let old = try registry.register(Families.lag, "a")
        old.set(to: 5)
        registry.retire(Families.lag, ["a"])
        XCTAssertEqual(page(registry), "")
        old.set(to: 6)
        try registry.register(Families.lag, "a").set(to: 1)
        XCTAssertTrue(page(registry).hasSuffix("app_lag_records{topic=\"a\"} 1\n"))
    }

    func testCollectorsRunBeforeReading() throws {
        let registry = MetricsRegistry()
        let gauge = try registry.register(Families.age)
        registry.onRead { gauge.set(to: 7_000) }
        XCTAssertTrue(page(registry).hasSuffix("app_age_seconds 7\n"))
    }

    func testTheCatalogListsWhatIsRegistered() throws {
        let registry = MetricsRegistry()
        _ = try registry.register(Families.records, "a", "0")
        _ = try registry.register(Families.age)
        XCTAssertEqual(registry.catalog.map(\.name), ["app_age_seconds", "app_records_total"])
        XCTAssertEqual(registry.catalog.last, Families.records.descriptor)
    }

    func testAReaderSeesAWritersCountsWhole() throws {
        let registry = MetricsRegistry()
        let counter = try registry.register(Families.records, "a", "0")
        let histogram = try registry.register(Families.commit, "ok")
        let writer = Thread {
            for value in 0..<50_000 {
                counter.increment()
                histogram.observe(value & 0xFFF)
            }
        }
        writer.start()
        var last = 0
        while counter.value < 50_000 {
            let value = counter.value
            XCTAssertGreaterThanOrEqual(value, last)
            last = value
            _ = registry.exposition()
        }
        while !writer.isFinished { sched_yield() }
        XCTAssertTrue(page(registry).contains("app_commit_seconds_count{outcome=\"ok\"} 50000\n"))
    }
}
