import Foundation
import TestSupport
import XCTest

/// The order pipeline on a real Kafka: real processes, their very files, and the oracle.
final class PipelineOnKafkaTests: XCTestCase {
    private func run(_ body: (Scenarios) throws -> Void, _ test: String = #function) throws {
        continueAfterFailure = false
        let broker = try RealBroker(test)
        defer { broker.stop() }
        try body(Scenarios(broker: broker, seed: SeededRandom.ofThisRun))
    }

    func testSampleComesOutAsTheOracleSays() throws {
        try run { try $0.sample() }
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

    func testDeletedStateIsBuiltAgain() throws {
        try run { try $0.deletedState() }
    }

    /// `SOAK=1`: 200,000 orders and 50 faults of every kind, by `SEED`.
    func testSoak() throws {
        guard ProcessInfo.processInfo.environment["SOAK"] == "1" else { throw XCTSkip("SOAK=1 runs it") }
        try run { try $0.soak(orders: 200_000, faults: 50) }
    }
}
