import Foundation
import StreamKitService
import XCTest

final class StopSignalsTests: XCTestCase {
    func testASignalAsksOnceAndIsNamed() throws {
        if ChildProcess.isRunning {
            let signals = try StopSignals { name in
                ChildProcess.say(name)
                exit(ExitCode.drained.rawValue)
            }
            ChildProcess.say("ready \(signals.isStopRequested)")
            // A signal that is ignored must not end the process.
            raise(SIGPIPE)
            while true { pause() }
        }
        for (signal, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
            let child = try ChildProcess(test: "StopSignalsTests/testASignalAsksOnceAndIsNamed")
            XCTAssertEqual(child.line(), "ready false")
            child.send(signal)
            XCTAssertEqual(child.line(), name)
            XCTAssertEqual(child.waitForEnd(), ExitCode.drained.rawValue)
        }
    }

    func testARequestIsSeenByLoops() throws {
        if ChildProcess.isRunning {
            let signals = try StopSignals { _ in }
            ChildProcess.say("ready")
            while !signals.isStopRequested { sched_yield() }
            ChildProcess.say("seen")
            exit(ExitCode.drained.rawValue)
        }
        let child = try ChildProcess(test: "StopSignalsTests/testARequestIsSeenByLoops")
        XCTAssertEqual(child.line(), "ready")
        child.send(SIGTERM)
        XCTAssertEqual(child.line(), "seen")
        XCTAssertEqual(child.waitForEnd(), 0)
    }

    func testADoubledSignalIsOneAndALaterOneForcesTheEnd() throws {
        if ChildProcess.isRunning {
            let signals = try StopSignals { name in ChildProcess.say(name) }
            ChildProcess.say("ready")
            withExtendedLifetime(signals) { while true { pause() } }
        }
        let child = try ChildProcess(test: "StopSignalsTests/testADoubledSignalIsOneAndALaterOneForcesTheEnd")
        XCTAssertEqual(child.line(), "ready")
        child.send(SIGINT)
        child.send(SIGTERM)
        // One request reached the callback, and the process, which never drains, outlived the doubled signal.
        XCTAssertNotNil(child.line())
        while child.isRunning { child.send(SIGTERM) }
        XCTAssertNil(child.line())
        XCTAssertEqual(child.waitForEnd(), ExitCode.failed.rawValue)
    }
}
