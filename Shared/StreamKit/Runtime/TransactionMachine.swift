/// The way of a transaction from its first record to its end, whatever the broker answers: events in, actions out.
///
///     closed -> open -> flushing -> sendingOffsets -> committing -> (apply) closed
///                 any of these -> aborting -> (rewind) closed
///                 any of these -> recreating -> (rewind) closed
///                   committing -> recreating -> settling -> (apply | rewind | surrender) closed
///
/// A producer that is fenced, dead, or whose answer is not known is everyday business: a new one under the same
/// transactional id settles what was open. Where a commit had been sent, the committed offsets then tell what became of it.
public struct TransactionMachine: Sendable {
    public enum State: Hashable, Sendable {
        case closed, open, flushing, sendingOffsets, committing, aborting, recreating, settling, stopped
    }

    public enum Action: Hashable, Sendable {
        case flush, sendOffsets, commit, abort
        /// Close the producer, make another under the same transactional id and initialise it.
        case recreate
        /// Read the committed offsets and compare them with the ledger.
        case settle
        /// It is committed: apply the stores' pending writes, advance the ledger.
        case apply
        /// It is not: drop the stores' pending writes, seek back to the ledger's start.
        case rewind
        /// The partitions belong to somebody else: drop everything of theirs without committing.
        case surrender
        /// Stop the service with this reason.
        case stop(BrokerFailure)
    }

    public private(set) var state: State = .closed
    /// How often the present step was tried again.
    public private(set) var retries = 0
    /// A commit was sent, and its outcome is not known.
    private var isInDoubt = false
    private var stopped: BrokerFailure?
    /// A step that may be retried is given up (for a new producer) after this many times.
    public let retriesMax: Int

    public init(retriesMax: Int = 10) { self.retriesMax = retriesMax }

    public mutating func opened() { if state == .closed { enter(.open) } }

    /// Ends the open transaction; with none open there is nothing to be applied.
    public mutating func commitRequested() -> Action {
        if let stopped { return .stop(stopped) }
        return state == .open ? enter(.flushing, .flush) : .rewind
    }

    /// Give up the open transaction (a rebalance took the partitions, or an output was refused).
    public mutating func abortRequested() -> Action {
        if let stopped { return .stop(stopped) }
        return state == .open || state == .flushing ? enter(.aborting, .abort) : .rewind
    }

    /// The action of the present state succeeded.
    public mutating func succeeded() -> Action {
        switch state {
        case .flushing: return enter(.sendingOffsets, .sendOffsets)
        case .sendingOffsets:
            isInDoubt = true
            return enter(.committing, .commit)
        case .committing: return enter(.closed, .apply)
        case .aborting: return enter(.closed, .rewind)
        case .recreating: return isInDoubt ? enter(.settling, .settle) : enter(.closed, .rewind)
        case .closed, .open, .settling, .stopped: return .rewind
        }
    }

    public mutating func settled(_ settlement: OffsetLedger.Settlement) -> Action {
        switch settlement {
        case .committed: enter(.closed, .apply)
        case .notCommitted: enter(.closed, .rewind)
        case .foreign: enter(.closed, .surrender)
        }
    }

    /// The action of the present state, or a `send` or `begin` before it, failed.
    public mutating func failed(_ failure: BrokerFailure) -> Action {
        if let stopped { return .stop(stopped) }
        switch (failure.response, state) {
        case (.stop, _):
            stopped = failure
            return enter(.stopped, .stop(failure))
        case (.retry, .recreating), (.recreate, .recreating), (.abort, .recreating):
            // Without a producer nothing can be done but to try again: the broker may be away for minutes.
            return again(.recreate)
        case (_, .settling):
            return again(.settle)
        case (.retry, _) where retries < retriesMax:
            return again(action)
        case (.abort, .aborting), (.retry, _), (.recreate, _):
            return enter(.recreating, .recreate)
        case (.abort, _):
            return enter(.aborting, .abort)
        }
    }

    private var action: Action {
        switch state {
        case .flushing: .flush
        case .sendingOffsets: .sendOffsets
        case .committing: .commit
        case .settling: .settle
        case .recreating, .stopped: .recreate
        // A record that could not be handed over: nothing was flushed yet, so the transaction is done again.
        case .aborting, .open, .closed: .abort
        }
    }

    @discardableResult
    private mutating func enter(_ state: State, _ action: Action = .rewind) -> Action {
        self.state = state
        retries = 0
        if state == .closed { isInDoubt = false }
        return action
    }

    private mutating func again(_ action: Action) -> Action {
        retries += 1
        if action == .abort { state = .aborting }
        return action
    }
}
