import Foundation
import StreamKit
import StreamKitKafka
import StreamKitTesting
import TestSupport
import XCTest

/// A deduplication whose store is RocksDB, in random lives: what it lets pass is what one lets pass that never ends.
final class ExpiringRocksDBStoreTests: XCTestCase {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("expiring-\(UUID().uuidString)")
        .path
    private let changelog = "app-seen-changelog"

    override func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

    private final class Reader: EventReader {
        func read(_ record: Record, into row: EventRow) throws(Refusal) {
            row.key = record.key ?? Bytes(start: nil, count: 0)
            row.eventTimeMilliseconds = record.value.flatMap { Int64(text($0)) } ?? 0
        }
    }

    private let topology = Topology("app") { flow in
        flow.source("in", topics: ["in"])
            .deduplicate("seen", within: .seconds(1)) { _ in Reader() }
            .to("out", SinkDefinition("out"))
    }

    /// A cluster with the topology's topics, and one process after the other on it.
    private final class Application {
        let cluster = InMemoryCluster()
        private let topology: Topology
        private(set) var thread: StreamThread?
        private(set) var faults = FaultPlan()
        /// Of the process that runs.
        private(set) var client: InMemoryClient?

        init(_ topology: Topology) {
            self.topology = topology
            for topic in ["in", "out", "dead", "app-seen-changelog"] { cluster.createTopic(topic) }
        }

        func start(_ backends: any StoreBackendFactory) throws {
            faults = FaultPlan()
            let client = cluster.client(application: "app", faults: faults)
            self.client = client
            var plan = ThreadPlan(
                topology: topology, deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "app"))
            plan.commitIntervalMilliseconds = 25
            plan.commitWhenDrainedMilliseconds = 20
            plan.pollRecordsMax = 4
            thread = try StreamThread(
                plan: plan, number: 0, cluster: client, backends: backends, clock: cluster.clock, log: Silence(),
                status: ThreadStatus())
        }

        func turn() throws {
            cluster.clock.advance(milliseconds: 10)
            try thread?.turn()
        }

        func die() {
            faults.crash()
            thread = nil
            cluster.endSession(application: "app")
        }

        func finish() throws {
            let input = TopicPartition("in", 0)
            for _ in 0..<2_000 where cluster.committed("app", input)?.offset != cluster.bounds(of: input)?.end {
                try turn()
            }
            XCTAssertEqual(cluster.committed("app", input)?.offset, cluster.bounds(of: input)?.end)
        }

        var passed: [String] { cluster.records(in: "out").map { "\($0.keyText ?? "") \($0.text ?? "")" } }
    }

    private func factory() throws -> RocksDBStoreFactory {
        try RocksDBStoreFactory(
            folder: folder, memory: .init(cacheBytes: 1 << 20, writeBufferBytes: 1 << 20), log: Silence())
    }

    private func records(_ random: inout SeededRandom) -> [(key: String, time: Int64)] {
        var time: Int64 = 100_000
        return (0..<600).map { _ in
            time += Int64.random(in: 0...60, using: &random)
            let wild: [Int64] = [time, time, time, time - 300, time - 5_000, 4_070_908_800_000]
            return ("k\(Int.random(in: 0..<40, using: &random))", wild.randomElement(using: &random) ?? time)
        }
    }

    func testARandomLifeLetsPassWhatAnEternalOneDoes() throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let records = records(&random)
            let eternal = Application(topology)
            try eternal.start(MemoryStoreFactory())
            let mortal = Application(topology)
            try mortal.start(try factory())
            for record in records {
                for application in [eternal, mortal] {
                    application.cluster.append(to: "in", key: record.key, "\(record.time)")
                }
                switch Int.random(in: 0..<40, using: &random) {
                case 0:
                    mortal.die()
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        try FileManager.default.removeItem(atPath: folder)
                    }
                    if Bool.random(using: &random) { mortal.cluster.compact(changelog) }
                    try mortal.start(try factory())
                case 1:
                    mortal.faults.fail(.commit, call: mortal.faults.count(of: .commit) + 1, .after, .recreate)
                case 2:
                    mortal.faults.fail(.flush, call: mortal.faults.count(of: .flush) + 1, .before, .abort)
                case 3..<25: try mortal.turn()
                default: break
                }
            }
            try eternal.finish()
            try mortal.finish()
            XCTAssertEqual(mortal.passed, eternal.passed, "seed \(seed)")
            XCTAssertGreaterThan(mortal.passed.count, 100)
            mortal.die()
            try FileManager.default.removeItem(atPath: folder)
        }
    }

    func testARestartReadsTheTailAndKnowsTheBundlesBeforeIt() throws {
        let application = Application(topology)
        try application.start(try factory())
        for number in 0..<40 {
            application.cluster.append(to: "in", key: "k\(number)", "\(10_000 + number)")
            try application.finish()
        }
        func bundles() -> (alive: Int, dead: Int) {
            var alive: Set<[UInt8]> = []
            var dead = 0
            for record in application.cluster.records(in: changelog) where record.key?.count == 18 {
                if record.value != nil {
                    alive.insert(record.key ?? [])
                } else if alive.remove(record.key ?? []) != nil {
                    dead += 1
                }
            }
            return (alive.count, dead)
        }
        XCTAssertEqual(bundles().alive, 40)
        application.die()
        try application.start(try factory())
        application.cluster.append(to: "in", key: "last", "12000")
        try application.finish()
        XCTAssertLessThanOrEqual(application.client?.readerRecordCount ?? 99, 1)
        XCTAssertEqual(bundles().dead, 40)
        XCTAssertEqual(bundles().alive, 1)
    }
}
