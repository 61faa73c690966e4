import Foundation
import StreamKit
import StreamKitTesting
import XCTest
import TestSupport

/// Several threads in a group: zombies, rebalances under load, stores that move and come back.
final class StreamThreadGroupTests: XCTestCase {
    /// A process is stopped at one of its calls for longer than its session; another one takes over and works; then the first
    /// goes on as if nothing had happened. Nothing it does from then on may be seen.
    private func zombie(sameInstance: Bool, isStatic: Bool) {
        for kind in FixtureKind.allCases { zombie(kind, sameInstance: sameInstance, isStatic: isStatic) }
    }

    private func zombie(_ kind: FixtureKind, sameInstance: Bool, isStatic: Bool) {
        // Two of one id that both have something to write would fence each other for ever.
        let partitions: Int32 = kind == .deduplicating && sameInstance && !isStatic ? 1 : 2
        let healthy = kind.make(partitions: partitions)
        healthy.produce(16)
        let faults = FaultPlan()
        XCTAssertTrue(healthy.run([healthy.start(faults: faults)]))
        for call in 1...faults.history.count {
            for moment in FaultPlan.Moment.allCases {
                let name =
                    "\(kind) \(faults.history[call - 1]) \(call) \(moment) same \(sameInstance) static \(isStatic)"
                let fixture = kind.make(partitions: partitions)
                fixture.produce(16)
                let faults = FaultPlan()
                var second: Fixture.Process?
                faults.at(call: call, moment) {
                    if !isStatic { fixture.cluster.endSession(application: "app") }
                    fixture.produce(4)
                    let other = fixture.start(instance: sameInstance ? "0" : "1", isStatic: isStatic)
                    second = other
                    XCTAssertTrue(fixture.run([other], turns: 400), "\(name): \(other.failure?.text ?? "stands still")")
                }
                let first = fixture.start(isStatic: isStatic, faults: faults)
                for _ in 0..<40 { first.turn() }
                fixture.produce(4)
                guard let second else { return XCTFail("\(name): never stopped") }
                for _ in 0..<3 { second.turn() }
                // One of them may end, told that its static place is taken (by the one that joined last).
                let left = [first, second].filter { $0.failure == nil }
                XCTAssertTrue(!left.isEmpty, name)
                XCTAssertTrue(isStatic || left.count == 2, "\(name): \(first.failure?.text ?? "")")
                XCTAssertTrue(
                    fixture.run(left, turns: 400), "\(name): \(left.map { $0.failure?.text ?? "stands still" })")
                XCTAssertEqual(fixture.violations(), [], name)
            }
        }
    }

    func testAZombieCommitsNothing() { zombie(sameInstance: false, isStatic: false) }
    func testAZombieWithTheSameTransactionalIDCommitsNothing() { zombie(sameInstance: true, isStatic: false) }
    func testAZombieWhoseStaticPlaceIsTakenCommitsNothing() { zombie(sameInstance: true, isStatic: true) }

    func testPartitionsMoveUnderLoad() {
        let fixture = Fixture(partitions: 4)
        fixture.produce(40)
        let first = fixture.start(instance: "0")
        for _ in 0..<6 { first.turn() }
        let second = fixture.start(instance: "1")
        for _ in 0..<6 {
            fixture.produce(5)
            first.turn()
            second.turn()
        }
        let third = fixture.start(instance: "2")
        fixture.produce(20)
        XCTAssertTrue(fixture.run([first, second, third]))
        XCTAssertEqual(fixture.violations(), [])
        XCTAssertEqual(fixture.cluster.assignments(of: "app").values.map(\.count).sorted(), [1, 1, 2])
    }

    func testAStoreThatComesBackReadsOnlyTheTailOfItsChangelog() {
        let fixture = Fixture(partitions: 2)
        fixture.produce(60, keys: 20, poisonEvery: 0)
        let first = fixture.start(instance: "0")
        XCTAssertTrue(fixture.run([first]))
        XCTAssertEqual(first.client.readerRecordCount, 0)
        let second = fixture.start(instance: "1")
        for _ in 0..<10 {
            first.turn()
            second.turn()
        }
        fixture.produce(4, keys: 20, poisonEvery: 0)
        XCTAssertTrue(fixture.run([first, second]))
        let before = first.client.readerRecordCount
        fixture.cluster.endSession(application: "app", instance: "1")
        fixture.produce(4, keys: 20, poisonEvery: 0)
        XCTAssertTrue(fixture.run([first]))
        XCTAssertEqual(fixture.violations(stores: [first.stores]), [])
        let tail = first.client.readerRecordCount - before
        XCTAssertGreaterThan(tail, 0)
        XCTAssertLessThan(tail, 20, "the whole changelog was read")
    }

    /// Processes start, stop, die, are kicked out, fail at random calls, while records keep coming.
    func testARandomLifeLeavesEachEffectOnce() {
        let seeds = ProcessInfo.processInfo.environment["STREAMKIT_SIMULATION_SEEDS"].flatMap(UInt64.init) ?? 150
        for kind in FixtureKind.allCases {
            for seed in 1...max(1, seeds) { simulate(kind, seed: seed) }
        }
    }

    private func simulate(_ fixtures: FixtureKind, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let partitions = Int32.random(in: 1...4, using: &random)
        let fixture = fixtures.make(partitions: partitions)
        let kind: InMemoryStores.Kind = Bool.random(using: &random) ? .volatile : .durable
        // In every fourth life some outputs are refused, by the broker or by the client.
        let refuser = fixtures == .counting ? seed % 8 : 1
        let large = "big" + String(repeating: "x", count: 100)
        if refuser == 0 { fixture.cluster.createTopic("out", maximumRecordBytes: 60) }
        fixture.isRefused = { $0.hasPrefix("poison") || $0.hasPrefix("big") }
        var processes: [Fixture.Process] = []
        var disks: [String: InMemoryStores] = [:]

        func start(_ instance: String, healthy: Bool) {
            let faults = FaultPlan()
            if !healthy { plan(faults, &random) }
            // A disk belongs to an instance; its fault plan stays that of the first process, which plans nothing for stores.
            let stores = disks[instance] ?? InMemoryStores(kind)
            disks[instance] = stores
            stores.crash()
            let process = fixture.start(
                instance: instance, isStatic: seed % 3 == 0, faults: faults, stores: stores)
            if refuser == 4 {
                process.client.refusedTopic = "out"
                process.client.maximumRecordBytes = 60
            }
            processes.append(process)
        }

        for _ in 0..<120 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0, 1: fixture.produce(Int.random(in: 1...12, using: &random))
            case 2 where processes.count < 3:
                let free = ["0", "1", "2"].filter { name in !processes.contains { $0.client.instance == name } }
                if let instance = free.randomElement(using: &random) { start(instance, healthy: false) }
            case 3:
                if let dies = processes.indices.randomElement(using: &random),
                    Int.random(in: 0..<3, using: &random) == 0
                {
                    let process = processes.remove(at: dies)
                    process.faults.crash()
                    process.thread = nil
                    fixture.cluster.endSession(application: "app", instance: process.client.instance)
                }
            case 4:
                if Int.random(in: 0..<4, using: &random) == 0, let process = processes.randomElement(using: &random) {
                    fixture.cluster.endSession(application: "app", instance: process.client.instance)
                }
            case 7 where refuser % 4 == 0: fixture.append(key: "k1", "\(large)\(fixture.inputCount)")
            case 5: fixture.compactChangelog()
            case 6: fixture.cluster.clock.advance(milliseconds: Int64.random(in: 1...20_000, using: &random))
            default: processes.randomElement(using: &random)?.turn()
            }
            // Who failed is started again by somebody.
            for process in processes where process.failure != nil {
                processes.removeAll { $0 === process }
                process.faults.crash()
                process.thread = nil
                fixture.cluster.endSession(application: "app", instance: process.client.instance)
            }
        }
        for process in processes {
            process.faults.crash()
            fixture.cluster.endSession(application: "app", instance: process.client.instance)
        }
        processes = []
        start("0", healthy: true)
        start("1", healthy: true)
        let name = "\(fixtures) seed \(seed)"
        XCTAssertTrue(
            fixture.run(processes, turns: 600), "\(name): \(processes.map { $0.failure?.text ?? "stands still" })")
        XCTAssertEqual(fixture.violations(), [], name)
    }

    /// Some failures at random calls.
    private func plan(_ faults: FaultPlan, _ random: inout SeededRandom) {
        let kinds: [(PortOperation, FaultPlan.Moment, BrokerFailure.Response)] = [
            (.begin, .before, .abort), (.send, .before, .abort), (.send, .after, .recreate), (.flush, .after, .abort),
            (.sendOffsets, .before, .retry), (.sendOffsets, .after, .abort), (.sendOffsets, .after, .recreate),
            (.commit, .before, .abort), (.commit, .before, .recreate), (.commit, .after, .recreate),
            (.commit, .after, .retry), (.abort, .before, .recreate), (.abort, .after, .recreate),
            (.initialize, .before, .retry), (.poll, .before, .retry), (.seek, .before, .retry),
            (.committed, .before, .retry), (.readerPoll, .before, .retry), (.readerBounds, .before, .retry),
            (.poll, .before, .stop), (.commit, .after, .stop),
        ]
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            guard let kind = kinds.randomElement(using: &random) else { continue }
            faults.fail(kind.0, call: Int.random(in: 1...15, using: &random), kind.1, kind.2)
        }
    }
}
