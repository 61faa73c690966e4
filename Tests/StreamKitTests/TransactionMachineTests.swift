import StreamKit
import XCTest
import TestSupport

final class TransactionMachineTests: XCTestCase {
    private typealias Action = TransactionMachine.Action
    private typealias State = TransactionMachine.State

    private func failure(_ response: BrokerFailure.Response) -> BrokerFailure {
        BrokerFailure(response, operation: "step", reason: "test")
    }

    /// A machine in a state, by the shortest way there.
    private func machine(in state: State) -> TransactionMachine {
        var machine = TransactionMachine(retriesMax: 3)
        if state == .closed { return machine }
        machine.opened()
        switch state {
        case .closed, .open: break
        case .flushing: _ = machine.commitRequested()
        case .sendingOffsets:
            _ = machine.commitRequested()
            _ = machine.succeeded()
        case .committing:
            _ = machine.commitRequested()
            _ = machine.succeeded()
            _ = machine.succeeded()
        case .aborting: _ = machine.abortRequested()
        case .recreating: _ = machine.failed(failure(.recreate))
        case .settling:
            _ = machine.commitRequested()
            _ = machine.succeeded()
            _ = machine.succeeded()
            _ = machine.failed(failure(.recreate))
            _ = machine.succeeded()
        case .stopped: _ = machine.failed(failure(.stop))
        }
        XCTAssertEqual(machine.state, state)
        return machine
    }

    func testTheWayOfAnUneventfulTransaction() {
        var machine = TransactionMachine()
        machine.opened()
        XCTAssertEqual(machine.commitRequested(), .flush)
        XCTAssertEqual(machine.succeeded(), .sendOffsets)
        XCTAssertEqual(machine.succeeded(), .commit)
        XCTAssertEqual(machine.succeeded(), .apply)
        XCTAssertEqual(machine.state, .closed)
    }

    func testWhatEachFailureLeadsTo() {
        let stop = failure(.stop)
        let table: [(State, BrokerFailure.Response, Action)] = [
            (.open, .retry, .abort), (.open, .abort, .abort), (.open, .recreate, .recreate),
            (.flushing, .retry, .flush), (.flushing, .abort, .abort), (.flushing, .recreate, .recreate),
            (.sendingOffsets, .retry, .sendOffsets), (.sendingOffsets, .abort, .abort),
            (.sendingOffsets, .recreate, .recreate),
            (.committing, .retry, .commit), (.committing, .abort, .abort), (.committing, .recreate, .recreate),
            (.aborting, .retry, .abort), (.aborting, .abort, .recreate), (.aborting, .recreate, .recreate),
            (.recreating, .retry, .recreate), (.recreating, .abort, .recreate), (.recreating, .recreate, .recreate),
            (.settling, .retry, .settle), (.settling, .abort, .settle), (.settling, .recreate, .settle),
        ]
        for (state, response, action) in table {
            var machine = machine(in: state)
            XCTAssertEqual(machine.failed(failure(response)), action, "\(state) \(response)")
        }
        for state in [State.open, .flushing, .sendingOffsets, .committing, .aborting, .recreating, .settling] {
            var machine = machine(in: state)
            XCTAssertEqual(machine.failed(stop), .stop(stop), "\(state)")
        }
    }

    func testAStepThatIsRetriedTooOftenGetsANewProducer() {
        for state in [State.flushing, .sendingOffsets, .committing, .aborting] {
            var machine = machine(in: state)
            for _ in 0..<3 { XCTAssertNotEqual(machine.failed(failure(.retry)), .recreate, "\(state)") }
            XCTAssertEqual(machine.failed(failure(.retry)), .recreate, "\(state)")
        }
    }

    func testOnlyATransactionWhoseCommitWasSentIsSettled() {
        for state in [State.open, .flushing, .sendingOffsets, .aborting] {
            var machine = machine(in: state)
            XCTAssertEqual(machine.failed(failure(.recreate)), .recreate)
            XCTAssertEqual(machine.succeeded(), .rewind, "\(state)")
            XCTAssertEqual(machine.state, .closed)
        }
        let outcomes: [(OffsetLedger.Settlement, Action)] = [
            (.committed, .apply), (.notCommitted, .rewind), (.foreign, .surrender),
        ]
        for (settlement, action) in outcomes {
            var machine = machine(in: .settling)
            XCTAssertEqual(machine.settled(settlement), action)
            XCTAssertEqual(machine.state, .closed)
        }
    }

    func testDoubtLastsThroughAnAbortAndEndsWithTheTransaction() {
        var machine = machine(in: .committing)
        XCTAssertEqual(machine.failed(failure(.abort)), .abort)
        XCTAssertEqual(machine.failed(failure(.recreate)), .recreate)
        XCTAssertEqual(machine.succeeded(), .settle)
        XCTAssertEqual(machine.settled(.notCommitted), .rewind)
        machine.opened()
        XCTAssertEqual(machine.failed(failure(.recreate)), .recreate)
        XCTAssertEqual(machine.succeeded(), .rewind)
    }

    func testNothingIsAppliedThatWasNotCommitted() {
        var closed = TransactionMachine()
        XCTAssertEqual(closed.commitRequested(), .rewind)
        XCTAssertEqual(closed.abortRequested(), .rewind)
        var stopped = machine(in: .stopped)
        let stop = Action.stop(failure(.stop))
        XCTAssertEqual(stopped.commitRequested(), stop)
        XCTAssertEqual(stopped.abortRequested(), stop)
        XCTAssertEqual(stopped.failed(failure(.recreate)), stop)
        stopped.opened()
        XCTAssertEqual(stopped.state, .stopped)
    }

    /// Whatever the broker answers: once its failures end, so does the transaction, and it is applied only if the broker committed
    /// it and dropped only if it did not.
    func testRandomConversationsEndWithWhatTheBrokerDid() {
        for seed in 1...3000 {
            var random = SeededRandom(seed: UInt64(seed))
            var machine = TransactionMachine(retriesMax: Int.random(in: 0...4, using: &random))
            machine.opened()
            var isCommitted = false
            var failuresLeft = Int.random(in: 0...12, using: &random)
            var action =
                Bool.random(using: &random)
                ? machine.commitRequested()
                : machine.failed(failure([.retry, .abort, .recreate].randomElement(using: &random) ?? .abort))
            var steps = 0
            conversation: while true {
                steps += 1
                XCTAssertLessThan(steps, 80, "seed \(seed)")
                if steps >= 80 { break }
                switch action {
                case .apply:
                    XCTAssertTrue(isCommitted, "seed \(seed)")
                    break conversation
                case .rewind:
                    XCTAssertFalse(isCommitted, "seed \(seed)")
                    break conversation
                case .surrender, .stop:
                    XCTFail("seed \(seed): \(action)")
                    break conversation
                case .settle where failuresLeft == 0 || Bool.random(using: &random):
                    action = machine.settled(isCommitted ? .committed : .notCommitted)
                case .flush, .sendOffsets, .commit, .abort, .recreate, .settle:
                    if failuresLeft > 0, Bool.random(using: &random) {
                        failuresLeft -= 1
                        var responses: [BrokerFailure.Response] = [.retry, .abort, .recreate]
                        if action == .commit {
                            // A broker that committed does not say that the transaction is to be aborted.
                            isCommitted = isCommitted || Bool.random(using: &random)
                            if isCommitted { responses = [.retry, .recreate] }
                        }
                        action = machine.failed(failure(responses.randomElement(using: &random) ?? .retry))
                    } else if action == .settle {
                        failuresLeft = max(0, failuresLeft - 1)
                        action = machine.failed(failure(.retry))
                    } else {
                        if action == .commit { isCommitted = true }
                        action = machine.succeeded()
                    }
                }
            }
            XCTAssertEqual(machine.state, .closed)
        }
    }
}
