import Foundation
import Kafka
import StreamKit
import StreamKitKafka
import TestSupport
import XCTest

/// The runtime's own threads on a real broker, turned by hand, so that a test can drop one at any instant as a crash would.
final class RuntimeOnKafkaTests: XCTestCase {
    private var folder = ""

    override func setUp() {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("runtime-\(UUID().uuidString)").path
    }

    override func tearDown() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func testCountsAreRightAfterCrashesWithAMemoryStore() throws {
        try crashAndCount { MemoryStores() }
    }

    func testCountsAreRightAfterCrashesWithARocksDBStore() throws {
        try crashAndCount { [folder] in try RocksDBStoreFactory(folder: folder, log: Silence()) }
    }

    private func crashAndCount(_ backends: () throws -> any StoreBackendFactory) throws {
        let bench = try Bench(TestKafka.sharedBootstrapServers(), partitions: 2)
        try bench.fill(2_000, keys: 40)
        var random = Generator(state: 7)
        var read = 0
        for crash in 0..<4 {
            let stores = try backends()
            let thread = try bench.thread(instance: "one", isStatic: true, backends: stores, recordsMax: 20)
            let goal = crash == 3 ? 2_000 : read + 150 + Int(random.next() % 300)
            try bench.turn([thread], until: { read + $0.recordsSeen >= goal || bench.committedAll }, when: crash == 3)
            read += thread.status.snapshot.recordsSeen / 2
            // Dropped as it is: no commit, no leaving, the transaction open.
        }
        try bench.assertEveryCountOnce()
    }

    func testPartitionsMoveBetweenInstancesWithoutLossOrRepetition() throws {
        let bench = try Bench(TestKafka.sharedBootstrapServers(), partitions: 4)
        try bench.fill(2_000, keys: 60)
        let one = try bench.thread(instance: "one", isStatic: false, backends: MemoryStores(), recordsMax: 10)
        try bench.turn([one], until: { $0.recordsSeen >= 200 })
        let two = try bench.thread(instance: "two", isStatic: false, backends: MemoryStores(), recordsMax: 1)
        var settings = 0
        try bench.turn(
            [one, two],
            until: { _ in
                settings += 1
                return two.status.snapshot.recordsSeen >= 20
            })
        // The second one stops in good order; the first takes over what it had.
        two.status.requestStop()
        try two.run()
        try bench.turn([one], until: { _ in bench.committedAll })
        XCTAssertGreaterThanOrEqual(one.status.snapshot.rebalances, 3)
        try bench.assertEveryCountOnce()
        one.status.requestStop()
        try one.run()
    }

    func testOutputThatTheBrokerRefusesBecomesADeadLetterAlone() throws {
        let bench = try Bench(
            TestKafka.sharedBootstrapServers(), partitions: 1, outputSettings: ["max.message.bytes": "2000"])
        try bench.fill(50, keys: 5)
        try bench.produce([("big", String(repeating: "x", count: 10_000))])
        try bench.fill(50, keys: 5, from: 50)
        let thread = try bench.thread(instance: "one", isStatic: true, backends: MemoryStores(), recordsMax: 500)
        try bench.turn([thread], until: { _ in bench.committedAll })
        thread.status.requestStop()
        try thread.run()
        try bench.assertEveryCountOnce()
        let dead = try bench.read(bench.deadLetters)
        XCTAssertEqual(dead.count, 1)
        XCTAssertTrue(dead.first?.contains("OUTPUT_REFUSED") ?? false, "\(dead.first?.prefix(300) ?? "")")
    }

    func testRecordsKeepTimestampAndHeaders() throws {
        let bench = try Bench(TestKafka.sharedBootstrapServers(), partitions: 1)
        try bench.produce([("k", "v")], timestamp: 1_700_000_000_123, headers: [("a", "1"), ("b", "2")])
        let thread = try bench.thread(instance: "one", isStatic: true, backends: MemoryStores(), recordsMax: 500)
        try bench.turn([thread], until: { _ in bench.committedAll })
        var seen: [String] = []
        try bench.read(bench.output) { record in
            var headers: [String] = []
            record.headers?.forEach { headers.append("\(text($0))=\($1.map(text) ?? "null")") }
            seen.append("\(record.timestampMilliseconds ?? -1) \(headers)")
        }
        XCTAssertEqual(seen, ["1700000000123 [\"a=1\", \"b=2\"]"])
    }

    func testPropertiesThatTheRuntimeOwnsAreRefusedWithAllOtherFaultsAtOnce() {
        var settings = KafkaClusterSettings(
            application: "a", instance: "i", isStaticMember: false, bootstrapServers: "127.0.0.1:1", log: Silence())
        settings.properties = [("isolation.level", "read_uncommitted"), ("linger.ms", "soon"), ("no.such", "1")]
        XCTAssertThrowsError(try KafkaCluster(settings)) { error in
            let problems = (error as? KafkaConfigurationError)?.problems.map(\.property) ?? []
            XCTAssertEqual(Set(problems), ["isolation.level", "linger.ms", "no.such"])
            XCTAssertEqual(problems.count, 3, "\(error)")
        }
    }
}
