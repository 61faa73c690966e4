import StreamKit
import StreamKitTesting
import XCTest
import anomaly_detector

/// Bursts and outliers, rule by rule, as the deployed file has them.
final class AnomalyRulesTests: XCTestCase {
    /// The orders that bear out each alert of a type, in the order of the alerts.
    private func alerts(
        _ type: String, _ orders: [(id: String, time: String, amount: String)], customer: String = "CUST-US-1",
        overrides: [String] = []
    ) throws -> [[String]] {
        let driver = try OrderServices.driver(AnomalyDetector.self, overrides)
        for order in orders { try pipe(driver, order, customer) }
        return try taken(driver, type)
    }

    private func pipe(
        _ driver: TopologyTestDriver, _ entry: (id: String, time: String, amount: String), _ customer: String
    ) throws {
        try driver.pipe(
            OrderServices.topic("processed"),
            order([
                "order_id": "\"\(entry.id)\"", "customer_id": "\"\(customer)\"", "amount": "\"\(entry.amount)\"",
                "timestamp": "\"\(entry.time.count > 12 ? entry.time : "2025-01-13T" + entry.time)Z\"",
            ]))
    }

    private func taken(_ driver: TopologyTestDriver, _ type: String) throws -> [[String]] {
        try driver.take(OrderServices.topic("anomalies")).map { try $0.object() }
            .filter { $0["anomaly_type"] as? String == type }.map { $0["order_ids"] as? [String] ?? [] }
    }

    private func orders(_ times: String...) -> [(id: String, time: String, amount: String)] {
        times.enumerated().map { ("\($0 + 1)", $1, "10") }
    }

    func testABurstIsWithinItsSpanToTheMillisecond() throws {
        XCTAssertEqual(try alerts("RAPID_ORDERS", orders("12:00:00", "12:05:00")), [["1", "2"]])
        XCTAssertEqual(try alerts("RAPID_ORDERS", orders("12:00:00", "12:05:00.001")), [])
        let spike = ["12:00:00", "12:15:00", "12:30:00", "12:45:00"]
        XCTAssertEqual(
            try alerts("ORDER_SPIKE", (spike + ["13:00:00"]).enumerated().map { ("\($0 + 1)", $1, "10") }),
            [["1", "2", "3", "4", "5"]])
        XCTAssertEqual(
            try alerts("ORDER_SPIKE", (spike + ["13:00:00.001"]).enumerated().map { ("\($0 + 1)", $1, "10") }), [])
        let minute = (0..<10).map { ("\($0)", "12:00:\($0 == 9 ? "60" : "0\($0)")", "10") }
            .map { $0.1 == "12:00:60" ? ($0.0, "12:01:00", $0.2) : $0 }
        XCTAssertEqual(try alerts("HIGH_ORDER_VOLUME", minute).map(\.count), [10])
        XCTAssertEqual(try alerts("HIGH_ORDER_VOLUME", Array(minute.dropFirst())), [])
    }

    func testOrdersCountWithThoseBeforeAndAfterInWhateverOrderTheyArrive() throws {
        let times = ["12:00:00", "12:10:00", "12:20:00", "12:30:00", "12:40:00"]
        for rotation in 0..<5 {
            let entries = (0..<5).map { index in
                let place = (index * 2 + rotation) % 5
                return (id: "\(place + 1)", time: times[place], amount: "10")
            }
            XCTAssertEqual(try alerts("ORDER_SPIKE", entries), [["1", "2", "3", "4", "5"]], "\(rotation)")
        }
    }

    func testTheNextAlertIsAWholeSpanLater() throws {
        // The second completes the first alert; those until 12:06 rest; 12:06 is a span after 12:01.
        XCTAssertEqual(
            try alerts(
                "RAPID_ORDERS",
                orders("12:00:00", "12:01:00", "12:02:00", "12:05:59.999", "12:06:00", "12:20:00")),
            [["1", "2"], ["2", "3", "4", "5"]])
    }

    func testCustomersAreWatchedEachByItself() throws {
        let driver = try OrderServices.driver(AnomalyDetector.self)
        try pipe(driver, ("1", "12:00:00", "10"), "A")
        try pipe(driver, ("2", "12:00:01", "10"), "B")
        XCTAssertEqual(try taken(driver, "RAPID_ORDERS"), [])
        try pipe(driver, ("3", "12:00:02", "10"), "A")
        XCTAssertEqual(try taken(driver, "RAPID_ORDERS"), [["1", "3"]])
    }

    func testEachLargeOrderAlerts() throws {
        let entries = [("1", "12:00:00", "1000"), ("2", "12:00:01", "1000.01"), ("3", "12:00:02", "5000")]
        XCTAssertEqual(try alerts("LARGE_ORDER", entries), [["2"], ["3"]])
    }

    /// Ten orders of 10 and 20 in turn: mean 15, sample standard deviation 5.2704...; three of them make 30.811...
    private func basis(_ count: Int) -> [(id: String, time: String, amount: String)] {
        (0..<count).map { ("b\($0)", "1\($0 / 60):\($0 % 60 < 10 ? "0" : "")\($0 % 60):00", $0 % 2 == 0 ? "10" : "20") }
    }

    func testAnOutlierIsMoreThanThreeSampleDeviationsFromTheMean() throws {
        func alerts(_ amount: String, _ count: Int = 10) throws -> [[String]] {
            try self.alerts("STATISTICAL_OUTLIER", basis(count) + [("x", "20:00:00", amount)])
        }
        XCTAssertEqual(try alerts("30.82"), [["x"]])
        XCTAssertEqual(try alerts("30.81"), [])
        // Below the mean, too: 15 - 15.811...
        XCTAssertEqual(try alerts("0.01"), [])
        // Of fewer than ten earlier orders nothing is said.
        XCTAssertEqual(try alerts("5000", 9), [])
    }

    func testADeviationOfZeroNeverAlerts() throws {
        let same = (0..<12).map { ("s\($0)", "12:\(10 + $0):00", "10.00") }
        XCTAssertEqual(try alerts("STATISTICAL_OUTLIER", same + [("x", "20:00:00", "9999")]), [])
    }

    func testAnOutlierCountsAmongLaterOrders() throws {
        let entries = basis(10) + [("x", "20:00:00", "5000"), ("y", "20:30:00", "4000")]
        // With the first in its history the second is none.
        XCTAssertEqual(try alerts("STATISTICAL_OUTLIER", entries), [["x"]])
    }

    func testWhatIsRememberedOutlastsARestart() throws {
        let driver = try OrderServices.driver(AnomalyDetector.self)
        for entry in basis(10) { try pipe(driver, entry, "A") }
        _ = driver.take(OrderServices.topic("anomalies"))
        try driver.restart(losingDisk: true)
        try pipe(driver, ("x", "20:00:00", "500"), "A")
        XCTAssertEqual(try taken(driver, "STATISTICAL_OUTLIER"), [["x"]])
        try driver.restart()
        try pipe(driver, ("y", "20:01:00", "15"), "A")
        XCTAssertEqual(try taken(driver, "RAPID_ORDERS"), [["x", "y"]])
    }

    func testAnOrderFarAheadEndsNoMemory() throws {
        let driver = try OrderServices.driver(AnomalyDetector.self)
        try pipe(driver, ("1", "12:00:00", "10"), "A")
        try pipe(driver, ("far", "2099-01-01T00:00:00", "10"), "A")
        try pipe(driver, ("2", "12:01:00", "10"), "A")
        XCTAssertEqual(try taken(driver, "RAPID_ORDERS"), [["1", "2"]])
    }
}
