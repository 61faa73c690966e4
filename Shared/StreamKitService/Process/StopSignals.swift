internal import Glibc
internal import Synchronization

/// SIGTERM and SIGINT as a request to drain and stop. A second one, at least half a second later, ends the process at once.
///
/// The half second is for a terminal's Ctrl-C, which reaches a process and its parent, who passes it on.
public final class StopSignals: Sendable {
    private static var forceAfterMilliseconds: Int64 { 500 }
    /// What the signal handler touches: nothing but these, initialised before it is installed, and calls that POSIX allows.
    private static let writeEnd = Atomic<Int32>(-1)
    private static let firstAtMilliseconds = Atomic<Int64>(0)

    private let isRequested = Atomic(false)
    private let onStop: @Sendable (String) -> Void

    /// Takes over the signals, and ignores SIGPIPE. Once per process.
    ///
    /// - Parameter onStop: called once, on a thread of its own, with the signal's name.
    /// - Throws: if there is no socket pair or thread to be had.
    public init(onStop: @escaping @Sendable (String) -> Void) throws(SystemError) {
        self.onStop = onStop
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw SystemError("cannot make a socket pair for signals", code: errno)
        }
        let readEnd = ends[0]
        Self.firstAtMilliseconds.store(0, ordering: .relaxed)
        Self.writeEnd.store(ends[1], ordering: .sequentiallyConsistent)
        try BackgroundThread.start(name: "signals") { [self] in wait(readEnd) }
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGTERM, SIGINT] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { StopSignals.handle($0) }
            // No call of a library is to fail with EINTR; loops ask `isStopRequested`.
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// Whether a signal came; cheap enough to ask in every loop.
    public var isStopRequested: Bool { isRequested.load(ordering: .relaxed) }

    /// The signal handler: async-signal-safe calls only.
    private static func handle(_ number: Int32) {
        let savedError = errno
        defer { errno = savedError }
        var clock = timespec()
        clock_gettime(CLOCK_MONOTONIC, &clock)
        let now = Int64(clock.tv_sec) &* 1_000 &+ Int64(clock.tv_nsec) / 1_000_000
        let (isFirst, first) = firstAtMilliseconds.compareExchange(
            expected: 0, desired: now, ordering: .sequentiallyConsistent)
        if isFirst {
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(writeEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
        } else if now &- first >= forceAfterMilliseconds {
            _exit(ExitCode.failed.rawValue)
        }
    }

    private func wait(_ readEnd: Int32) {
        var number: UInt8 = 0
        while read(readEnd, &number, 1) < 0, errno == EINTR {}
        isRequested.store(true, ordering: .relaxed)
        onStop(Int32(number) == SIGINT ? "SIGINT" : "SIGTERM")
    }
}
