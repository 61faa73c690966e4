import StreamKit
import StreamKitService
import StreamKitTesting
import XCTest
import aggregator
import anomaly_detector
import deduplicator
import enricher
import validator

/// The header `correlation-id`, from stage to stage.
final class CorrelationTests: XCTestCase {
    /// What the header is at each stage, for an order that enters with or without one, and in the dead letter of its repetition.
    private func way(_ mode: String, _ given: [Header]) throws -> [String: String?] {
        let stages: [(name: String, driver: TopologyTestDriver, input: String, output: String)] = [
            ("validator", try driver(Validator.self, mode), "raw", "validated"),
            ("enricher", try driver(Enricher.self, mode), "validated", "enriched"),
            ("deduplicator", try driver(Deduplicator.self, mode), "enriched", "processed"),
            ("anomaly-detector", try driver(AnomalyDetector.self, mode), "processed", "anomalies"),
        ]
        // Others before it, so that its offset in each topic is another.
        for (index, stage) in stages.enumerated() {
            for _ in 0..<(4 - index) {
                stage.driver.cluster.append(to: OrderServices.topic(stage.input), key: nil, "{}", partition: 0)
            }
            try stage.driver.run()
            _ = stage.driver.take(OrderServices.topic("dlq"))
        }
        try stages[0].driver.pipe(
            OrderServices.topic("raw"), order(["amount": "5000"]), headers: given, partition: 0)
        var found: [String: String?] = [:]
        for (index, stage) in stages.enumerated() {
            let record = try XCTUnwrap(stage.driver.take(OrderServices.topic(stage.output)).first, stage.name)
            found[stage.name] = .some(record.header("correlation-id"))
            XCTAssertEqual(record.header("other"), given.isEmpty ? nil : "x", stage.name)
            guard index + 1 < stages.count else { break }
            for _ in 0..<2 {
                try stages[index + 1].driver.pipe(
                    OrderServices.topic(stage.output), key: record.key, bytes: record.value, headers: record.headers,
                    partition: 0)
                if index + 1 != 2 { break }
            }
        }
        let duplicate = try XCTUnwrap(stages[2].driver.take(OrderServices.topic("dlq")).first)
        found["duplicate"] = .some(duplicate.header("correlation-id"))
        return found
    }

    private func driver<Service: StreamService>(_ type: Service.Type, _ mode: String) throws -> TopologyTestDriver {
        try OrderServices.driver(type, ["correlation=\(mode)"])
    }

    private let names = ["validator", "enricher", "deduplicator", "anomaly-detector", "duplicate"]
    private let given = [Header("other", "x"), Header("correlation-id", "c-1")]

    func testItIsKeptWhereItIs() throws {
        for mode in ["keep", "make"] {
            let found = try way(mode, given)
            for name in names { XCTAssertEqual(found[name], "c-1", "\(mode) \(name)") }
        }
        let found = try way("keep", [])
        for name in names { XCTAssertEqual(found[name], .some(nil), name) }
    }

    func testItIsMadeOfThePlaceWhereTheRecordEntersThePipeline() throws {
        let found = try way("make", [])
        for name in names { XCTAssertEqual(found[name], "ecommerce.orders.raw-0-4", name) }
    }

    func testItIsLeftOut() throws {
        let found = try way("off", given)
        for name in names { XCTAssertEqual(found[name], .some(nil), name) }
    }

    /// Where the record enters the pipeline at a service that shuffles, too.
    func testItIsMadeBeforeAShuffle() throws {
        let driver = try driver(AnomalyDetector.self, "make")
        try driver.pipe(OrderServices.topic("processed"), order())
        try driver.pipe(OrderServices.topic("processed"), order(["order_id": #""2""#]))
        XCTAssertEqual(
            driver.take(OrderServices.topic("anomalies")).map { $0.header("correlation-id") },
            ["ecommerce.orders.processed-0-1"])
    }
}
