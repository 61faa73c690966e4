/// What may be tried again is tried again: a broker that is away for a while ends no thread.
extension StreamThread {
    /// By then the group has given up a member that does not poll: better to begin again than to hang.
    private static let patienceMilliseconds: Int64 = 300_000

    /// Does what the thread cannot go on without, until it succeeds, fails for good, five minutes are over, or the thread is
    /// asked to stop.
    func patiently<Result>(_ body: () throws(BrokerFailure) -> Result) throws(BrokerFailure) -> Result {
        var tries = 0
        let began = clock.monotonicMilliseconds
        while true {
            do throws(BrokerFailure) { return try body() } catch {
                guard error.response == .retry, !status.isStopRequested,
                    clock.monotonicMilliseconds - began < Self.patienceMilliseconds
                else { throw error }
                noteLife()
                tries += 1
                if tries & (tries - 1) == 0 {
                    log.log(.warning, "trying again", [("tries", "\(tries)"), ("error", "\(error)")])
                }
                clock.pause(milliseconds: min(1000, 20 << Int64(min(tries, 6))))
            }
        }
    }

    /// Whatever waits for a broker is not stuck.
    func noteLife() {
        status.update { $0.lastTurnMilliseconds = clock.monotonicMilliseconds }
    }

    /// After a failure of something that the next turn does again anyway.
    func tryAgainLater(_ failure: BrokerFailure) {
        log.log(.warning, "trying again", [("error", "\(failure)")])
        clock.pause(milliseconds: 100)
    }
}
