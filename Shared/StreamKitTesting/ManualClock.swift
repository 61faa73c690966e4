public import StreamKit
import Synchronization

/// A clock in the test's hand: it stands still until somebody advances it or waits for something.
public final class ManualClock: Clock {
    private struct Times {
        var now: Int64
        var monotonic: Int64
    }

    private let times: Mutex<Times>

    /// Begins at 2025-01-13T15:30:45.000Z unless told otherwise.
    public init(nowMilliseconds: Int64 = 1_736_782_245_000) {
        times = Mutex(Times(now: nowMilliseconds, monotonic: 1_000_000))
    }

    public var nowMilliseconds: Int64 { times.withLock { $0.now } }
    public var monotonicMilliseconds: Int64 { times.withLock { $0.monotonic } }

    /// Time passes, for both ways of asking.
    public func advance(milliseconds: Int64) {
        times.withLock {
            $0.now += max(0, milliseconds)
            $0.monotonic += max(0, milliseconds)
        }
    }

    /// Sets the wall clock, as an administrator or NTP may, back too; the monotonic one goes on.
    public func set(nowMilliseconds: Int64) { times.withLock { $0.now = nowMilliseconds } }

    /// Nobody sleeps in a test: waiting is what makes time pass.
    public func pause(milliseconds: Int64) { advance(milliseconds: milliseconds) }
}
