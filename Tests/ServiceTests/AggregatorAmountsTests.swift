import StreamKit
import StreamKitTesting
import XCTest
import aggregator

/// Amounts at the ends of their range: what one order says never takes others out of a window.
final class AggregatorAmountsTests: XCTestCase {
    private let input = OrderServices.topic("processed")
    private let output = OrderServices.topic("aggregations")
    private let dead = OrderServices.topic("dlq")

    /// The amounts of one window in their order; what comes out, and the amounts that were refused.
    private func aggregate(
        _ amounts: [String], atOnce: Bool = false
    ) throws -> (window: [String: Any], refused: [String]) {
        let driver = try OrderServices.driver(Aggregator.self, partitions: [input: 1])
        func text(_ amount: String, _ time: String) -> String {
            order(["region": #""us""#, "amount": amount, "timestamp": "\"2025-01-13T\(time)Z\""])
        }
        for amount in amounts {
            if atOnce {
                driver.cluster.append(to: input, key: nil, text(amount, "15:00:00"), partition: 0)
            } else {
                try driver.pipe(input, key: nil, text(amount, "15:00:00"))
            }
        }
        try driver.run()
        try driver.pipe(input, key: nil, text("1", "15:20:00"))
        let letters = try driver.take(dead).map { try $0.object() }
        for letter in letters { XCTAssertEqual(letter["error_type"] as? String, "AGGREGATE_RANGE", "\(letter)") }
        return (
            try XCTUnwrap(try driver.take(output).map { try $0.object() }.first),
            amounts.filter { amount in
                letters.contains { ($0["original_message"] as? String)?.contains("\"amount\":\(amount),") ?? false }
            }
        )
    }

    private let small = "\"0.01" + String(repeating: "0", count: 44) + "\""

    func testZerosAtTheEndOfOneAmountLeaveRoomForTheOthers() throws {
        for amounts in [
            [small, "149.99", "999999.99"], ["149.99", small, "999999.99"], ["149.99", "999999.99", small],
        ] {
            for atOnce in [false, true] {
                let (window, refused) = try aggregate(amounts, atOnce: atOnce)
                XCTAssertEqual(refused, [], "\(amounts)")
                XCTAssertEqual(window["total_orders"] as? Int, 3, "\(amounts)")
                XCTAssertEqual(window["total_amount"] as? String, "1000149.99", "\(amounts)")
                XCTAssertEqual(window["avg_order_value"] as? String, "333383.33", "\(amounts)")
                XCTAssertEqual(window["max_order_value"] as? String, "999999.99", "\(amounts)")
            }
        }
    }

    func testWhatIsOutOfRangeIsRefusedAlone() throws {
        let widest = "99999999999999.999999999999"
        let refusable = ["100000000000000", "0.0000000000001", "1e30", "1e-20", "-100000000000000.5"]
        let (window, refused) = try aggregate(
            [widest] + refusable + ["-\(widest)", "0.000000000001", "1.5"], atOnce: true)
        XCTAssertEqual(refused, refusable)
        XCTAssertEqual(window["total_orders"] as? Int, 4)
        XCTAssertEqual(window["total_amount"] as? String, "1.50")
        XCTAssertEqual(window["max_order_value"] as? String, "100000000000000.00")
    }
}
