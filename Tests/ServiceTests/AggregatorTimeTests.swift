import StreamKit
import StreamKitTesting
import XCTest
import aggregator

/// When windows are told: at each commit, at their end, too late, while partitions are idle.
final class AggregatorTimeTests: XCTestCase {
    private let input = OrderServices.topic("processed")
    private let output = OrderServices.topic("aggregations")

    private func driver(_ overrides: [String] = [], partitions: Int32 = 1) throws -> TopologyTestDriver {
        try OrderServices.driver(Aggregator.self, overrides, partitions: [input: partitions])
    }

    private func pipe(
        _ driver: TopologyTestDriver, _ time: String, amount: String = "10", region: String = "us",
        partition: Int32 = 0, key: String? = nil, headers: [Header] = []
    ) throws {
        try driver.pipe(
            input, key: key,
            order(["region": "\"\(region)\"", "amount": amount, "timestamp": "\"2025-01-13T\(time)Z\""]),
            headers: headers, partition: partition)
    }

    /// `region orders amount [final]` of what came out since the last time.
    private func take(_ driver: TopologyTestDriver) throws -> [String] {
        try driver.take(output).map { record in
            let object = try record.object()
            let isFinal = object["final"] as? Bool
            return ["region", "total_orders", "total_amount"].map { "\(object[$0] ?? "-")" }.joined(separator: " ")
                + (isFinal.map { " final:\($0)" } ?? "")
        }
    }

    // MARK: emit

    func testUpdatesTellEveryChangeAndTheLastIsFinal() throws {
        let driver = try driver(["emit=updates"])
        try pipe(driver, "15:00:00")
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
        try pipe(driver, "15:01:00", amount: "5")
        XCTAssertEqual(try take(driver), ["us 2 15.00"])
        try pipe(driver, "15:05:00", region: "eu")
        XCTAssertEqual(try take(driver), ["eu 1 10.00"])
        // Its end has passed, the allowed lateness has not.
        try pipe(driver, "15:04:00", amount: "1")
        XCTAssertEqual(try take(driver), ["us 3 16.00"])
        try pipe(driver, "15:15:00", region: "uk")
        XCTAssertEqual(try take(driver).sorted(), ["uk 1 10.00", "us 3 16.00 final:true"])
        try driver.advance(milliseconds: 300_000)
        XCTAssertEqual(try take(driver), [])
    }

    func testUpdatesOfOneCommitAreOne() throws {
        let driver = try driver(["emit=updates"])
        for amount in 1...5 {
            driver.cluster.append(
                to: input, key: nil, order(["region": #""us""#, "amount": "\(amount)"]), partition: 0)
        }
        try driver.run()
        let told = try take(driver)
        XCTAssertEqual(told.last, "us 5 15.00")
        XCTAssertLessThan(told.count, 5)
    }

    func testFinalTellsAWindowOnceAndWithoutAFlag() throws {
        let driver = try driver()
        try pipe(driver, "15:00:00")
        try pipe(driver, "15:01:00")
        XCTAssertEqual(try take(driver), [])
        try pipe(driver, "15:15:00")
        XCTAssertEqual(try take(driver), ["us 2 20.00"])
    }

    /// Killed between any two commits: each update is there once, and nothing after the final one.
    func testUpdatesAfterARestartGoOnFromTheStore() throws {
        let driver = try driver(["emit=updates"])
        try pipe(driver, "15:00:00")
        try driver.restart(losingDisk: true)
        try pipe(driver, "15:01:00", amount: "5")
        try driver.restart()
        try pipe(driver, "15:15:00", region: "uk")
        XCTAssertEqual(try take(driver).sorted(), ["uk 1 10.00", "us 1 10.00", "us 2 15.00", "us 2 15.00 final:true"])
    }

    // MARK: late

    func testLateOrdersGoToTheirOwnTopicAsTheyCame() throws {
        let driver = try driver(["late.topic=late-orders", "late.partitions=1"])
        try pipe(driver, "15:29:00")
        try pipe(driver, "15:05:00", key: "k", headers: [Header("correlation-id", "c")])
        let late = driver.take("late-orders")
        XCTAssertEqual(
            late.map(\.text), [order(["region": #""us""#, "amount": "10", "timestamp": #""2025-01-13T15:05:00Z""#])])
        XCTAssertEqual(late.first?.keyText, "k")
        XCTAssertEqual(late.first?.header("correlation-id"), "c")
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
        XCTAssertEqual(driver.counters["late"], 1)
    }

    func testLateIsWhatItsOwnPartitionHasPassed() throws {
        let driver = try driver(partitions: 2)
        try pipe(driver, "15:29:59.999", partition: 0)
        try pipe(driver, "15:00:00", partition: 1)
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
        // To the millisecond: the window ends at 15:15, and is closed ten minutes later.
        try pipe(driver, "15:14:00", partition: 0)
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")).count, 1)
        try pipe(driver, "15:15:00", partition: 0)
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
    }

    func testAnOrderOfTheFutureClosesNothing() throws {
        let driver = try driver()
        try pipe(driver, "15:00:00")
        try driver.pipe(input, order(["region": #""us""#, "timestamp": #""2099-01-01T00:00:00Z""#]))
        try driver.pipe(input, order(["region": #""us""#, "timestamp": #""2025-01-13T16:30:46.235Z""#]))
        XCTAssertEqual(try take(driver), [])
        try pipe(driver, "15:01:00")
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
        // An hour ahead is taken.
        try driver.pipe(input, order(["region": #""us""#, "timestamp": #""2025-01-13T16:30:46.234Z""#]))
        XCTAssertEqual(try take(driver), ["us 2 20.00"])
    }

    // MARK: Idle partitions

    func testAPartitionNotYetHeardOfHoldsWindowsUntilItIsIdle() throws {
        let driver = try driver(["idle_after=30s"], partitions: 2)
        try pipe(driver, "15:00:00", partition: 0)
        try pipe(driver, "15:20:00", partition: 0)
        try driver.advance(milliseconds: 29_000)
        XCTAssertEqual(try take(driver), [])
        try pipe(driver, "15:20:01", partition: 0)
        try driver.advance(milliseconds: 2_000)
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
    }

    func testAPartitionThatIsBehindHoldsWindowsUntilItIsIdle() throws {
        let driver = try driver(partitions: 2)
        try pipe(driver, "15:00:00", partition: 1)
        for second in 0..<6 {
            try pipe(driver, "15:20:0\(second)", partition: 0)
            XCTAssertEqual(try take(driver), [])
            try driver.advance(milliseconds: 9_000)
        }
        try driver.advance(milliseconds: 10_000)
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
    }

    /// What comes one by one after a pause closes windows as before, though each is read to the end at once.
    func testAPartitionThatReturnsIsHeardAgain() throws {
        let driver = try driver(["idle_after=1s"])
        try pipe(driver, "14:00:00")
        try driver.advance(milliseconds: 5_000)
        try pipe(driver, "14:20:00", region: "eu")
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
        try driver.advance(milliseconds: 5_000)
        try pipe(driver, "14:40:00", region: "uk")
        XCTAssertEqual(try take(driver), ["eu 1 10.00"])
    }

    func testAReturningPartitionsRecordsOfAClosedWindowAreLateWithTheirOffsets() throws {
        let driver = try driver(["idle_after=30s"], partitions: 2)
        try pipe(driver, "15:00:00", partition: 1)
        try pipe(driver, "15:20:00", partition: 0)
        try driver.advance(milliseconds: 25_000)
        try pipe(driver, "15:20:01", partition: 0)
        try driver.advance(milliseconds: 6_000)
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
        // Not late by its own partition, whose watermark is 15:00.
        try pipe(driver, "15:02:00", amount: "7", region: "us", partition: 1)
        let letter = try XCTUnwrap(driver.take(OrderServices.topic("dlq")).first).object()
        XCTAssertEqual(letter["error_type"] as? String, "LATE")
        let range = try XCTUnwrap(letter["stands_for"] as? [String: Any])
        XCTAssertEqual(range["topic"] as? String, input)
        XCTAssertEqual(range["partition"] as? Int, 1)
        XCTAssertEqual(range["first_offset"] as? Int, 1)
        XCTAssertEqual(range["last_offset"] as? Int, 1)
        XCTAssertEqual(range["records"] as? Int, 1)
        XCTAssertEqual(driver.counters["late_partial"], 1)
        XCTAssertEqual(try take(driver), [])
        // Windows that are open still take what it brings.
        try pipe(driver, "15:16:00", amount: "7", region: "us", partition: 1)
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
    }

    func testWindowsThatOnlyAnIdlePartitionHeldAreClosedWhicheverFellIdleFirst() throws {
        for behind: Int32 in 0...1 {
            let driver = try driver(["idle_after=30s"], partitions: 2)
            try pipe(driver, "15:00:00", partition: behind)
            try pipe(driver, "15:20:00", region: "eu", partition: 1 - behind)
            try driver.advance(milliseconds: 29_000)
            XCTAssertEqual(try take(driver), [])
            // Both at once.
            try driver.advance(milliseconds: 3_000)
            XCTAssertEqual(try take(driver), ["us 1 10.00"], "partition \(behind) is behind")
        }
    }

    func testWithAllIdleNothingMovesUnlessTheFileSaysSo() throws {
        let driver = try driver(["idle_after=1s"], partitions: 2)
        try pipe(driver, "15:29:00")
        try driver.advance(milliseconds: 7_200_000)
        XCTAssertEqual(try take(driver), [])
    }

    func testWithAllIdleTimePassesWhereTheFileSaysSo() throws {
        let driver = try driver(["idle_after=60s", "advance_when_all_idle=true"], partitions: 2)
        try pipe(driver, "15:29:00")
        // Idle after 60 s, and from then on the watermark goes on from 15:29: 15:40 closes the window.
        try driver.advance(milliseconds: 60_000 + 650_000)
        XCTAssertEqual(try take(driver), [])
        try driver.advance(milliseconds: 15_000)
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
    }

    func testTimeThatPassedWhileAllWereIdleOutlastsARestart() throws {
        let driver = try driver(["idle_after=1s", "advance_when_all_idle=true"])
        try pipe(driver, "15:29:00")
        try driver.advance(milliseconds: 700_000)
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
        try driver.restart()
        // Its window was closed by time alone: what comes for it is late, restart or not.
        try pipe(driver, "15:28:00")
        XCTAssertEqual(try take(driver), [])
        XCTAssertEqual(
            try driver.take(OrderServices.topic("dlq")).map { try $0.object()["error_type"] as? String }, ["LATE"])
    }

    func testARestartTakesNoTimeBackThatClosedAWindow() throws {
        let driver = try driver(["idle_after=1s", "advance_when_all_idle=true"])
        try pipe(driver, "15:29:00")
        try pipe(driver, "15:36:00", region: "eu")
        // From 15:36 to 15:40, which closes the first window.
        try driver.advance(milliseconds: 1_000 + 245_000)
        XCTAssertEqual(try take(driver), ["us 1 10.00"])
        try driver.restart()
        // From there to 15:50, and not from 15:36 again.
        try driver.advance(milliseconds: 1_000 + 595_000)
        XCTAssertEqual(try take(driver), [])
        try driver.advance(milliseconds: 15_000)
        XCTAssertEqual(try take(driver), ["eu 1 10.00"])
    }
}
