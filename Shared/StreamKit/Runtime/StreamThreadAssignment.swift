/// What the group gives and takes: tasks begin and end here, and their stores are restored.
extension StreamThread {
    public func partitionsAssigned(_ partitions: [TopicPartition]) {
        status.update { $0.rebalances += 1 }
        do throws(StreamFault) {
            try assign(partitions)
            log.log(
                .info, "partitions assigned",
                [("partitions", partitions.sorted().map(\.description).joined(separator: " "))])
        } catch {
            pendingFault = error
            // The client must hear of an assignment even so, or it stands still.
            do throws(BrokerFailure) { try consumer.assign([]) } catch {
                log.log(.warning, "cannot give up the assignment", [("error", "\(error)")])
            }
        }
    }

    public func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
        if !isClosed {
            isRevoking = true
            defer { isRevoking = false }
            do throws(StreamFault) {
                // Whoever gets the partitions next waits for this commit; when they are lost, it must not be.
                if lost { try abortTransaction() } else { try commit() }
            } catch {
                pendingFault = error
            }
        }
        let gone = Set(partitions)
        for task in tasks.values where task.inputs.contains(where: { gone.contains($0.partition) }) {
            closeTask(task.id, park: !isClosed && pendingFault == nil)
        }
        log.log(
            lost ? .warning : .info, lost ? "partitions lost" : "partitions revoked",
            [("partitions", partitions.sorted().map(\.description).joined(separator: " "))])
    }

    private func assign(_ partitions: [TopicPartition]) throws(StreamFault) {
        for id in Array(tasks.keys) { closeTask(id, park: true) }
        do throws(BrokerFailure) {
            let committed = try patiently { () throws(BrokerFailure) in try consumer.committed(partitions) }
            var positions: [TopicPartition: Int64] = [:]
            var watermarks: [TopicPartition: Int64] = [:]
            for partition in partitions {
                positions[partition] = try startOffset(of: partition, committed: committed[partition])
                watermarks[partition] = try watermark(of: partition, committed: committed[partition])
            }
            var starts: [StartOffset] = []
            for subtopology in subtopologies {
                let mine = partitions.filter { subtopology.sourceTopics.contains($0.topic) }
                let upstream = mine.isEmpty ? [] : try upstream(of: subtopology)
                for number in Set(mine.map(\.partition)).sorted() {
                    let task = try make(subtopology, number, upstream, watermarks)
                    for input in task.inputs {
                        guard let position = positions[input.partition] else { continue }
                        add(input, position: position, committed: committed[input.partition]?.offset)
                        starts.append(StartOffset(input.partition, offset: position, paused: !task.stores.isEmpty))
                    }
                }
            }
            try patiently { () throws(BrokerFailure) in try consumer.assign(starts) }
            for task in tasks.values where !task.stores.isEmpty {
                restorations.append(try patiently { () throws(BrokerFailure) in try restoration(of: task) })
            }
        } catch {
            throw .broker(error)
        }
        for task in tasks.values where task.stores.isEmpty { try task.start() }
    }

    private func make(
        _ subtopology: Subtopology, _ partition: Int32, _ upstream: [TopicPartition],
        _ watermarks: [TopicPartition: Int64]
    ) throws(BrokerFailure) -> StreamTask {
        let factory = TaskFactory(
            plan: plan, clock: clock, consumer: consumer, output: output, counters: counters, backends: backends)
        do throws(StreamFault) {
            let task = try factory.make(
                subtopology, partition: partition, upstream: upstream, watermarks: watermarks, parked: &parked)
            tasks[task.id] = task
            return task
        } catch {
            throw error.stopping("make task \(subtopology.index)_\(partition)")
        }
    }

    /// The partitions that feed a part's repartition topics: whoever closes windows waits to hear of each of them, so that
    /// none may be overlooked because the broker has not told of a topic yet.
    private func upstream(of subtopology: Subtopology) throws(BrokerFailure) -> [TopicPartition] {
        var upstream: [TopicPartition] = []
        for node in subtopology.nodes {
            guard case .repartitionSource(let topic) = plan.topology.nodes[node].kind else { continue }
            for topic in plan.topology.feedingTopics(of: topic, subtopologies) {
                let count = try patiently { () throws(BrokerFailure) in
                    if let count = try consumer.partitionCount(of: topic) { return count }
                    throw BrokerFailure(.retry, operation: "see \(topic)", reason: "the topic does not exist (yet)")
                }
                upstream += (0..<count).map { TopicPartition(topic, $0) }
            }
        }
        return upstream
    }

    private func restoration(of task: StreamTask) throws(BrokerFailure) -> Restoration {
        let reader = try cluster.makeReader(follows: false)
        do throws(StreamFault) {
            return try Restoration(task, reader: reader)
        } catch {
            reader.close()
            throw error.stopping("restore task \(task.id)")
        }
    }

    private func add(_ input: SourceInput, position: Int64, committed: Int64?) {
        let index = Int(input.source)
        while inputs.count <= index { inputs.append(nil) }
        inputs[index] = input
        ledger.assign(input.source, position: position, committed: committed)
    }

    /// Where to begin: the committed offset, or the earliest record for a group that comes for the first time.
    private func startOffset(
        of partition: TopicPartition, committed: CommittedOffset?
    ) throws(BrokerFailure) -> Int64 {
        let bounds = try patiently { () throws(BrokerFailure) in try consumer.bounds(of: partition, stable: false) }
        guard let committed else { return bounds.first }
        if committed.offset >= bounds.first && committed.offset <= bounds.end { return committed.offset }
        // Of a repartition topic it is we who delete what was consumed, up to the committed offset and never beyond.
        return try lost(partition, committed.offset, bounds)
    }

    private func lost(
        _ partition: TopicPartition, _ offset: Int64, _ bounds: OffsetBounds
    ) throws(BrokerFailure) -> Int64 {
        switch plan.onLostOffsets {
        case .stop:
            throw BrokerFailure(
                .stop, operation: "read \(partition) from offset \(offset)",
                reason:
                    "the topic holds \(bounds.first) to \(bounds.end); records may have been deleted before they were "
                    + "processed. Set on_lost_offsets: earliest to go on with what there is, or reset the application")
        case .earliest:
            log.log(
                .error, "offsets lost; going on with the earliest record",
                [
                    ("kafka.topic", partition.topic), ("kafka.partition", "\(partition.partition)"),
                    ("kafka.offset", "\(offset)"), ("earliest", "\(bounds.first)"),
                ])
            return bounds.first
        }
    }

    private func watermark(
        of partition: TopicPartition, committed: CommittedOffset?
    ) throws(BrokerFailure) -> Int64 {
        do { return try CommitMetadata(committed?.metadata ?? "").watermarkMilliseconds } catch {
            throw BrokerFailure(
                .stop, operation: "go on from the committed offset of \(partition)",
                reason: "its metadata \"\(committed?.metadata ?? "")\" is of a newer version or not ours")
        }
    }

    /// Positions turned out not to exist while reading. What was processed up to there is committed first.
    func positionsLost(_ partitions: [TopicPartition]) throws(StreamFault) {
        try commit()
        do throws(BrokerFailure) {
            for partition in partitions {
                let source = consumer.index(of: partition)
                guard let entry = ledger[source] else { continue }
                let bounds = try patiently { () throws(BrokerFailure) in
                    try consumer.bounds(of: partition, stable: false)
                }
                // The commit may have failed, and what is to be read again may still be there.
                if (bounds.first...max(bounds.first, bounds.end)).contains(entry.next) { continue }
                let start = try lost(partition, entry.next, bounds)
                ledger.assign(source, position: start, committed: entry.committed)
            }
        } catch {
            throw .broker(error)
        }
        try seekToLedger()
    }

    /// Reading goes on where processing stands.
    func seekToLedger() throws(StreamFault) {
        let positions = ledger.assigned.compactMap { source, entry in
            inputs[Int(source)].map { ($0.partition, entry.next) }
        }
        if positions.isEmpty { return }
        do throws(BrokerFailure) {
            try patiently { () throws(BrokerFailure) in try consumer.seek(positions) }
        } catch {
            throw .broker(error)
        }
    }

    /// Reads on in the changelogs, a batch of each, so that all are fetched at once; a task whose stores are complete begins.
    func restoreStep() throws(StreamFault) {
        // Shortly at first, because what comes next may be another's; then as long as a poll waits elsewhere.
        var wait: Int32 = quietRestoreSteps == 0 ? 0 : quietRestoreSteps < 10 ? 10 : 100
        quietRestoreSteps = min(quietRestoreSteps + 1, 10)
        for restoration in restorations {
            let before = restoration.remainingCount
            do throws(StreamFault) {
                if try restoration.step(timeoutMilliseconds: wait) {
                    quietRestoreSteps = 0
                    try restored(restoration)
                } else if restoration.remainingCount != before {
                    quietRestoreSteps = 0
                } else {
                    try watch(restoration)
                }
            } catch {
                guard case .broker(let failure) = error, failure.response == .retry else { throw error }
                return tryAgainLater(failure)
            }
            wait = 0
        }
        try resumeRestored()
    }

    /// Begins to read what was restored: together with what is restored a moment later. A request that asks for a single partition
    /// with nothing to read is held by the broker for half a second, and the others would wait for its answer.
    private func resumeRestored() throws(StreamFault) {
        guard let since = restoredSince,
            restorations.isEmpty || clock.monotonicMilliseconds - since >= Self.resumeTogetherMilliseconds
        else { return }
        let partitions = restoredPartitions
        do throws(BrokerFailure) {
            // Those that were revoked meanwhile are not among them.
            if !partitions.isEmpty { try patiently { () throws(BrokerFailure) in try consumer.resume(partitions) } }
        } catch {
            if error.response == .retry { return tryAgainLater(error) }
            throw .broker(error)
        }
        restoredPartitions = []
        restoredSince = nil
    }

    private static let resumeTogetherMilliseconds: Int64 = 100

    private func restored(_ restoration: Restoration) throws(StreamFault) {
        restorations.removeAll { $0 === restoration }
        restoration.close()
        for changelog in restoration.replaced {
            log.log(
                .warning,
                "a changelog was deleted or made anew; its store was set aside and rebuilt from what there is",
                [("kafka.topic", changelog.topic), ("kafka.partition", "\(changelog.partition)")])
        }
        guard let task = tasks[restoration.task] else { return }
        try task.start()
        restoredPartitions += task.inputs.filter { ledger[$0.source] != nil }.map(\.partition)
        if restoredSince == nil { restoredSince = clock.monotonicMilliseconds }
        log.log(.info, "task restored", [("task", "\(task.id)")])
    }

    /// A restoration that stands still is begun anew with another reader. If that does not help, a transaction hangs in the
    /// changelog, which only an administrator can end.
    private func watch(_ restoration: Restoration) throws(StreamFault) {
        let now = clock.monotonicMilliseconds
        if restoration.progress.remaining != restoration.remainingCount {
            restoration.progress = (restoration.remainingCount, now)
            return
        }
        guard now - restoration.progress.since >= 15_000, let task = tasks[restoration.task] else { return }
        log.log(
            .warning,
            "restoring makes no progress; reading anew. If this repeats, look for a hanging transaction in the changelog",
            [
                ("task", "\(restoration.task)"), ("remaining", "\(restoration.remainingCount)"),
                ("changelogs", task.stores.map(\.changelog.description).joined(separator: " ")),
            ])
        let anew: Restoration
        // Where that fails the old one stays, and the next turn tries again.
        do throws(BrokerFailure) { anew = try self.restoration(of: task) } catch { throw .broker(error) }
        for index in restorations.indices where restorations[index] === restoration { restorations[index] = anew }
        restoration.close()
    }

    func closeTask(_ id: TaskID, park: Bool) {
        guard let task = tasks.removeValue(forKey: id) else { return }
        for index in restorations.indices.reversed() where restorations[index].task == id {
            restorations[index].close()
            restorations.remove(at: index)
        }
        for input in task.inputs {
            restoredPartitions.removeAll { $0 == input.partition }
            ledger.revoke(input.source)
            isolation.revoked(input.source)
            consumedInternal[input.partition] = nil
            if inputs.indices.contains(Int(input.source)) { inputs[Int(input.source)] = nil }
        }
        for store in task.stores {
            // What is half restored, or holds writes that no transaction settled, is not kept.
            if park && task.isRunning && store.backend.pendingCount == 0 {
                parked.park(store, now: clock.monotonicMilliseconds)
            } else {
                store.backend.close()
            }
        }
    }

    /// Deletes what was consumed of repartition topics, now and then: it serves nobody any more.
    func purgeConsumed() throws(StreamFault) {
        let now = clock.monotonicMilliseconds
        if consumedInternal.isEmpty || now - lastPurge < 30_000 { return }
        lastPurge = now
        do throws(BrokerFailure) { try cluster.deleteRecords(before: consumedInternal) } catch {
            log.log(.warning, "consumed records not deleted", [("error", "\(error)")])
        }
        consumedInternal = [:]
    }
}

extension StreamFault {
    func stopping(_ operation: String) -> BrokerFailure {
        switch self {
        case .broker(let failure): failure
        case .store, .refused, .outputRefused: BrokerFailure(.stop, operation: operation, reason: text)
        }
    }
}
