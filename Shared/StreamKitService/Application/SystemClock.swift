internal import Glibc
internal import StreamKit

/// The machine's clocks.
struct SystemClock: StreamKit.Clock {
    var nowMilliseconds: Int64 { Self.read(CLOCK_REALTIME) }
    var monotonicMilliseconds: Int64 { Self.read(CLOCK_MONOTONIC) }

    func pause(milliseconds: Int64) {
        var left = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        var rest = timespec()
        while nanosleep(&left, &rest) == -1 && errno == EINTR { left = rest }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
