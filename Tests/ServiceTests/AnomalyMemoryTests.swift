import StreamKit
import StreamKitTesting
import XCTest
import anomaly_detector

/// What the detector remembers of a customer while the input's partitions are far apart in event time, and when it forgets.
final class AnomalyMemoryTests: XCTestCase {
    private let input = OrderServices.topic("processed")

    private func driver(_ overrides: [String] = [], partitions: Int32 = 2) throws -> TopologyTestDriver {
        try OrderServices.driver(AnomalyDetector.self, overrides, partitions: [input: partitions])
    }

    /// An order of January 2025, at `12T10:00:00` say.
    private func text(_ id: String, _ time: String, amount: String = "10", customer: String = "A") -> String {
        order([
            "order_id": "\"\(id)\"", "customer_id": "\"\(customer)\"", "amount": "\"\(amount)\"",
            "timestamp": "\"2025-01-\(time)Z\"",
        ])
    }

    private func pipe(
        _ driver: TopologyTestDriver, _ id: String, _ time: String, amount: String = "10", customer: String = "A",
        partition: Int32
    ) throws {
        try driver.pipe(input, text(id, time, amount: amount, customer: customer), partition: partition)
    }

    /// The orders of each alert, by its type.
    private func take(_ driver: TopologyTestDriver) throws -> [String: [[String]]] {
        let alerts = try driver.take(OrderServices.topic("anomalies")).map { try $0.object() }
        return Dictionary(grouping: alerts) { $0["anomaly_type"] as? String ?? "-" }
            .mapValues { $0.map { $0["order_ids"] as? [String] ?? [] } }
    }

    private func remembers(_ driver: TopologyTestDriver, _ id: String, of customer: String = "A") throws -> Bool {
        let entry = try XCTUnwrap(driver.storeBytes("customers")[Array(customer.utf8)])
        return entry.firstRange(of: Array(id.utf8)) != nil
    }

    /// Ten orders within a minute, ids `b0` to `b9`.
    private let burst = (0..<10).map { (id: "b\($0)", time: "10T12:00:0\($0)") }

    // MARK: Bursts

    func testABurstIsSeenWhenAnotherPartitionIsDaysAhead() throws {
        let driver = try driver()
        for hour in 10..<15 { try pipe(driver, "ahead\(hour)", "12T\(hour):00:00", partition: 1) }
        XCTAssertEqual(try take(driver), [:])
        for entry in burst { try pipe(driver, entry.id, entry.time, partition: 0) }
        let ids = burst.map(\.id)
        XCTAssertEqual(
            try take(driver),
            [
                "RAPID_ORDERS": [Array(ids[0..<2])], "ORDER_SPIKE": [Array(ids[0..<5])], "HIGH_ORDER_VOLUME": [ids],
            ])
        XCTAssertEqual(driver.counters["late"], 0)
    }

    /// Each interleaving of a partition days ahead with one behind gives the alerts that one partition after the other gives.
    func testEveryInterleavingOfABacklogGivesTheSameAlerts() throws {
        let ahead = (0..<10).map { (id: "a\($0)", time: "12T12:00:0\($0)") }
        var expected: [String: Set<[String]>] = [:]
        for name in ["RAPID_ORDERS", "ORDER_SPIKE", "HIGH_ORDER_VOLUME"] {
            let count = ["RAPID_ORDERS": 2, "ORDER_SPIKE": 5][name] ?? 10
            expected[name] = [burst.prefix(count).map(\.id), ahead.prefix(count).map(\.id)]
        }
        for pattern in 0..<8 {
            let driver = try driver()
            var (behindNext, aheadNext) = (0, 0)
            for step in 0..<20 {
                let takesAhead = pattern == 7 ? step < 10 : (step >> (pattern % 4)) & 1 == pattern / 4
                if takesAhead && aheadNext < 10 || behindNext == 10 {
                    try pipe(driver, ahead[aheadNext].id, ahead[aheadNext].time, partition: 1)
                    aheadNext += 1
                } else {
                    try pipe(driver, burst[behindNext].id, burst[behindNext].time, partition: 0)
                    behindNext += 1
                }
            }
            XCTAssertEqual(try take(driver).mapValues { Set($0) }, expected, "pattern \(pattern)")
        }
    }

    /// The rest of a rule is remembered as long as its orders.
    func testABurstThatHadItsAlertHasNoOtherWhenAnotherPartitionIsDaysAhead() throws {
        let driver = try driver()
        try pipe(driver, "1", "10T12:00:00", partition: 0)
        try pipe(driver, "2", "10T12:01:00", partition: 0)
        XCTAssertEqual(try take(driver), ["RAPID_ORDERS": [["1", "2"]]])
        for hour in 10..<13 { try pipe(driver, "ahead\(hour)", "12T\(hour):00:00", partition: 1) }
        try pipe(driver, "3", "10T12:02:00", partition: 0)
        XCTAssertEqual(try take(driver), [:])
    }

    func testABurstIsSeenAcrossARestart() throws {
        for losingDisk in [false, true] {
            let driver = try driver()
            try pipe(driver, "1", "10T12:00:00", partition: 0)
            try pipe(driver, "ahead", "12T12:00:00", partition: 1)
            try driver.restart(losingDisk: losingDisk)
            try pipe(driver, "ahead2", "12T13:00:00", partition: 1)
            try driver.restart(losingDisk: losingDisk)
            try pipe(driver, "2", "10T12:01:00", partition: 0)
            XCTAssertEqual(try take(driver), ["RAPID_ORDERS": [["1", "2"]]])
        }
    }

    // MARK: Forgetting

    func testOrdersAreForgottenOnceAllPartitionsHavePassedThem() throws {
        let driver = try driver()
        try pipe(driver, "old", "10T12:00:00", partition: 0)
        try pipe(driver, "new", "12T12:00:00", partition: 1)
        try pipe(driver, "newer", "12T13:00:00", partition: 1)
        XCTAssertTrue(try remembers(driver, "old"))
        // To the millisecond: 25 hours after the order.
        try pipe(driver, "last", "11T13:00:00", customer: "B", partition: 0)
        try pipe(driver, "newest", "12T14:00:00", partition: 1)
        XCTAssertTrue(try remembers(driver, "old"))
        try pipe(driver, "beyond", "11T15:00:00", customer: "B", partition: 0)
        try pipe(driver, "final", "12T15:00:00", partition: 1)
        XCTAssertFalse(try remembers(driver, "old"))
        XCTAssertTrue(try remembers(driver, "new"))
    }

    /// How far event time had come is known before the first record after a restart.
    func testWhatAllPartitionsHavePassedOutlastsARestart() throws {
        for losingDisk in [false, true] {
            let driver = try driver()
            try pipe(driver, "old", "10T12:00:00", partition: 0)
            for partition in Int32(0)..<2 {
                try pipe(driver, "new", "12T12:00:00", customer: "B", partition: partition)
            }
            try driver.restart(losingDisk: losingDisk)
            try pipe(driver, "newer", "12T12:00:00", partition: 0)
            XCTAssertFalse(try remembers(driver, "old"))
        }
    }

    func testAPartitionNotYetHeardOfHoldsTheMemoryUntilItIsIdle() throws {
        let driver = try driver(["idle_after=30s"])
        try pipe(driver, "old", "10T12:00:00", partition: 1)
        try pipe(driver, "new", "12T12:00:00", partition: 1)
        try driver.advance(milliseconds: 29_000)
        try pipe(driver, "newer", "12T13:00:00", partition: 1)
        XCTAssertTrue(try remembers(driver, "old"))
        try driver.advance(milliseconds: 2_000)
        try pipe(driver, "newest", "12T14:00:00", partition: 1)
        XCTAssertFalse(try remembers(driver, "old"))
    }

    /// What it brings then is judged by what is still remembered, and counted; the partition holds the memory again.
    func testAPartitionThatReturnsIsHeardAgain() throws {
        let driver = try driver(["idle_after=30s"])
        try pipe(driver, "0", "10T12:00:00", customer: "B", partition: 0)
        try pipe(driver, "1", "12T12:00:00", partition: 1)
        try driver.advance(milliseconds: 29_000)
        try pipe(driver, "2", "12T13:00:00", partition: 1)
        try driver.advance(milliseconds: 2_000)
        XCTAssertEqual(driver.counters["late"], 0)
        try pipe(driver, "back1", "10T13:00:00", amount: "2000", partition: 0)
        XCTAssertEqual(driver.counters["late"], 1)
        XCTAssertEqual(try take(driver), ["LARGE_ORDER": [["back1"]]])
        try pipe(driver, "3", "12T14:00:00", partition: 1)
        try pipe(driver, "4", "13T14:00:00", partition: 1)
        try pipe(driver, "5", "13T15:00:00", partition: 1)
        XCTAssertTrue(try remembers(driver, "2"))
    }

    // MARK: Late orders

    func testAnOrderWhoseCompanyMayBeForgottenIsCountedAndJudgedAllTheSame() throws {
        let driver = try driver(partitions: 1)
        try pipe(driver, "now", "12T12:00:00", partition: 0)
        try pipe(driver, "in time", "11T12:00:00.000", partition: 0)
        XCTAssertEqual(driver.counters["late"], 0)
        try pipe(driver, "late", "11T11:59:59.999", amount: "2000", partition: 0)
        XCTAssertEqual(driver.counters["late"], 1)
        XCTAssertEqual(
            try take(driver), ["LARGE_ORDER": [["late"]], "RAPID_ORDERS": [["late", "in time"]]])
        // Of a customer of whom nothing newer is known they still make a burst.
        try pipe(driver, "one", "01T12:00:00", customer: "B", partition: 0)
        try pipe(driver, "two", "01T12:01:00", customer: "B", partition: 0)
        XCTAssertEqual(try take(driver), ["RAPID_ORDERS": [["one", "two"]]])
        XCTAssertEqual(driver.counters["late"], 3)
    }

    func testWhatHasNoRoomIsCounted() throws {
        let driver = try driver(["remember_records=10"])
        for minute in 10..<22 { try pipe(driver, "\(minute)", "12T12:\(minute):00", partition: 0) }
        XCTAssertEqual(driver.counters["forgotten_early"], 2)
        XCTAssertFalse(try remembers(driver, "11"))
        XCTAssertTrue(try remembers(driver, "12"))
    }

    // MARK: Reports

    func testOrdersThatLieCloseCostNoReports() throws {
        let driver = try driver()
        let changelog = "orders-anomaly-detector-by-key-time-changelog"
        for minute in 10..<60 { try pipe(driver, "\(minute)", "12T12:\(minute):00", partition: 0) }
        let count = driver.cluster.records(in: changelog).count
        XCTAssertGreaterThan(count, 0)
        XCTAssertLessThan(count, 10)
        try pipe(driver, "later", "12T16:00:00", partition: 0)
        XCTAssertGreaterThan(driver.cluster.records(in: changelog).count, count)
    }

    func testAReportOfANewerVersionStopsTheService() throws {
        let driver = try driver()
        driver.cluster.append(
            to: "orders-anomaly-detector-by-key-repartition", key: nil as [UInt8]?, value: [2, 1, 0, 0], partition: 0)
        XCTAssertThrowsError(try driver.run()) { error in
            XCTAssertTrue((error as? StreamFault)?.text.contains("newerVersion(2)") ?? false, "\(error)")
        }
    }

    // MARK: What an older version left

    /// Its customers are known, how far event time had come is not: nothing is forgotten before all partitions were heard of.
    func testWhatADetectorWithoutReportsRememberedIsTakenOver() throws {
        let driver = try driver()
        try pipe(driver, "1", "10T12:00:00", partition: 0)
        let times = "orders-anomaly-detector-by-key-time-changelog"
        driver.cluster.deleteTopic(times)
        driver.cluster.createTopic(times, partitions: 2)
        let definition = driver.cluster.records(in: "orders-anomaly-detector-customers-changelog").first?.text
        XCTAssertTrue(definition?.hasPrefix("customer-history/1 ORDER_SPIKE,") ?? false, definition ?? "none")
        try driver.restart(losingDisk: true)
        try pipe(driver, "ahead", "12T12:00:00", partition: 1)
        try pipe(driver, "2", "10T12:01:00", partition: 0)
        XCTAssertEqual(try take(driver), ["RAPID_ORDERS": [["1", "2"]]])
    }

    func testAnOrderOnItsWayFromADetectorWithoutReportsIsTaken() throws {
        let driver = try driver()
        try pipe(driver, "1", "10T12:00:00", partition: 0)
        var value: [UInt8] = [1]
        value.append(integer: Int64(1_736_510_460_000))  // 2025-01-10T12:01:00Z
        value.append(integer: Int64(0))
        value.append(2)
        value.append(integer: Int128(1000))
        value.append(text: "2")
        driver.cluster.append(
            to: "orders-anomaly-detector-by-key-repartition", key: Array("A".utf8), value: value)
        try driver.run()
        XCTAssertEqual(try take(driver), ["RAPID_ORDERS": [["1", "2"]]])
    }
}
