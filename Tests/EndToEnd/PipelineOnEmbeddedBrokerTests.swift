import XCTest
import TestSupport

/// The same pipeline and oracle on the project's own broker, which needs nothing else.
final class PipelineOnEmbeddedBrokerTests: XCTestCase {
    private func run(_ body: (Scenarios) throws -> Void) throws {
        continueAfterFailure = false
        let broker = try EmbeddedBrokerProcess()
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
        try run { try $0.killedServices(orders: 2_000, kills: 6) }
    }

    func testZombiesCommitNothing() throws {
        try run { try $0.pausedInstances() }
    }

    func testInstancesJoinAndLeaveUnderLoad() throws {
        try run { try $0.joiningAndLeaving() }
    }

    func testDeletedStateIsBuiltAgain() throws {
        try run { try $0.deletedState() }
    }

    func testServicesKilledWhileStarting() throws {
        try run { try $0.killedWhileStarting() }
    }

    func testOneOfTwoWithTheSameInstanceIdGivesUp() throws {
        try run { try $0.sameInstanceTwice() }
    }

    func testBrokerKilledAndRestarted() throws {
        try run { try $0.killedBroker(times: 3, orders: 2_000) }
    }

    func testServicesOfSeveralThreads() throws {
        try run { try $0.killedServices(orders: 1_200, kills: 3, settings: ["threads=2"]) }
    }
}
