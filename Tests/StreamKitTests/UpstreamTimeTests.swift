import StreamKit
import StreamKitTesting
import TestSupport
import XCTest

/// Reads `number time` and takes the time.
private final class TimeReader: Processor {
    override func process(_ record: Record) throws(StreamFault) {
        let parts = record.value.map { String(decoding: $0, as: UTF8.self).split(separator: " ") } ?? []
        guard parts.count == 2, let time = Int64(parts[1]) else { throw .refused(Refusal("MALFORMED", "no time")) }
        context.time.observe(eventTimeMilliseconds: time)
        try forward(record)
    }
}

/// Appends how far event time has come in all partitions.
private final class UpstreamTeller: Processor {
    override func process(_ record: Record) throws(StreamFault) {
        let text = record.value.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let value = Array("\(text) \(context.time.upstreamWatermarkMilliseconds)".utf8)
        var fault: StreamFault?
        value.withUnsafeBytes { bytes in
            var changed = record
            changed.value = bytes
            do throws(StreamFault) { try forward(changed) } catch { fault = error }
        }
        if let fault { throw fault }
    }
}

/// How far event time has come, told through a repartition topic, whatever happens to those who tell and hear it.
final class UpstreamTimeTests: XCTestCase {
    private static let base: Int64 = 1_736_782_200_000
    private static let step: Int64 = 10_000

    private static let topology = topology(of: ["in"])

    private static func topology(of topics: [String]) -> Topology {
        Topology("app") { flow in declare(flow, topics) }
    }

    private static func declare(_ flow: Flow, _ topics: [String]) {
        flow.source("in", topics: topics).process("time") { TimeReader($0) }
            .repartition(
                RepartitionTopic("by-key"),
                reporting: EventTimeReporting(step: .milliseconds(step), idle: .seconds(1_000_000))
            )
            .process("tell") { UpstreamTeller($0) }
            .to("out", SinkDefinition("out"))
    }

    private struct Row {
        let number: Int
        let partition: Int32
        let time: Int64
        /// Its partition's watermark before it.
        let watermark: Int64
    }

    /// Rows of partitions that go on at paces of their own, up to days apart.
    private func rows(_ random: inout SeededRandom, count: Int, partitions: Int32) -> [Row] {
        var times = (0..<partitions).map { Self.base - Int64($0) * 100_000_000 }
        var watermarks = [Int64](repeating: TaskTime.none, count: Int(partitions))
        return (0..<count).map { number in
            let partition = Int(Int32.random(in: 0..<partitions, using: &random))
            times[partition] += Int64.random(in: 0...8_000, using: &random)
            let time = times[partition] - Int64.random(in: 0...20_000, using: &random)
            defer { watermarks[partition] = max(watermarks[partition], time) }
            return Row(number: number, partition: Int32(partition), time: time, watermark: watermarks[partition])
        }
    }

    private func fixture(_ rows: [Row], partitions: Int32) -> Fixture {
        let fixture = Fixture(plan: Fixture.plan(Self.topology), partitions: partitions)
        fixture.cluster.clock.set(nowMilliseconds: Self.base + 3_600_000)
        fixture.cluster.createTopic("app-by-key-repartition", partitions: 2)
        fixture.cluster.createTopic("app-by-key-time-changelog", partitions: 2)
        append(rows, to: fixture)
        return fixture
    }

    private func append(_ rows: [Row], to fixture: Fixture) {
        for row in rows {
            fixture.cluster.append(
                to: "in", key: "k\(row.number % 5)", "\(row.number) \(row.time)", partition: row.partition)
        }
    }

    @discardableResult
    private func run(_ fixture: Fixture, _ processes: [Fixture.Process], rows: Int, turns: Int = 600) -> Bool {
        for _ in 0..<turns {
            if fixture.cluster.records(in: "out").count >= rows && fixture.cluster.openTransactions.isEmpty {
                return true
            }
            for process in processes where !process.turn() { return false }
        }
        return false
    }

    /// Each row came once, and none met a time that its own partition had not come to before it.
    private func check(_ fixture: Fixture, _ rows: [Row], _ name: String) {
        var seen: [Int: Int64] = [:]
        for record in fixture.cluster.records(in: "out") {
            let parts = (record.text ?? "").split(separator: " ")
            guard parts.count == 3, let number = Int(parts[0]), let combined = Int64(parts[2]) else {
                return XCTFail("\(name): \(record.text ?? "")")
            }
            XCTAssertNil(seen.updateValue(combined, forKey: number), "\(name): \(number) twice")
        }
        XCTAssertEqual(seen.count, rows.count, name)
        for row in rows {
            XCTAssertLessThanOrEqual(seen[row.number] ?? .max, row.watermark, "\(name): row \(row.number)")
        }
        XCTAssertEqual(fixture.cluster.records(in: "dead").count, 0, name)
    }

    /// What comes once all is through meets the least watermark of all partitions, less a step at most.
    private func checkArrived(_ fixture: Fixture, _ process: Fixture.Process, _ rows: [Row], _ name: String) {
        let last = (0..<10).map {
            Row(number: rows.count + $0, partition: 0, time: Self.base - 900_000_000, watermark: 0)
        }
        // A turn or two more until the reports are read: they follow their records.
        for _ in 0..<20 { process.turn() }
        append(last, to: fixture)
        XCTAssertTrue(run(fixture, [process], rows: rows.count + last.count), name)
        let watermarks = Dictionary(grouping: rows, by: \.partition).mapValues { $0.map(\.time).max() ?? 0 }
        let least = watermarks.values.min() ?? 0
        for record in fixture.cluster.records(in: "out") {
            let parts = (record.text ?? "").split(separator: " ").compactMap { Int64($0) }
            guard parts.count == 3, parts[0] >= rows.count else { continue }
            XCTAssertLessThanOrEqual(parts[2], least, name)
            XCTAssertGreaterThanOrEqual(parts[2], least / Self.step * Self.step, name)
        }
    }

    private func runAndCheck(_ fixture: Fixture, _ process: Fixture.Process, _ rows: [Row], _ name: String) {
        XCTAssertTrue(
            run(fixture, [process], rows: rows.count), "\(name) \(process.failure?.text ?? "stands still")")
        check(fixture, rows, name)
        checkArrived(fixture, process, rows, name)
    }

    func testNoRecordMeetsATimeThatItsPartitionHadNotComeTo() {
        for seed in 1...10 {
            var random = SeededRandom(seed: UInt64(seed))
            let rows = rows(&random, count: 150, partitions: 3)
            let fixture = fixture(rows, partitions: 3)
            let process = fixture.start()
            runAndCheck(fixture, process, rows, "seed \(seed)")
        }
    }

    func testTimeIsToldRightUnderEveryFailure() {
        let failures: [(PortOperation, FaultPlan.Moment, BrokerFailure.Response)] = [
            (.send, .before, .abort), (.flush, .after, .abort), (.sendOffsets, .after, .recreate),
            (.commit, .before, .abort), (.commit, .before, .recreate), (.commit, .after, .recreate),
        ]
        var random = SeededRandom(seed: 21)
        let rows = rows(&random, count: 80, partitions: 3)
        for failure in failures {
            for call in 1...9 {
                let fixture = fixture(rows, partitions: 3)
                let faults = FaultPlan()
                faults.fail(failure.0, call: call, failure.1, failure.2)
                let process = fixture.start(faults: faults)
                runAndCheck(fixture, process, rows, "\(failure) \(call)")
            }
        }
    }

    func testTimeIsToldRightWhereverAProcessDies() {
        var random = SeededRandom(seed: 22)
        let rows = rows(&random, count: 60, partitions: 3)
        for kind in InMemoryStores.Kind.allCases {
            for call in stride(from: 5, through: 300, by: 7) {
                let fixture = fixture(rows, partitions: 3)
                let faults = FaultPlan()
                let stores = InMemoryStores(kind, faults: faults)
                faults.crash(atCall: call, call % 2 == 0 ? .before : .after)
                let first = fixture.start(faults: faults, stores: stores)
                run(fixture, [first], rows: rows.count)
                first.thread = nil
                stores.crash()
                fixture.cluster.endSession(application: "app")
                faults.restart()
                let second = fixture.start(faults: faults, stores: stores)
                runAndCheck(fixture, second, rows, "\(kind) \(call)")
            }
        }
    }

    func testTimeIsToldRightWhilePartitionsMove() {
        for seed in 1...20 {
            var random = SeededRandom(seed: UInt64(200 + seed))
            let rows = rows(&random, count: 120, partitions: 3)
            let fixture = fixture(rows, partitions: 3)
            let processes = fixture.startWhilePartitionsMove(&random)
            XCTAssertTrue(
                run(fixture, processes, rows: rows.count),
                "seed \(seed): \(processes.map { $0.failure?.text ?? "stands still" })")
            check(fixture, rows, "seed \(seed)")
        }
    }

    /// What was told of it holds nobody up.
    func testATopicThatIsNoInputAnyMoreIsNotWaitedFor() {
        let fixture = Fixture(plan: Fixture.plan(Self.topology(of: ["in", "in2"])), partitions: 1)
        fixture.cluster.clock.set(nowMilliseconds: Self.base + 3_600_000)
        for topic in ["in2", "app-by-key-repartition", "app-by-key-time-changelog"] {
            fixture.cluster.createTopic(topic)
        }
        fixture.cluster.append(to: "in", key: "k", "0 \(Self.base)")
        fixture.cluster.append(to: "in2", key: "k", "1 \(Self.base - 100_000)")
        let first = fixture.start()
        XCTAssertTrue(run(fixture, [first], rows: 2), first.failure?.text ?? "stands still")
        for _ in 0..<20 { first.turn() }
        first.faults.crash()
        first.thread = nil
        fixture.cluster.endSession(application: "app")
        let faults = FaultPlan()
        let second = Fixture.Process(
            fixture, instance: "0", isStatic: false, faults: faults, stores: InMemoryStores(.volatile, faults: faults))
        second.start(fixture, plan: Fixture.plan(Self.topology(of: ["in"])))
        for number in 2...3 {
            fixture.cluster.append(to: "in", key: "k", "\(number) \(Self.base + 50_000)")
            XCTAssertTrue(run(fixture, [second], rows: number + 1), second.failure?.text ?? "stands still")
            for _ in 0..<20 { second.turn() }
        }
        XCTAssertEqual(
            fixture.cluster.records(in: "out").last?.text, "3 \(Self.base + 50_000) \(Self.base + 50_000)")
    }

    func testWhatWasToldInAnAbortedTransactionIsToldAgain() throws {
        let driver = try TopologyTestDriver(Self.topology)
        try driver.pipe("in", key: "k", "1 \(Self.base)")
        driver.faults.fail(.commit, call: driver.faults.count(of: .commit) + 1, .before, .abort)
        try driver.pipe("in", key: "k", "2 \(Self.base + 50_000)")
        XCTAssertEqual(driver.status.snapshot.transactionsAborted, 1)
        try driver.pipe("in", key: "k", "3 \(Self.base)")
        XCTAssertEqual(driver.take("out").last?.text, "3 \(Self.base) \(Self.base + 50_000)")
    }

    func testARecordWithoutAKeyIsRefusedWhereReportsHaveNone() throws {
        let driver = try TopologyTestDriver(Self.topology)
        try driver.pipe("in", key: nil, "1 \(Self.base)")
        let letter = try XCTUnwrap(driver.take("dead-letters").first?.text)
        XCTAssertTrue(letter.contains("KEY_MISSING"), letter)
        try driver.pipe("in", key: "k", "2 \(Self.base)")
        XCTAssertEqual(driver.take("out").count, 1)
    }
}
