/// Transactions begun, extended and ended (the protocol before KIP-890).
extension BrokerCore {
    // MARK: - Producer ids

    /// Ids are reserved a thousand at a time, so that one entry in the journal serves many producers.
    private static let producerIDsReservedAtOnce: Int64 = 1_000

    private func newProducerID() throws(StorageError) -> Int64 {
        if nextProducerID >= state.reservedProducerIDs {
            try commit(.producerIDsReserved(limit: nextProducerID + Self.producerIDsReservedAtOnce))
        }
        defer { nextProducerID += 1 }
        return nextProducerID
    }

    func handleInitProducerID(_ request: InitProducerIDRequest, _ context: RequestContext) -> InitProducerIDResponse {
        do throws(StorageError) {
            guard let transactionalID = request.transactionalID else {
                return InitProducerIDResponse(producer: ProducerIdentity(id: try newProducerID(), epoch: 0))
            }
            switch try initialize(transactionalID, request) {
            case .success(let producer): return InitProducerIDResponse(producer: producer)
            case .failure(let error): return InitProducerIDResponse(error: fenced(error, context, since: 4))
            }
        } catch {
            return InitProducerIDResponse(error: .storageError)
        }
    }

    private func initialize(
        _ transactionalID: String, _ request: InitProducerIDRequest
    ) throws(StorageError) -> Result<ProducerIdentity, ErrorCode> {
        guard !transactionalID.isEmpty else { return .failure(.invalidRequest) }
        let timeouts = 1...configuration.maximumTransactionTimeoutMilliseconds
        guard timeouts.contains(request.timeoutMilliseconds) else { return .failure(.invalidTransactionTimeout) }
        guard var transaction = state.transactions[transactionalID] else {
            let producer = ProducerIdentity(id: try newProducerID(), epoch: 0)
            try commit(
                .transactionChanged(
                    TransactionState(
                        transactionalID: transactionalID, producer: producer,
                        timeoutMilliseconds: request.timeoutMilliseconds)))
            return .success(producer)
        }
        if transaction.phase.decided != nil { return .failure(.concurrentTransactions) }
        if transaction.phase == .ongoing {
            if request.current != .none && request.current != transaction.producer { return .failure(.producerFenced) }
            // Whoever holds the open transaction is fenced by one epoch; the new incarnation gets the next.
            let isSameProducer = request.current == transaction.producer
            try decide(transaction.fencedAndAborting())
            guard let aborted = state.transactions[transactionalID], aborted.phase.decided == nil else {
                return .failure(.concurrentTransactions)
            }
            transaction = aborted
            let caller = isSameProducer ? transaction.producer : ProducerIdentity.none
            return try reinitialize(transaction, caller, request)
        }
        return try reinitialize(transaction, request.current, request)
    }

    private func reinitialize(
        _ transaction: TransactionState, _ caller: ProducerIdentity, _ request: InitProducerIDRequest
    ) throws(StorageError) -> Result<ProducerIdentity, ErrorCode> {
        let next = try transaction.initialized(
            by: caller, timeoutMilliseconds: request.timeoutMilliseconds
        ) { () throws(StorageError) in try newProducerID() }
        switch next {
        case .failure(let error): return .failure(error)
        case .success(let transaction):
            try commit(.transactionChanged(transaction))
            return .success(transaction.producer)
        }
    }

    /// Older versions of a request know no other word for a fenced producer than an invalid epoch (KIP-588).
    private func fenced(_ error: ErrorCode, _ context: RequestContext, since version: Int16) -> ErrorCode {
        error == .producerFenced && context.version < version ? .invalidProducerEpoch : error
    }

    // MARK: - Membership of a transaction

    private func change(
        _ transactionalID: String, _ producer: ProducerIdentity, partitions: [TopicPartition] = [],
        groups: [String] = []
    ) -> ErrorCode {
        guard let transaction = state.transactions[transactionalID] else { return .invalidProducerIDMapping }
        let error = transaction.validate(producer)
        if error != .none { return error }
        switch transaction.adding(partitions: partitions, groups: groups, now: now.wallMilliseconds) {
        case .failure(let error): return error
        case .success(let next):
            guard next != transaction else { return .none }
            do throws(StorageError) {
                try commit(.transactionChanged(next))
            } catch {
                return .storageError
            }
            if transaction.phase != .ongoing { scheduleExpiry(of: next) }
            return .none
        }
    }

    func handleAddPartitionsToTransaction(
        _ request: AddPartitionsToTransactionRequest, _ context: RequestContext
    ) -> AddPartitionsToTransactionResponse {
        let isUnknown = request.topics.contains { topic in
            topic.partitions.contains { state.partition(topic.name, $0) == nil }
        }
        var error = ErrorCode.operationNotAttempted
        if !isUnknown {
            let partitions = request.topics.flatMap { topic in
                topic.partitions.map { TopicPartition(topic: topic.name, partition: $0) }
            }
            error = change(request.transactionalID, request.producer, partitions: partitions)
        }
        return AddPartitionsToTransactionResponse(
            topics: request.topics.map { topic in
                topic.map { index in
                    let isKnown = state.partition(topic.name, index) != nil
                    return PartitionError(
                        partition: index, error: isKnown ? fenced(error, context, since: 2) : .unknownTopicOrPartition)
                }
            })
    }

    func handleAddOffsetsToTransaction(
        _ request: AddOffsetsToTransactionRequest, _ context: RequestContext
    ) -> ErrorResponse {
        let error =
            request.groupID.isEmpty
            ? .invalidGroupID : change(request.transactionalID, request.producer, groups: [request.groupID])
        return ErrorResponse(error: fenced(error, context, since: 2))
    }

    private func openTransaction(
        of producer: ProducerIdentity, transactionalID: String
    ) -> Result<TransactionState, ErrorCode> {
        guard let transaction = state.transactions[transactionalID], transaction.producer.id == producer.id else {
            return .failure(.invalidProducerIDMapping)
        }
        if producer.epoch != transaction.producer.epoch { return .failure(.invalidProducerEpoch) }
        if transaction.phase != .ongoing { return .failure(.invalidTransactionState) }
        return .success(transaction)
    }

    /// Whether a transactional batch may be stored: without this check a late one would open a transaction nobody ends.
    func verifyTransaction(
        of producer: ProducerIdentity, transactionalID: String, includes partition: TopicPartition
    ) -> ErrorCode {
        switch openTransaction(of: producer, transactionalID: transactionalID) {
        case .failure(let error): error
        case .success(let transaction):
            transaction.partitions.contains(partition) ? .none : .invalidTransactionState
        }
    }

    func verifyTransaction(
        of producer: ProducerIdentity, transactionalID: String, includesGroup group: String
    ) -> ErrorCode {
        switch openTransaction(of: producer, transactionalID: transactionalID) {
        case .failure(let error): error
        case .success(let transaction): transaction.groups.contains(group) ? .none : .invalidTransactionState
        }
    }

    // MARK: - The end

    func handleEndTransaction(_ request: EndTransactionRequest, _ context: RequestContext) -> ErrorResponse {
        guard let transaction = state.transactions[request.transactionalID] else {
            return ErrorResponse(error: .invalidProducerIDMapping)
        }
        var error = transaction.validate(request.producer)
        if error == .none {
            switch transaction.ending(request.outcome) {
            case .alreadyEnded: break
            case .refuse(let refusal): error = refusal
            case .decide(let next):
                do throws(StorageError) {
                    try decide(next)
                } catch _ {
                    error = .storageError
                }
            }
        }
        return ErrorResponse(error: fenced(error, context, since: 2))
    }

    /// Stores a decision, which nothing can change from then on, and carries it out.
    /// - Throws: only if the decision itself could not be stored.
    private func decide(_ transaction: TransactionState) throws(StorageError) {
        try commit(.transactionChanged(transaction))
        // The decision must not be overtaken by its markers.
        try storage.synchronize()
        carryOut(transaction)
    }

    /// Writes the markers and resolves the offsets of a decided transaction. What fails is tried again later.
    private func carryOut(_ transaction: TransactionState) {
        guard let outcome = transaction.phase.decided else { return }
        do throws(StorageError) {
            for name in transaction.partitions.sorted() {
                guard let topic = state.topics[name.topic], let partition = topic.partition(name.partition) else {
                    continue
                }
                try writeMarker(outcome, transaction.producer, topic, partition, coordinatorEpoch: 0)
            }
            // Nor must the markers be overtaken by the word that they are written.
            try storage.synchronize()
            for group in transaction.groups.sorted() {
                try commit(.offsetsResolved(group: group, producerID: transaction.producer.id, outcome))
            }
            try commit(.transactionChanged(transaction.completed()))
        } catch {
            timers.schedule(.transaction(transaction.transactionalID), at: now.steadyMilliseconds + 1_000)
        }
    }

    private func writeMarker(
        _ outcome: TransactionOutcome, _ producer: ProducerIdentity, _ topic: Topic, _ partition: Partition,
        coordinatorEpoch: Int32
    ) throws(StorageError) {
        try partition.log.appendMarker(
            outcome, producer: producer, coordinatorEpoch: coordinatorEpoch, time: now.wallMilliseconds,
            maximumSegmentBytes: topic.configuration.segmentBytes)
        wakeFetches(of: partition)
    }

    // MARK: - Time and restarts

    private func scheduleExpiry(of transaction: TransactionState) {
        let elapsed = max(0, now.wallMilliseconds - transaction.startMilliseconds)
        let rest = max(0, Int64(transaction.timeoutMilliseconds) - elapsed)
        timers.schedule(.transaction(transaction.transactionalID), at: now.steadyMilliseconds + rest)
    }

    /// Aborts a transaction that has been open too long, and fences its producer; completes one whose markers could not be
    /// written before.
    func expireTransaction(_ id: String) {
        guard let transaction = state.transactions[id] else { return }
        if transaction.phase.decided != nil { return carryOut(transaction) }
        guard transaction.phase == .ongoing else { return }
        let end = transaction.startMilliseconds + Int64(transaction.timeoutMilliseconds)
        guard now.wallMilliseconds >= end else { return scheduleExpiry(of: transaction) }
        do throws(StorageError) {
            try decide(transaction.fencedAndAborting())
        } catch {
            timers.schedule(.transaction(id), at: now.steadyMilliseconds + 1_000)
        }
    }

    /// After a restart: decided transactions are completed, open ones go on with the time they have left.
    func resumeTransactions() throws(StorageError) {
        for transaction in state.transactions.values.sorted(by: { $0.transactionalID < $1.transactionalID }) {
            if transaction.phase.decided != nil {
                var unfinished = transaction
                // Markers that were written before the restart are not written twice.
                unfinished.partitions = transaction.partitions.filter { name in
                    state.partition(name.topic, name.partition)?.log.producers
                        .hasOpenTransaction(transaction.producer.id) ?? false
                }
                carryOut(unfinished)
            } else if transaction.phase == .ongoing {
                scheduleExpiry(of: transaction)
            }
        }
    }

    // MARK: - Administration

    func handleWriteTransactionMarkers(
        _ request: WriteTransactionMarkersRequest, _ context: RequestContext
    ) -> WriteTransactionMarkersResponse {
        WriteTransactionMarkersResponse(
            markers: request.markers.map { marker in
                let topics = marker.topics.map { asked in
                    asked.map { index in
                        PartitionError(partition: index, error: writeRequested(marker, asked.name, index))
                    }
                }
                return (marker.producer.id, topics)
            })
    }

    private func writeRequested(
        _ marker: WriteTransactionMarkersRequest.Marker, _ topicName: String, _ index: Int32
    ) -> ErrorCode {
        guard let topic = state.topics[topicName], let partition = topic.partition(index) else {
            return .unknownTopicOrPartition
        }
        if let known = partition.log.producers.producers[marker.producer.id], known.epoch > marker.producer.epoch {
            return .invalidProducerEpoch
        }
        do throws(StorageError) {
            try writeMarker(
                marker.outcome, marker.producer, topic, partition, coordinatorEpoch: marker.coordinatorEpoch)
            return .none
        } catch {
            return .storageError
        }
    }

    func handleDescribeProducers(
        _ request: DescribeProducersRequest, _ context: RequestContext
    ) -> DescribeProducersResponse {
        DescribeProducersResponse(
            topics: request.topics.map { topic in
                topic.map { index in
                    guard let log = state.partition(topic.name, index)?.log else {
                        return DescribeProducersResponse.Partition(index: index, error: .unknownTopicOrPartition)
                    }
                    return DescribeProducersResponse.Partition(
                        index: index,
                        producers: log.producers.producers.sorted { $0.key < $1.key }.map { id, producer in
                            DescribeProducersResponse.Producer(
                                identity: ProducerIdentity(id: id, epoch: producer.epoch),
                                lastSequence: producer.batches.last?.lastSequence ?? -1,
                                lastTimestamp: producer.lastWriteMilliseconds,
                                coordinatorEpoch: producer.coordinatorEpoch,
                                transactionStartOffset: producer.openTransactionFirstOffset ?? -1)
                        })
                }
            })
    }

    func handleDescribeTransactions(
        _ request: DescribeTransactionsRequest, _ context: RequestContext
    ) -> DescribeTransactionsResponse {
        DescribeTransactionsResponse(
            transactions: request.transactionalIDs.map { id in
                guard let transaction = state.transactions[id] else {
                    return DescribeTransactionsResponse.Description(
                        error: .transactionalIDNotFound, transactionalID: id)
                }
                let isOpen = transaction.phase == .ongoing || transaction.phase.decided != nil
                return DescribeTransactionsResponse.Description(
                    transactionalID: id, state: transaction.phase.name,
                    timeoutMilliseconds: transaction.timeoutMilliseconds,
                    startTimeMilliseconds: isOpen ? transaction.startMilliseconds : -1, producer: transaction.producer,
                    topics: transaction.partitions.byTopic())
            })
    }

    func handleListTransactions(
        _ request: ListTransactionsRequest, _ context: RequestContext
    ) -> ListTransactionsResponse {
        let known = Set(TransactionState.Phase.allCases.map(\.name))
        let wanted = request.states.filter { known.contains($0) }
        let listed = state.transactions.values.sorted { $0.transactionalID < $1.transactionalID }.filter {
            transaction in
            let age = transaction.phase == .ongoing ? now.wallMilliseconds - transaction.startMilliseconds : -1
            return (request.states.isEmpty || wanted.contains(transaction.phase.name))
                && (request.producerIDs.isEmpty || request.producerIDs.contains(transaction.producer.id))
                && (request.minimumDurationMilliseconds < 0 || age > request.minimumDurationMilliseconds)
        }
        return ListTransactionsResponse(
            unknownStates: request.states.filter { !known.contains($0) },
            transactions: listed.map { ($0.transactionalID, $0.producer.id, $0.phase.name) })
    }
}
