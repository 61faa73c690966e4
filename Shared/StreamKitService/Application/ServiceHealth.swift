internal import StreamKit

/// What probes are told.
struct ServiceHealth: Sendable {
    /// A thread that has not completed a turn for so long is stuck: longer than any bound on a call inside.
    private static let stuckMilliseconds: Int64 = 120_000

    let statuses: [ThreadStatus]
    let clock: SystemClock

    /// Dead or stuck: a restart helps. Waiting for a broker is neither.
    var liveness: Health {
        let now = clock.monotonicMilliseconds
        return Health(
            reasons: statuses.enumerated().compactMap { number, status in
                let snapshot = status.snapshot
                if snapshot.state == .failed { return "thread \(number) failed: \(snapshot.reason)" }
                let silence = now - snapshot.lastTurnMilliseconds
                if snapshot.state == .running && silence > Self.stuckMilliseconds {
                    return "thread \(number) has made no progress for \(silence / 1000) s"
                }
                return nil
            })
    }

    /// Processing, every thread of it.
    var readiness: Health {
        Health(
            reasons: statuses.enumerated().compactMap { number, status in
                let snapshot = status.snapshot
                switch snapshot.state {
                case .running: return nil
                case .restoring:
                    return
                        "thread \(number) is restoring: \(snapshot.restoreRemaining.values.reduce(0, +)) records to read"
                case .starting, .stopping, .stopped, .failed:
                    return "thread \(number) is \(snapshot.state.rawValue)"
                        + (snapshot.reason.isEmpty ? "" : ": \(snapshot.reason)")
                }
            })
    }
}
