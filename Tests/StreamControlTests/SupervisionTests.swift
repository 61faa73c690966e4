import StreamControl
import XCTest

final class SupervisionTests: XCTestCase {
    func testDelaysGrowToALimitAndAGoodRunResetsThem() {
        var supervision = Supervision()
        var now = Duration.zero
        var delays: [Duration] = []
        for _ in 0..<9 {
            XCTAssertEqual(supervision.timePassed(now: now), .start)
            supervision.started(now: now)
            now += .seconds(1)
            guard case .startsAgain(let delay) = supervision.ended(.exited(code: 1), now: now) else {
                return XCTFail("not started again")
            }
            XCTAssertNil(supervision.timePassed(now: now), "not before the delay is over")
            XCTAssertEqual(supervision.wakesAt, now + delay)
            delays.append(delay)
            now += delay
        }
        XCTAssertEqual(delays, [0.5, 1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        XCTAssertEqual(supervision.timePassed(now: now), .start)
        supervision.started(now: now)
        XCTAssertEqual(
            supervision.ended(.killed(signal: 9), now: now + .seconds(60)), .startsAgain(after: .milliseconds(500)))
    }

    func testWhoCannotBeStartedIsTriedAgain() {
        var supervision = Supervision()
        XCTAssertEqual(supervision.timePassed(now: .zero), .start)
        XCTAssertEqual(supervision.ended(nil, now: .zero), .startsAgain(after: .milliseconds(500)))
    }

    func testAWrongConfigurationIsNotTriedAgain() {
        var supervision = Supervision()
        supervision.started(now: .zero)
        XCTAssertEqual(supervision.ended(.exited(code: 78), now: .seconds(1)), .refused)
        XCTAssertTrue(supervision.hasEnded)
        XCTAssertNil(supervision.timePassed(now: .seconds(1_000)))
    }

    func testWhoDoesNotStopIsKilledOnce() {
        var supervision = Supervision()
        supervision.started(now: .zero)
        XCTAssertEqual(supervision.stop(now: .seconds(5)), .terminate)
        XCTAssertNil(supervision.stop(now: .seconds(6)), "asked once")
        XCTAssertNil(supervision.timePassed(now: .seconds(16)))
        XCTAssertEqual(supervision.wakesAt, .seconds(17))
        XCTAssertEqual(supervision.timePassed(now: .seconds(17)), .kill)
        XCTAssertNil(supervision.timePassed(now: .seconds(18)))
        XCTAssertFalse(supervision.hasEnded)
        XCTAssertEqual(supervision.ended(.killed(signal: 9), now: .seconds(18)), .stopped)
        XCTAssertTrue(supervision.hasEnded)
    }

    func testAStopEndsWhoWaitsToBeStartedAgain() {
        var supervision = Supervision()
        supervision.started(now: .zero)
        _ = supervision.ended(.exited(code: 1), now: .zero)
        XCTAssertNil(supervision.stop(now: .zero))
        XCTAssertTrue(supervision.hasEnded)
    }

    func testLinesArePrefixedHoweverTheyAreCut() {
        let text = "first\nsecond\n\nlast"
        let expected = "a   | first\na   | second\na   | \na   | last\n"
        for step in 1...text.utf8.count {
            var output = PrefixedOutput(name: "a", width: 3, color: nil)
            var lines: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                lines += output.append(rest.prefix(step))
                rest = rest.dropFirst(step)
            }
            lines += output.end()
            XCTAssertEqual(String(decoding: lines, as: UTF8.self), expected)
        }
    }
}
