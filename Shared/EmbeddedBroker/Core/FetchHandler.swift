/// A fetch that waits for records.
struct WaitingFetch {
    let reply: ReplyHandle
    let request: FetchRequest
    let partitions: [Partition]
}

/// Fetch: answered at once if there is enough to read, else when there is or when the client's patience ends.
extension BrokerCore {
    /// What one answer holds at most, whatever the client asks for (fetch.max.bytes of Kafka's brokers).
    private static let maximumFetchBytes = 57_671_680

    func handleFetch(_ request: FetchRequest, _ context: RequestContext) {
        let (response, isFinal) = read(request)
        let wait = Int64(request.maximumWaitMilliseconds)
        if isFinal || wait <= 0 || request.topics.isEmpty { return answer(context.reply, response) }
        let number = nextFetchNumber
        nextFetchNumber += 1
        let partitions = request.topics.flatMap { topic in
            let name = name(of: topic)
            return topic.partitions.compactMap { asked in name.flatMap { state.partition($0, asked.index) } }
        }
        for partition in partitions { partition.waitingFetches.append(number) }
        connections[context.reply.connection]?.waitingFetch = number
        fetches[number] = WaitingFetch(reply: context.reply, request: request, partitions: partitions)
        timers.schedule(.fetch(number), at: now.steadyMilliseconds + wait)
    }

    /// What there is to read now, and whether it must be answered without waiting: enough bytes, or an error.
    private func read(_ request: FetchRequest) -> (FetchResponse, isFinal: Bool) {
        var remaining = min(max(0, Int(request.maximumBytes)), Self.maximumFetchBytes)
        var byteCount = 0
        var hasError = false
        let topics = request.topics.map { topic in
            let name = name(of: topic)
            return topic.map { asked in
                let result = read(
                    asked, topicName: name, readsCommitted: request.readsCommitted,
                    maximumBytes: min(remaining, max(0, Int(asked.maximumBytes))), minimumOneBatch: byteCount == 0)
                byteCount += result.byteCount
                remaining = max(0, remaining - result.byteCount)
                if result.error != .none { hasError = true }
                return result
            }
        }
        return (FetchResponse(topics: topics), hasError || byteCount >= max(0, Int(request.minimumBytes)))
    }

    /// Nil for an id that no topic has.
    private func name(of topic: ByTopic<FetchRequest.Partition>) -> String? {
        topic.id == .zero ? topic.name : state.topicNames[topic.id]
    }

    private func read(
        _ asked: FetchRequest.Partition, topicName: String?, readsCommitted: Bool, maximumBytes: Int,
        minimumOneBatch: Bool
    ) -> FetchResponse.Partition {
        var result = FetchResponse.Partition(index: asked.index)
        guard let topicName else {
            result.error = .unknownTopicID
            return result
        }
        guard let partition = state.partition(topicName, asked.index) else {
            result.error = .unknownTopicOrPartition
            return result
        }
        guard asked.leaderEpoch <= 0 else {
            result.error = .unknownLeaderEpoch
            return result
        }
        let log = partition.log
        guard (log.startOffset...log.endOffset).contains(asked.offset) else {
            result.error = .offsetOutOfRange
            return result
        }
        result.highWatermark = log.endOffset
        result.lastStableOffset = log.lastStableOffset
        result.logStartOffset = log.startOffset
        do throws(StorageError) {
            let read = try log.read(
                from: asked.offset, below: readsCommitted ? log.lastStableOffset : log.endOffset,
                maximumBytes: maximumBytes, minimumOneBatch: minimumOneBatch)
            result.records = read.slices
            if readsCommitted {
                result.abortedTransactions = log.producers.aborted(from: asked.offset, to: read.endOffset)
            }
        } catch {
            result.error = .storageError
        }
        return result
    }

    // MARK: - Waiting

    /// Something in the partition changed: after the present request its waiting fetches look again.
    func wakeFetches(of partition: Partition) {
        if !partition.waitingFetches.isEmpty { awakenedFetches += partition.waitingFetches }
    }

    func answerAwakenedFetches() {
        guard !awakenedFetches.isEmpty else { return }
        let numbers = Set(awakenedFetches).sorted()
        awakenedFetches = []
        for number in numbers {
            guard let fetch = fetches[number] else { continue }
            let (response, isFinal) = read(fetch.request)
            guard isFinal else { continue }
            forgetFetch(number)
            answer(fetch.reply, response)
        }
    }

    func expireFetch(_ number: UInt64) {
        guard let fetch = fetches[number] else { return }
        forgetFetch(number)
        answer(fetch.reply, read(fetch.request).0)
    }

    func forgetFetch(_ number: UInt64) {
        guard let fetch = fetches.removeValue(forKey: number) else { return }
        connections[fetch.reply.connection]?.waitingFetch = nil
        for partition in fetch.partitions { partition.waitingFetches.removeAll { $0 == number } }
    }
}
