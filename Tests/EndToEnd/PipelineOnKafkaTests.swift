import Foundation
import TestSupport
import XCTest

/// The order pipeline on a real Kafka: real processes, their very files, and the oracle.
final class PipelineOnKafkaTests: XCTestCase {
    private func run(
        nodes: Int = 1, _ body: (Scenarios) throws -> Void, _ test: String = #function
    ) throws {
        continueAfterFailure = false
        let broker = try RealBroker(nodes: nodes, test)
        defer { broker.stop() }
        try body(Scenarios(broker: broker, seed: SeededRandom.ofThisRun))
    }

    func testSampleComesOutAsTheOracleSays() throws {
        try run { try $0.sample() }
    }

    func testPoisonStopsNothing() throws {
        try run { try $0.poison() }
    }

    func testKilledServicesLoseAndRepeatNothing() throws {
        try run { try $0.killedServices(orders: 4_000, kills: 10) }
    }

    func testZombiesCommitNothing() throws {
        try run { try $0.pausedInstances() }
    }

    func testInstancesJoinAndLeaveUnderLoad() throws {
        try run { try $0.joiningAndLeaving() }
    }

    func testBrokerKilledAndRestarted() throws {
        try run { try $0.killedBroker(times: 2, orders: 3_000) }
    }

    func testOneOfThreeBrokersKilledAndRestarted() throws {
        try run(nodes: 3) { try $0.killedBroker(times: 1, orders: 1_500) }
    }

    func testDeletedStateIsBuiltAgain() throws {
        try run { try $0.deletedState() }
    }

    /// `SOAK=1`: 200,000 orders and 50 faults of every kind, by `SEED`; `SOAK_FAULTS=20` 20 of them, with 4,000
    /// orders each; `SOAK_NODES=3` on three brokers.
    func testSoak() throws {
        let environment = ProcessInfo.processInfo.environment
        guard environment["SOAK"] == "1" else { throw XCTSkip("SOAK=1 runs it") }
        let nodes = environment["SOAK_NODES"].flatMap { Int($0) } ?? 1
        let faults = environment["SOAK_FAULTS"].flatMap { Int($0) } ?? 50
        try run(nodes: nodes) { try $0.soak(orders: 4_000 * faults, faults: faults) }
    }
}
