import Foundation
import TestSupport
import XCTest

/// The order pipeline on a real Kafka: real processes, their very files, and the oracle.
final class PipelineOnKafkaTests: XCTestCase {
    private func run(
        nodes: Int = 1, isToBeKilled: Bool = false, _ body: (Scenarios) throws -> Void, _ test: String = #function
    ) throws {
        continueAfterFailure = false
        let broker = try RealBroker(nodes: nodes, isToBeKilled: isToBeKilled, test)
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
        try run(isToBeKilled: true) { try $0.killedBroker(times: 2, orders: 3_000) }
    }

    func testOneOfThreeBrokersKilledAndRestarted() throws {
        try run(nodes: 3) { try $0.killedBroker(times: 1, orders: 1_500) }
    }

    func testDeletedStateIsBuiltAgain() throws {
        try run { try $0.deletedState() }
    }
}
