/// Everything known of one transactional id: a value, kept in the journal whenever it changes.
struct TransactionState: Equatable {
    enum Phase: UInt8, CaseIterable {
        case empty = 0
        case ongoing = 1
        case prepareCommit = 2
        case prepareAbort = 3
        case completeCommit = 4
        case completeAbort = 5

        /// The name that ListTransactions and DescribeTransactions show.
        var name: String {
            switch self {
            case .empty: "Empty"
            case .ongoing: "Ongoing"
            case .prepareCommit: "PrepareCommit"
            case .prepareAbort: "PrepareAbort"
            case .completeCommit: "CompleteCommit"
            case .completeAbort: "CompleteAbort"
            }
        }

        /// The decision whose markers are still to be written.
        var decided: TransactionOutcome? {
            switch self {
            case .prepareCommit: .commit
            case .prepareAbort: .abort
            case .empty, .ongoing, .completeCommit, .completeAbort: nil
            }
        }
    }

    let transactionalID: String
    var producer: ProducerIdentity
    /// The identity before the last InitProducerId: a retry of that request still names it.
    var formerProducer = ProducerIdentity.none
    var timeoutMilliseconds: Int32
    var phase = Phase.empty
    var partitions: Set<TopicPartition> = []
    var groups: Set<String> = []
    /// Wall clock; meaningful while the transaction is open.
    var startMilliseconds: Int64 = 0

    /// The epoch at which a producer id is used up: the next one must still fit.
    private static let lastEpoch = Int16.max - 1

    // MARK: - Transitions, each of which yields the state to store or says why not

    /// Whether `caller` may act in this transactional id's name.
    func validate(_ caller: ProducerIdentity) -> ErrorCode {
        if caller.id != producer.id { return .invalidProducerIDMapping }
        if caller.epoch != producer.epoch { return .producerFenced }
        return .none
    }

    /// A new incarnation of the producer begins; no transaction may be open.
    /// - Parameter freshProducerID: used when the epochs of the present id are used up.
    func initialized(
        by caller: ProducerIdentity, timeoutMilliseconds: Int32, freshProducerID: () throws(StorageError) -> Int64
    ) throws(StorageError) -> Result<TransactionState, ErrorCode> {
        var next = self
        next.timeoutMilliseconds = timeoutMilliseconds
        next.phase = .empty
        next.partitions = []
        next.groups = []
        if caller != .none && caller != producer {
            // A retry of the InitProducerId that led to the present identity is answered with it once more.
            guard caller == formerProducer else { return .failure(.producerFenced) }
            return .success(next)
        }
        next.formerProducer = caller
        if producer.epoch >= Self.lastEpoch {
            next.producer = ProducerIdentity(id: try freshProducerID(), epoch: 0)
        } else {
            next.producer.epoch += 1
        }
        return .success(next)
    }

    /// Raises the epoch, so that whoever holds the present one is fenced, and decides to abort.
    func fencedAndAborting() -> TransactionState {
        var next = self
        if next.producer.epoch < Int16.max { next.producer.epoch += 1 }
        next.formerProducer = .none
        next.phase = .prepareAbort
        return next
    }

    func adding(
        partitions added: [TopicPartition] = [], groups addedGroups: [String] = [], now: Int64
    ) -> Result<TransactionState, ErrorCode> {
        guard phase.decided == nil else { return .failure(.concurrentTransactions) }
        var next = self
        if phase != .ongoing {
            next.phase = .ongoing
            next.startMilliseconds = now
            next.partitions = []
            next.groups = []
        }
        next.partitions.formUnion(added)
        next.groups.formUnion(addedGroups)
        return .success(next)
    }

    /// What EndTxn asks for.
    enum Ending: Equatable {
        case decide(TransactionState)
        /// The same outcome was decided before: the answer was lost, and is repeated.
        case alreadyEnded
        case refuse(ErrorCode)
    }

    func ending(_ outcome: TransactionOutcome) -> Ending {
        switch (phase, outcome) {
        case (.ongoing, _):
            var next = self
            next.phase = outcome == .commit ? .prepareCommit : .prepareAbort
            return .decide(next)
        case (.completeCommit, .commit), (.completeAbort, .abort): return .alreadyEnded
        case (.prepareCommit, .commit), (.prepareAbort, .abort): return .refuse(.concurrentTransactions)
        default: return .refuse(.invalidTransactionState)
        }
    }

    /// All markers are written.
    func completed() -> TransactionState {
        var next = self
        next.phase = phase == .prepareCommit ? .completeCommit : .completeAbort
        next.partitions = []
        next.groups = []
        return next
    }
}
