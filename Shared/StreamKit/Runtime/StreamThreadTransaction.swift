/// The commit protocol: what `TransactionMachine` decides is done here.
extension StreamThread {
    /// Commits what was consumed since the last commit, with everything that it caused. Nothing open: nothing happens.
    func commit() throws(StreamFault) {
        guard output.isOpen || tasks.values.contains(where: \.hasPendingWrites) else { return }
        do throws(StreamFault) {
            do throws(BrokerFailure) { try openTransaction() } catch { throw .broker(error) }
            for task in tasks.values where task.isRunning { try task.beforeCommit() }
            // One that is being restored has written nothing, and does not know yet which of its bundles are alive.
            for task in tasks.values where task.isRunning { try task.writeChangelogs(to: output) }
        } catch {
            return try transactionFailed(error)
        }
        let began = clock.monotonicMilliseconds
        try drive(machine.commitRequested())
        let took = clock.monotonicMilliseconds - began
        status.update {
            $0.commitMillisecondsTotal += took
            $0.commitMillisecondsMax = max($0.commitMillisecondsMax, took)
        }
    }

    func openTransaction() throws(BrokerFailure) {
        try output.open()
        machine.opened()
    }

    /// Processing was broken off by a fault that is no record's own, or of which it is not known whose.
    func transactionFailed(_ fault: StreamFault) throws(StreamFault) {
        machine.opened()
        switch fault {
        case .broker(let failure):
            if let refused = producer.refusedSoFar().first { return try drive(isolate(refused)) }
            log.log(.warning, "transaction broken off", [("error", "\(failure)")])
            try drive(machine.failed(failure))
        case .refused(let refusal):
            try drive(isolate(refusal.message))
        case .outputRefused(let reason):
            try drive(isolate(reason))
        case .store:
            throw fault
        }
    }

    /// The output of a record that is known by now was refused: everything is done again, without that record.
    func outputRefused(_ reason: String) throws(StreamFault) {
        log.log(.warning, "output refused; the transaction is done again without its record", [("error", reason)])
        machine.opened()
        try drive(machine.abortRequested())
    }

    /// Gives up what is open without committing; what was consumed will be read again.
    func abortTransaction() throws(StreamFault) {
        guard output.isOpen || tasks.values.contains(where: \.hasPendingWrites) else { return }
        if output.isOpen { machine.opened() }
        try drive(machine.abortRequested())
    }

    private func drive(_ first: TransactionMachine.Action) throws(StreamFault) {
        var action = first
        while true {
            switch action {
            case .apply:
                return try apply()
            case .rewind:
                return try rewind()
            case .surrender:
                return try surrender()
            case .stop(let failure):
                throw .broker(failure)
            case .flush, .sendOffsets, .commit, .abort, .recreate, .settle:
                do throws(BrokerFailure) { action = try perform(action) } catch {
                    noteLife()
                    log.log(
                        .warning, "transaction step failed",
                        [("step", "\(machine.state)"), ("retries", "\(machine.retries)"), ("error", "\(error)")])
                    action = machine.failed(error)
                    if status.isStopRequested && (machine.state == .recreating || machine.state == .settling) {
                        throw .broker(
                            BrokerFailure(
                                .stop, operation: "settle the open transaction before stopping",
                                reason: "\(error.reason); the next start settles it"))
                    }
                    if machine.retries > 0 {
                        clock.pause(milliseconds: min(1000, 20 << Int64(min(machine.retries, 6))))
                    }
                }
            }
        }
    }

    /// Does what talks to the broker; returns what is next.
    private func perform(_ action: TransactionMachine.Action) throws(BrokerFailure) -> TransactionMachine.Action {
        switch action {
        case .flush:
            if let refused = try producer.flush().first { return isolate(refused) }
        case .sendOffsets: try producer.sendOffsets(offsetsToCommit(), of: consumer)
        case .commit: try producer.commit()
        case .abort: try producer.abort()
        case .recreate: try recreateProducer()
        case .settle: return machine.settled(try settlement())
        case .apply, .rewind, .surrender, .stop: break
        }
        return machine.succeeded()
    }

    /// A record is left out because its output was refused: named by its origin, and by its correlation if it has one.
    func tellOfCulprit(_ record: Record, of partition: TopicPartition, _ reason: String) {
        let headers = record.origin.headers.address == nil ? [] : consumer.headers(of: record.origin.headers)
        let correlation = headers.last { $0.name == CorrelationMode.header }?.value
        log.log(
            .warning, "output refused; its record becomes a dead letter",
            [
                ("kafka.topic", partition.topic), ("kafka.partition", "\(partition.partition)"),
                ("kafka.offset", "\(record.origin.offset)"),
                (
                    "correlation.id",
                    correlation.map { String(decoding: $0, as: UTF8.self) } ?? "\(partition)-\(record.origin.offset)"
                ),
                ("error", reason),
            ])
    }

    private func isolate(_ refused: RefusedRecord) -> TransactionMachine.Action {
        isolate("\(refused.topic) refused the output: \(refused.reason)")
    }

    /// An output was refused: the transaction is done again so that the record to blame is found. Where that is not possible
    /// (the output is a dead letter, or no record led to it), a person has to act.
    private func isolate(_ reason: String) -> TransactionMachine.Action {
        log.log(.warning, "output refused; the transaction is done again record by record", [("error", reason)])
        if isolation.refused(reason, consumed: ledger.pending) { return machine.abortRequested() }
        return machine.failed(BrokerFailure(.stop, operation: "write what has to be written", reason: reason))
    }

    private func offsetsToCommit() -> [TopicPartition: CommittedOffset] {
        var offsets: [TopicPartition: CommittedOffset] = [:]
        for (source, entry) in ledger.toCommit {
            guard let input = inputs[Int(source)] else { continue }
            let metadata = CommitMetadata(
                watermarkMilliseconds: input.time.watermark(input.timeIndex), transaction: output.transaction)
            offsets[input.partition] = CommittedOffset(offset: entry.next, metadata: metadata.text)
        }
        return offsets
    }

    private func recreateProducer() throws(BrokerFailure) {
        status.update { $0.producersRecreated += 1 }
        guard recreations.allowsAnother(now: clock.monotonicMilliseconds) else {
            throw BrokerFailure(
                .stop, operation: "keep a producer",
                reason: "\(recreations.limit) failed within a minute; does another process have the same INSTANCE_ID?")
        }
        producer.close()
        producer = try cluster.makeProducer(thread: number)
        try Self.initialize(producer, whenTriedAgain: noteLife)
        try output.replace(producer)
        log.log(.notice, "producer made anew", [("transactional.id", "thread \(number)")])
    }

    private func settlement() throws(BrokerFailure) -> OffsetLedger.Settlement {
        let committed = try consumer.committed(ledger.toCommit.compactMap { inputs[Int($0.source)]?.partition })
        let transaction = output.transaction
        return ledger.settlement { source in
            self.inputs[Int(source)].flatMap { committed[$0.partition] }.map {
                // Metadata that we cannot read is nobody's but another's.
                OffsetLedger.Committed(
                    offset: $0.offset,
                    isOfThisTransaction: (try? CommitMetadata($0.metadata))?.transaction == transaction)
            }
        }
    }

    private func apply() throws(StreamFault) {
        let wasOpen = output.isOpen
        output.closed()
        policy.closed()
        isolation.committed(ledger.pending)
        deadLetters.committed()
        counters.commit()
        let consumed = ledger.pending.compactMap { source, entry in
            inputs[Int(source)].flatMap { $0.isInternal ? ($0.partition, entry.next) : nil }
        }
        ledger.commit()
        do throws(StoreFailure) { for task in tasks.values { try task.committed() } } catch { throw .store(error) }
        if wasOpen { status.update { $0.transactionsCommitted += 1 } }
        for (partition, offset) in consumed { consumedInternal[partition] = offset }
        try purgeConsumed()
    }

    private func rewind() throws(StreamFault) {
        output.closed()
        policy.closed()
        ledger.rewind()
        deadLetters.aborted()
        counters.abort()
        do throws(StoreFailure) { for task in tasks.values { try task.aborted() } } catch { throw .store(error) }
        status.update { $0.transactionsAborted += 1 }
        // Of partitions with nothing pending, too: a batch that was broken off may have held records of theirs.
        if !isRevoking { try seekToLedger() }
    }

    /// Somebody else has committed offsets of these partitions: the group has gone on without us, and will say so with the
    /// next poll. Whether our last transaction was committed before that cannot be known, so the stores are not kept.
    private func surrender() throws(StreamFault) {
        log.log(.warning, "another member has taken over these partitions; their tasks end here", [])
        output.closed()
        policy.closed()
        deadLetters.aborted()
        counters.abort()
        for id in Array(tasks.keys) { closeTask(id, park: false) }
        status.update { $0.transactionsAborted += 1 }
    }
}
