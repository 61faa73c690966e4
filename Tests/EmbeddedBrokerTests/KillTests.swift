import EmbeddedBroker
import Foundation
import XCTest

/// The program killed at any instant, also while it starts, under a client that sends again whatever was not answered, as
/// Kafka's own do: in the end everything is there once, and transactions are whole.
///
/// `EMBEDDED_BROKER_KILLS` sets how often it is killed in each mode (20 by default), `EMBEDDED_BROKER_KILL_SEED` when.
final class KillTests: XCTestCase {
    private static let killsOnOneDirectory = 50

    private func run(_ options: [String]) throws {
        continueAfterFailure = false
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["EMBEDDED_BROKER_KILL_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...9_999)
        var rest = environment["EMBEDDED_BROKER_KILLS"].flatMap { Int($0) } ?? 20
        let livesLong = rest > 100
        print("EMBEDDED_BROKER_KILL_SEED=\(seed)")
        var random = Random(state: seed)
        while rest > 0 {
            let kills = min(rest, Self.killsOnOneDirectory)
            let victim = try Victim(options, livesLongNowAndThen: livesLong, random: Random(state: random.next()))
            defer { victim.end() }
            try Workload(victim).run(kills: kills, seed: seed)
            rest -= kills
            if livesLong { FileHandle.standardError.write(Data("\(rest) kills to go\n".utf8)) }
        }
    }

    func testNothingAcknowledgedIsLostNorDoneTwice() throws { try run([]) }

    func testNothingAcknowledgedIsLostNorDoneTwiceWithFsync() throws { try run(["--fsync"]) }
}

private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 32) | (state << 32)
    }
}

/// A broker on one data directory that is killed some time after each start.
private final class Victim {
    private(set) var driver: RemoteDriver
    private(set) var kills = 0
    private let options: [String]
    private let livesLongNowAndThen: Bool
    private let directory: URL
    private var program: Program
    private var random: Random
    private var death: DispatchWorkItem?

    init(_ options: [String], livesLongNowAndThen: Bool, random: Random) throws {
        self.options = options
        self.livesLongNowAndThen = livesLongNowAndThen
        self.random = random
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("broker-\(UUID().uuidString)")
        program = try Self.start(options, directory)
        driver = try Self.connect(program)
    }

    private static func start(_ options: [String], _ directory: URL) throws -> Program {
        try Program(["--port", "0", "--data", directory.path] + options)
    }

    private static func connect(_ program: Program) throws -> RemoteDriver {
        let driver = try RemoteDriver(port: try program.port())
        try driver.connect(1...3)
        return driver
    }

    /// Lets the broker be killed soon; in long runs now and then so late that maintenance has set in.
    func scheduleDeath() {
        let isLate = livesLongNowAndThen && Int.random(in: 0..<25, using: &random) == 0
        let microseconds =
            isLate
            ? Int.random(in: 4_990_000...5_050_000, using: &random)
            : Int.random(in: 0...30_000, using: &random)
        let death = DispatchWorkItem { [program] in program.signal(SIGKILL) }
        self.death = death
        DispatchQueue.global().asyncAfter(deadline: .now() + .microseconds(microseconds), execute: death)
    }

    /// Does `operation` until it is answered, by as many incarnations of the broker as that takes.
    func attempt<Outcome>(_ operation: (BrokerDriver) throws -> Outcome) throws -> Outcome {
        while true {
            do {
                return try operation(driver)
            } catch is BrokerDriver.NoAnswer {
                program.process.waitUntilExit()
                kills += 1
                while Int.random(in: 0..<4, using: &random) == 0 {
                    let starting = try Self.start(options, directory)
                    usleep(UInt32.random(in: 0...8_000, using: &random))
                    _ = starting.end(SIGKILL)
                }
                program = try Self.start(options, directory)
                driver = try Self.connect(program)
                scheduleDeath()
            }
        }
    }

    func end() {
        death?.cancel()
        _ = program.end(SIGKILL)
        try? FileManager.default.removeItem(at: directory)
    }
}

/// What one client writes, and what must be read in the end.
private final class Workload {
    private let victim: Victim
    private var random = Random(state: 1)
    private var plain: [String] = []
    private var committed: [String] = []
    private var latest: [String: String] = [:]
    /// The number of the last transaction that was committed, which its offset says too.
    private var lastCommitted: Int64 = -1
    private var producer = ProducerIdentity(id: -1, epoch: -1)
    private var transactional = ProducerIdentity(id: -1, epoch: -1)
    private var sequences: [String: Int32] = [:]
    private var nextSequence: Int32 = 0

    init(_ victim: Victim) { self.victim = victim }

    func run(kills: Int, seed: UInt64) throws {
        random = Random(state: seed)
        for topic in ["plain", "tx", "compacted"] {
            var settings = ["segment.bytes": "4000"]
            if topic == "compacted" { settings["cleanup.policy"] = "compact" }
            XCTAssertEqual(try victim.attempt { try $0.createTopic(topic, settings: settings) }, 0)
        }
        producer = try victim.attempt { try $0.initProducer(nil).producer }
        transactional = try victim.attempt { try $0.initProducer("tx", timeoutMilliseconds: 600_000).producer }
        victim.scheduleDeath()
        var (number, verified): (Int64, Int) = (0, 0)
        while victim.kills < kills {
            let commits = Int.random(in: 0..<3, using: &random) > 0
            try transaction(number, commits: commits)
            try writePlain("\(number)")
            if victim.kills >= verified + 10 {
                verified = victim.kills
                try verify()
            }
            number += 1
        }
        try verify()
    }

    private func writePlain(_ value: String) throws {
        try write([.init(value)], to: "plain")
        plain.append(value)
        let key = "k\(value.count)\(value.suffix(1))"
        try write([.init(value + String(repeating: "-", count: 100), key: key)], to: "compacted")
        latest[key] = value
    }

    private func write(_ records: [Batches.Record], to topic: String) throws {
        let sequence = sequences[topic, default: 0]
        let batch = Batches.batch(records, producer: producer, sequence: sequence)
        XCTAssertEqual(try victim.attempt { try $0.produce(batch, to: topic).error }, 0)
        sequences[topic] = sequence + Int32(records.count)
    }

    private func transaction(_ number: Int64, commits: Bool) throws {
        let identity = transactional
        XCTAssertEqual(try victim.attempt { try $0.addPartition("tx", to: "tx", identity) }, 0)
        let values = (0..<Int.random(in: 1...3, using: &random)).map { "\(number).\($0)" }
        for value in values {
            let batch = Batches.batch(
                [.init(value)], producer: identity, sequence: nextSequence, transactional: true)
            XCTAssertEqual(try victim.attempt { try $0.produce(batch, to: "tx").error }, 0)
            nextSequence += 1
        }
        XCTAssertEqual(try victim.attempt { try $0.addOffsets(of: "g", to: "tx", identity) }, 0)
        XCTAssertEqual(
            try victim.attempt {
                try $0.commitOffsetInTransaction(number, topic: "tx", group: "g", transactionalID: "tx", identity)
            }, 0)
        XCTAssertEqual(try victim.attempt { try $0.end("tx", identity, commit: commits) }, 0)
        if commits {
            committed += values
            lastCommitted = number
        }
    }

    // MARK: - What is there

    private func verify() throws {
        XCTAssertEqual(try read("plain").flatMap(\.records).map(\.value), plain)
        XCTAssertEqual(Batches.committed(try read("tx")).flatMap(\.records).map(\.value), committed)
        XCTAssertEqual(
            try victim.attempt { try $0.fetchOffset(topic: "tx", group: "g", requireStable: true) },
            .init(offset: lastCommitted, error: 0))
        var kept: [String: String] = [:]
        for record in try read("compacted").flatMap(\.records) {
            guard let value = record.value?.prefix(while: { $0 != "-" }) else { continue }
            kept["k\(value.count)\(value.suffix(1))"] = String(value)
        }
        XCTAssertEqual(kept, latest)
    }

    private func read(_ topic: String) throws -> [Batches.DecodedBatch] {
        var batches: [Batches.DecodedBatch] = []
        var offset: Int64 = 0
        while true {
            let fetched = try victim.attempt { try $0.fetch(topic, from: offset) }
            XCTAssertEqual(fetched.error, 0)
            XCTAssertEqual(fetched.lastStableOffset, fetched.highWatermark, "nothing is left open in \(topic)")
            let more = Batches.decode(fetched.records)
            guard let last = more.last else { return batches }
            XCTAssertTrue(more.allSatisfy(\.isIntact))
            batches += more
            offset = last.lastOffset + 1
        }
    }
}
