internal import Glibc
internal import Synchronization

/// Where finished lines go.
public struct LogWriter: Sendable {
    let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes one whole line, its line break included; called from any thread.
    public init(_ write: @escaping @Sendable ([UInt8]) -> Void) {
        self.write = write
    }

    public static let standardError = LogWriter(descriptor: STDERR_FILENO)

    /// One `write` a line. The lock keeps long lines whole too: a pipe keeps only 4,096 bytes together. What cannot be written
    /// is lost; a log must not stop a service.
    public init(descriptor: Int32) {
        let lock = Lock()
        write = { line in
            lock.mutex.withLock { _ in
                line.withUnsafeBytes { bytes in
                    var rest = bytes[...]
                    while !rest.isEmpty {
                        let count = Glibc.write(
                            descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                        if count < 0, errno == EINTR { continue }
                        guard count > 0 else { return }
                        rest = rest.dropFirst(count)
                    }
                }
            }
        }
    }

    private final class Lock: Sendable {
        let mutex = Mutex(())
    }
}

/// The time as logs need it; a test brings its own.
public struct LogClock: Sendable {
    /// Since 1970-01-01T00:00:00Z.
    let epochMilliseconds: @Sendable () -> Int64
    /// Since some fixed instant; never goes back.
    let elapsed: @Sendable () -> Duration

    public init(
        epochMilliseconds: @escaping @Sendable () -> Int64, elapsed: @escaping @Sendable () -> Duration
    ) {
        self.epochMilliseconds = epochMilliseconds
        self.elapsed = elapsed
    }

    public static let system = LogClock(
        epochMilliseconds: {
            let now = time(of: CLOCK_REALTIME)
            return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
        },
        elapsed: {
            let now = time(of: CLOCK_MONOTONIC)
            return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
        })

    private static func time(of clock: clockid_t) -> timespec {
        var now = timespec()
        clock_gettime(clock, &now)
        return now
    }
}
