/// Produce: batches are checked, compressed ones without being opened, and stored as they came.
extension BrokerCore {
    private struct Refusal: Error {
        let code: ErrorCode
        let message: String?

        init(_ code: ErrorCode, _ message: String? = nil) {
            self.code = code
            self.message = message
        }
    }

    func handleProduce(_ request: ProduceRequest, _ context: RequestContext) {
        let topics = request.topics.map { topic in
            topic.map { partition in produce(partition, topicName: topic.name, request) }
        }
        // acks=0: the client waits for no answer and would take one for that of its next request.
        if request.acknowledgements == 0 {
            finishWithoutAnswer(context.reply)
        } else {
            answer(context.reply, ProduceResponse(topics: topics))
        }
    }

    private func produce(
        _ partition: ProduceRequest.Partition, topicName: String, _ request: ProduceRequest
    ) -> ProduceResponse.Partition {
        var result = ProduceResponse.Partition(index: partition.index)
        do throws(Refusal) {
            guard (-1...1).contains(request.acknowledgements) else { throw Refusal(.invalidRequiredAcks) }
            guard let topic = state.topics[topicName], let target = topic.partition(partition.index) else {
                throw Refusal(.unknownTopicOrPartition)
            }
            let batch = partition.records ?? UnsafeRawBufferPointer(start: nil, count: 0)
            let header = try check(batch, topic)
            result.baseOffset = try store(batch, header, topic, target, partition.index, request.transactionalID)
            result.logStartOffset = target.log.startOffset
            if topic.configuration.usesAppendTime { result.appendTimeMilliseconds = now.wallMilliseconds }
        } catch {
            result.error = error.code
            result.message = error.message
        }
        return result
    }

    /// Whether `batch` is one whole, intact batch that a producer may send.
    private func check(_ batch: UnsafeRawBufferPointer, _ topic: Topic) throws(Refusal) -> RecordBatchHeader {
        guard let header = RecordBatchHeader(batch) else {
            throw Refusal(.invalidRecord, "The record batch is shorter than its header.")
        }
        guard header.magic == 2 else { throw Refusal(.invalidRecord, "Only record batches of magic 2 are accepted.") }
        guard header.byteCount <= batch.count else {
            throw Refusal(.invalidRecord, "The record batch is cut short.")
        }
        guard header.byteCount == batch.count else {
            throw Refusal(.invalidRecord, "A request must hold exactly one record batch for each partition.")
        }
        guard header.byteCount <= topic.configuration.maximumMessageBytes else {
            throw Refusal(.messageTooLarge, "The record batch exceeds max.message.bytes of the topic.")
        }
        guard header.isIntact(batch) else { throw Refusal(.corruptMessage, "The record batch's checksum is wrong.") }
        guard header.recordCount > 0, header.lastOffsetDelta == header.recordCount - 1, !header.isControl else {
            throw Refusal(
                .invalidRecord, "The record batch's count and offsets do not agree, or it is a control batch.")
        }
        if header.producer.id >= 0 {
            guard header.producer.epoch >= 0, header.baseSequence >= 0 else {
                throw Refusal(.invalidRecord, "A producer id needs an epoch and a sequence.")
            }
        } else if header.isTransactional {
            throw Refusal(.invalidRecord, "A transactional record batch needs a producer id.")
        }
        try checkTimestamps(header, topic.configuration)
        if !header.isCompressed { try checkRecords(batch, header, needKeys: topic.configuration.isCompacted) }
        return header
    }

    private func checkTimestamps(_ header: RecordBatchHeader, _ configuration: TopicConfiguration) throws(Refusal) {
        guard !configuration.usesAppendTime, header.maximumTimestamp >= 0 else { return }
        let (latest, overflow) = now.wallMilliseconds.addingReportingOverflow(
            configuration.timestampAfterMaximumMilliseconds)
        if !overflow && header.maximumTimestamp > latest {
            throw Refusal(
                .invalidTimestamp, "A timestamp lies further ahead than message.timestamp.after.max.ms allows.")
        }
        let (age, ageOverflow) = now.wallMilliseconds.subtractingReportingOverflow(header.baseTimestamp)
        if !ageOverflow && age > configuration.timestampBeforeMaximumMilliseconds {
            throw Refusal(.invalidTimestamp, "A timestamp is older than message.timestamp.before.max.ms allows.")
        }
    }

    /// Records that no client could read would stop every consumer of the partition.
    private func checkRecords(
        _ batch: UnsafeRawBufferPointer, _ header: RecordBatchHeader, needKeys: Bool
    ) throws(Refusal) {
        var records = RecordIterator(batch)
        var count: Int32 = 0
        while let record = records.next() {
            // Stricter than Apache Kafka, which takes such a batch: its consumers then miss records or see them twice.
            guard record.offsetDelta == count else {
                throw Refusal(.invalidRecord, "The records' offsets do not count from 0.")
            }
            guard record.key != nil || !needKeys else {
                throw Refusal(.invalidRecord, "Records of a compacted topic need a key.")
            }
            count += 1
        }
        guard count == header.recordCount, records.isAtEnd else {
            throw Refusal(.invalidRecord, "The records cannot be read.")
        }
    }

    private func store(
        _ batch: UnsafeRawBufferPointer, _ header: RecordBatchHeader, _ topic: Topic, _ partition: Partition,
        _ index: Int32, _ transactionalID: String?
    ) throws(Refusal) -> Int64 {
        if header.producer.id >= 0 {
            switch partition.log.producers.verdict(on: header) {
            case .append: break
            case .duplicate(let baseOffset): return baseOffset
            case .refuse(let code): throw Refusal(code)
            }
        }
        if header.isTransactional {
            guard let transactionalID else {
                throw Refusal(
                    .transactionalIDAuthorizationFailed,
                    "The request names no transactional id for its transactional records.")
            }
            let error = verifyTransaction(
                of: header.producer, transactionalID: transactionalID,
                includes: TopicPartition(topic: topic.name, partition: index))
            if error != .none { throw Refusal(error) }
        }
        do throws(StorageError) {
            defer { wakeFetches(of: partition) }
            return try append(batch, header, topic, partition)
        } catch {
            throw Refusal(.storageError, error.description)
        }
    }

    private func append(
        _ batch: UnsafeRawBufferPointer, _ header: RecordBatchHeader, _ topic: Topic, _ partition: Partition
    ) throws(StorageError) -> Int64 {
        let segmentBytes = topic.configuration.segmentBytes
        guard topic.configuration.usesAppendTime else {
            return try partition.log.append(
                batch, header: header, time: now.wallMilliseconds, maximumSegmentBytes: segmentBytes)
        }
        let stamped = RecordBatchHeader.stamped(batch, appendTime: now.wallMilliseconds)
        var outcome: Result<Int64, StorageError> = .failure(StorageError("unreadable batch"))
        stamped.withUnsafeBytes { bytes in
            guard let header = RecordBatchHeader(bytes) else { return }
            do throws(StorageError) {
                outcome = .success(
                    try partition.log.append(
                        bytes, header: header, time: now.wallMilliseconds, maximumSegmentBytes: segmentBytes))
            } catch {
                outcome = .failure(error)
            }
        }
        return try outcome.get()
    }
}
