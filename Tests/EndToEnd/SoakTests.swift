import Foundation
import XCTest
import TestSupport

/// `SOAK=1` (`make soak`): 200,000 orders and 50 kills, by `SEED`, on each kind of broker. `SOAK_KILLS=20` makes it 20, with 4,000
/// orders each.
final class SoakTests: XCTestCase {
    func testOnTheEmbeddedBroker() throws {
        try run { _ in try EmbeddedBrokerProcess() }
    }

    func testOnOneKafka() throws {
        try run { try RealBroker(isToBeKilled: true, $0) }
    }

    func testOnThreeKafkas() throws {
        try run { try RealBroker(nodes: 3, $0) }
    }

    /// A run in which the broker itself broke its promises is void, and done again with other orders.
    private func run(_ test: String = #function, _ makeBroker: (String) throws -> any Broker) throws {
        let environment = ProcessInfo.processInfo.environment
        guard environment["SOAK"] == "1" else { throw XCTSkip("SOAK=1 runs it") }
        continueAfterFailure = false
        let kills = environment["SOAK_KILLS"].flatMap { Int($0) } ?? 50
        var seed = SeededRandom.ofThisRun
        for _ in 0..<3 {
            let broker = try makeBroker(test)
            defer { broker.stop() }
            do {
                return try Scenarios(broker: broker, seed: seed).soak(orders: 4_000 * kills, kills: kills)
            } catch let skip as XCTSkip {
                say("\(test) with SEED=\(seed) is void: \(skip.message ?? "")")
                seed += 1
            }
        }
        XCTFail("three runs were void")
    }
}
