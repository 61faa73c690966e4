internal import StreamKitService

/// One child's life, as a pure state machine: told what happened and when, it says what to do.
///
/// Time is the duration since the supervisor began. What ends is started again, later each time that it ends soon; what says
/// that its configuration is wrong is not. A stop is asked for once; who does not follow is killed.
package struct Supervision {
    package enum Action: Equatable {
        case start
        case terminate
        case kill
    }

    /// What becomes of a child that ended.
    package enum Verdict: Equatable {
        case startsAgain(after: Duration)
        /// Its configuration is wrong: no start will help.
        case refused
        /// It was asked to end, or killed because it did not.
        case stopped
    }

    private enum State: Equatable {
        case waiting(until: Duration)
        case running(since: Duration)
        case stopping(killAt: Duration)
        case killed
        case ended
    }

    package static let firstDelay = Duration.milliseconds(500)
    package static let longestDelay = Duration.seconds(30)
    /// Who ran for so long begins anew with the first delay.
    package static let goodRun = Duration.seconds(60)
    package static let stopTimeout = Duration.seconds(12)

    private var state = State.waiting(until: .zero)
    private var nextDelay = Self.firstDelay

    package init() {}

    package var hasEnded: Bool { state == .ended }

    /// When ``timePassed(now:)`` has something to do, if nothing happens before.
    package var wakesAt: Duration? {
        switch state {
        case .waiting(let until): until
        case .stopping(let killAt): killAt
        case .running, .killed, .ended: nil
        }
    }

    /// What is due now. After `.start` comes ``started(now:)`` or ``ended(_:now:)``.
    package mutating func timePassed(now: Duration) -> Action? {
        switch state {
        case .waiting(let until) where until <= now: return .start
        case .stopping(let killAt) where killAt <= now:
            state = .killed
            return .kill
        default: return nil
        }
    }

    package mutating func started(now: Duration) {
        state = .running(since: now)
    }

    /// - Parameter end: nil if it could not even be started.
    package mutating func ended(_ end: ProcessEnd?, now: Duration) -> Verdict {
        switch state {
        case .stopping, .killed, .ended:
            state = .ended
            return .stopped
        case .running(let since):
            if now - since >= Self.goodRun { nextDelay = Self.firstDelay }
        case .waiting: break
        }
        if end == .exited(code: ExitCode.configuration.rawValue) {
            state = .ended
            return .refused
        }
        let delay = nextDelay
        nextDelay = min(nextDelay * 2, Self.longestDelay)
        state = .waiting(until: now + delay)
        return .startsAgain(after: delay)
    }

    /// Everything is to stop.
    package mutating func stop(now: Duration) -> Action? {
        switch state {
        case .running:
            state = .stopping(killAt: now + Self.stopTimeout)
            return .terminate
        case .waiting:
            state = .ended
            return nil
        case .stopping, .killed, .ended: return nil
        }
    }
}
