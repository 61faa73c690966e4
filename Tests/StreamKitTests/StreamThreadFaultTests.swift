import StreamKit
import StreamKitTesting
import XCTest

/// Exactly-once under every single fault: each call over a port fails once, before or after its effect, in each way that a
/// port may fail; and the process dies at each call.
final class StreamThreadFaultTests: XCTestCase {
    /// What may go wrong with a call, and after its effect only as far as a port may report a failure for what it did.
    private func failures(of operation: PortOperation) -> [(FaultPlan.Moment, BrokerFailure.Response)] {
        switch operation {
        case .begin, .send:
            [(.before, .retry), (.before, .abort), (.before, .recreate), (.after, .abort), (.after, .recreate)]
        case .flush, .sendOffsets:
            FaultPlan.Moment.allCases.flatMap { [($0, .retry), ($0, .abort), ($0, .recreate)] }
        case .commit:
            [
                (.before, .retry), (.before, .abort), (.before, .recreate), (.after, .retry), (.after, .recreate),
            ]
        case .abort, .initialize, .makeProducer, .handle:
            [(.before, .retry), (.before, .recreate), (.after, .retry), (.after, .recreate)]
        case .poll, .seek, .committed, .bounds, .assign, .resume, .readerPoll, .readerBounds, .readerAssign,
            .makeReader, .producerPartitionCount:
            [(.before, .retry)]
        default: []
        }
    }

    func testEveryFailureOfEveryCallLeavesEachEffectOnce() {
        for kind in FixtureKind.allCases { everyFailure(kind) }
    }

    private func everyFailure(_ kind: FixtureKind) {
        let healthyFixture = kind.make()
        healthyFixture.produce(24)
        let healthy = FaultPlan()
        XCTAssertTrue(healthyFixture.run([healthyFixture.start(faults: healthy)]))
        var runs = 0
        for operation in PortOperation.allCases {
            for (moment, response) in failures(of: operation) {
                for call in 1...max(1, min(25, healthy.count(of: operation))) {
                    let fixture = kind.make()
                    fixture.produce(24)
                    let faults = FaultPlan()
                    faults.fail(operation, call: call, moment, response)
                    let process = fixture.start(faults: faults)
                    let through = fixture.run([process])
                    let name = "\(kind) \(operation) \(call) \(moment) \(response)"
                    XCTAssertTrue(through, "\(name): \(process.failure?.text ?? "stands still")")
                    XCTAssertEqual(fixture.violations(stores: [process.stores]), [], name)
                    XCTAssertEqual(process.miscounts(fixture), [], name)
                    runs += 1
                }
            }
        }
        XCTAssertGreaterThan(runs, 120)
    }

    /// An abort needs a failure before it: the failure of the step that follows the first one.
    func testEveryPairOfFailuresInTheCommitProtocolLeavesEachEffectOnce() {
        for kind in FixtureKind.allCases { everyPair(kind) }
    }

    private func everyPair(_ kind: FixtureKind) {
        let steps: [(PortOperation, FaultPlan.Moment, BrokerFailure.Response)] = [
            (.send, .before, .abort), (.flush, .before, .abort), (.sendOffsets, .after, .abort),
            (.commit, .before, .abort), (.commit, .before, .recreate), (.commit, .after, .recreate),
        ]
        let then: [(PortOperation, FaultPlan.Moment, BrokerFailure.Response)] = [
            (.abort, .before, .retry), (.abort, .before, .abort), (.abort, .after, .retry), (.abort, .after, .recreate),
            (.initialize, .before, .recreate), (.initialize, .after, .abort), (.makeProducer, .before, .retry),
            (.handle, .before, .recreate), (.committed, .before, .retry), (.seek, .before, .retry),
            (.begin, .before, .recreate), (.begin, .after, .recreate), (.send, .before, .retry),
            (.flush, .after, .recreate), (.commit, .after, .recreate), (.poll, .before, .retry),
        ]
        for first in steps {
            for second in then {
                for offset in 0..<2 {
                    let fixture = kind.make()
                    fixture.produce(18)
                    let faults = FaultPlan()
                    let process = fixture.start(faults: faults)
                    faults.fail(first.0, call: 2, first.1, first.2)
                    faults.at(first.0, call: 2, first.1) {
                        let next = faults.count(of: second.0) + 1 + offset
                        faults.fail(second.0, call: next, second.1, second.2)
                    }
                    let through = fixture.run([process])
                    let name = "\(kind) \(first) then \(second) +\(offset)"
                    XCTAssertTrue(through, "\(name): \(process.failure?.text ?? "stands still")")
                    XCTAssertEqual(fixture.violations(stores: [process.stores]), [], name)
                    XCTAssertEqual(process.miscounts(fixture), [], name)
                }
            }
        }
    }

    func testACrashAtAnyCallLeavesEachEffectOnce() {
        for fixtures in FixtureKind.allCases {
            for kind in InMemoryStores.Kind.allCases {
                let fixture = fixtures.make()
                fixture.produce(16)
                let faults = FaultPlan()
                let process = fixture.start(faults: faults, stores: InMemoryStores(kind, faults: faults))
                XCTAssertTrue(fixture.run([process]))
                for call in 1...faults.history.count {
                    for moment in FaultPlan.Moment.allCases {
                        let name = "\(fixtures) \(kind) \(faults.history[call - 1]) \(call) \(moment)"
                        crash(fixtures, kind, call: call, moment, name: name)
                    }
                }
            }
        }
    }

    /// A process dies at a call, and the one that takes its place dies there too.
    private func crash(
        _ fixtures: FixtureKind, _ kind: InMemoryStores.Kind, call: Int, _ moment: FaultPlan.Moment, name: String
    ) {
        let fixture = fixtures.make()
        fixture.produce(16)
        let faults = FaultPlan()
        let stores = InMemoryStores(kind, faults: faults)
        for life in 0..<3 {
            if life < 2 { faults.crash(atCall: faults.history.count + call, moment) }
            let process = fixture.start(faults: faults, stores: stores)
            if fixture.run([process]) && process.failure == nil {
                XCTAssertEqual(fixture.violations(stores: [stores]), [], name)
                return
            }
            XCTAssertTrue(faults.isCrashed, "\(name): \(process.failure?.text ?? "stands still")")
            process.thread = nil
            stores.crash()
            fixture.cluster.endSession(application: Fixture.application)
            faults.restart()
            if life == 0 { fixture.produce(4) }
        }
        XCTFail("\(name): three lives were not enough")
    }
}
