/// The commit protocol: what `TransactionMachine` decides is done here.
extension StreamThread {
    /// Commits what was consumed since the last commit, with everything that it caused. Nothing open: nothing happens.
    func commit() throws(StreamFault) {
        guard output.isOpen else { return }
        do throws(StreamFault) {
            for task in tasks.values where task.isRunning { try task.beforeCommit() }
            for task in tasks.values { for store in task.stores { try store.writeChangelog(to: output) } }
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

    /// Processing was broken off by a fault that is no record's own.
    func transactionFailed(_ fault: StreamFault) throws(StreamFault) {
        guard case .broker(let failure) = fault else { throw fault }
        machine.opened()
        log.log(.warning, "transaction broken off", [("error", "\(failure)")])
        try drive(machine.failed(failure))
    }

    /// Gives up what is open without committing; what was consumed will be read again.
    func abortTransaction() throws(StreamFault) {
        if output.isOpen { try drive(machine.abortRequested()) }
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
                try rewind(seeking: false)
                throw .broker(
                    BrokerFailure(
                        .stop, operation: "go on",
                        reason: "another instance has committed offsets of this one's partitions; start this one again")
                )
            case .stop(let failure):
                throw .broker(failure)
            case .flush, .sendOffsets, .commit, .abort, .recreate, .settle:
                do throws(BrokerFailure) { action = try perform(action) } catch {
                    log.log(
                        .warning, "transaction step failed",
                        [("step", "\(machine.state)"), ("retries", "\(machine.retries)"), ("error", "\(error)")])
                    action = machine.failed(error)
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
            if let refused = try producer.flush().first {
                isolate(refused)
                return machine.abortRequested()
            }
        case .sendOffsets: try producer.sendOffsets(offsetsToCommit(), of: consumer)
        case .commit: try producer.commit()
        case .abort: try producer.abort()
        case .recreate: try recreateProducer()
        case .settle: return machine.settled(try settlement())
        case .apply, .rewind, .surrender, .stop: break
        }
        return machine.succeeded()
    }

    private func isolate(_ record: RefusedRecord) {
        log.log(
            .warning, "output refused; the transaction is done again record by record",
            [("topic", record.topic), ("error", record.reason)])
        isolation.refused(
            "\(record.topic) refused the output: \(record.reason)", consumed: ledger.pending)
    }

    private func offsetsToCommit() -> [TopicPartition: CommittedOffset] {
        var offsets: [TopicPartition: CommittedOffset] = [:]
        for (source, entry) in ledger.pending {
            guard let input = inputs[Int(source)] else { continue }
            offsets[input.partition] = CommittedOffset(
                offset: entry.next,
                metadata: CommitMetadata.text(watermarkMilliseconds: input.time.watermark(input.timeIndex)))
        }
        return offsets
    }

    private func recreateProducer() throws(BrokerFailure) {
        status.update { $0.producersRecreated += 1 }
        producer.close()
        producer = try cluster.makeProducer(thread: number)
        try Self.initialize(producer)
        try output.replace(producer)
        log.log(.notice, "producer made anew", [("transactional.id", "thread \(number)")])
    }

    private func settlement() throws(BrokerFailure) -> OffsetLedger.Settlement {
        let pending = ledger.pending
        let committed = try consumer.committed(pending.compactMap { inputs[Int($0.source)]?.partition })
        return ledger.settlement { source in
            self.inputs[Int(source)].flatMap { committed[$0.partition]?.offset }
        }
    }

    private func apply() throws(StreamFault) {
        let wasOpen = output.isOpen
        output.closed()
        policy.closed()
        isolation.committed(ledger.pending)
        let consumed = ledger.pending.compactMap { source, entry in
            inputs[Int(source)].flatMap { $0.isInternal ? ($0.partition, entry.next) : nil }
        }
        ledger.commit()
        do throws(StoreFailure) { for task in tasks.values { try task.committed() } } catch { throw .store(error) }
        if wasOpen { status.update { $0.transactionsCommitted += 1 } }
        for (partition, offset) in consumed { consumedInternal[partition] = offset }
        try purgeConsumed()
    }

    private func rewind(seeking: Bool = true) throws(StreamFault) {
        let pending = ledger.pending
        output.closed()
        policy.closed()
        ledger.rewind()
        do throws(StoreFailure) { for task in tasks.values { try task.aborted() } } catch { throw .store(error) }
        status.update { $0.transactionsAborted += 1 }
        if !seeking { return }
        do throws(BrokerFailure) {
            try consumer.seek(
                pending.compactMap { source, entry in inputs[Int(source)].map { ($0.partition, entry.start) } })
        } catch {
            throw .broker(error)
        }
    }
}
