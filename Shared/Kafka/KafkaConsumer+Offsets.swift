internal import CLibrdkafka

extension KafkaConsumer {
    /// What the group has committed for these partitions; those without a committed offset are left out. With
    /// `isolation.level=read_committed` (librdkafka's default) it waits for offsets of transactions that are being
    /// committed, and so tells what a transaction of unknown outcome came to.
    public func committed(
        _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: CommittedOffset] {
        if partitions.isEmpty { return [:] }
        let list = PartitionList(partitions)
        let operation = "asking for committed offsets"
        try check(
            rd_kafka_committed(handle.pointer, list.pointer, timeout.timeoutMilliseconds), operation,
            subject: partitions.map(\.description).joined(separator: ", "))
        return try list.pointer.committedOffsets(operation)
    }

    /// Goes on reading elsewhere; what was fetched for the old positions does not come any more.
    ///
    /// Each partition is asked for again until it answers: librdkafka before 2.1.0 took the time-out for microseconds and
    /// gave up at once.
    public func seek(_ positions: [TopicPartition: ReadPosition], timeout: Duration) throws(KafkaError) {
        let operation = "seeking"
        var left = positions
        let deadline = ContinuousClock.now + timeout
        while !left.isEmpty {
            let list = PartitionList(left)
            let remaining = max(deadline - .now, .zero)
            let error = KafkaError(
                operation,
                taking: rd_kafka_seek_partitions(
                    handle.pointer, list.pointer, max(1, remaining.timeoutMilliseconds)))
            if let error, !error.code.leavesOutcomeUnknown { throw error }
            var problem = error
            for element in list.pointer.elements {
                switch element.err {
                case RD_KAFKA_RESP_ERR_NO_ERROR: left[element.topicPartition] = nil
                case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__IN_PROGRESS:
                    problem = KafkaError(operation, element.err, subject: element.topicPartition.description)
                default: throw KafkaError(operation, element.err, subject: element.topicPartition.description)
                }
            }
            if let problem, ContinuousClock.now >= deadline { throw problem }
        }
    }

    /// Stops handing out records of these partitions, without leaving the group.
    public func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        try check(rd_kafka_pause_partitions(handle.pointer, list.pointer), "pausing")
        try checkEach(list, "pausing")
    }

    public func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        try check(rd_kafka_resume_partitions(handle.pointer, list.pointer), "resuming")
        try checkEach(list, "resuming")
    }

    private func checkEach(_ list: borrowing PartitionList, _ operation: String) throws(KafkaError) {
        for element in list.pointer.elements {
            try check(element.err, operation, subject: element.topicPartition.description)
        }
    }

    /// The first offset that is there and the end, asked of the broker. The end is the last stable offset for a consumer
    /// of committed records, the high watermark for one of all records.
    public func offsetRange(of partition: TopicPartition, timeout: Duration) throws(KafkaError) -> Range<Int64> {
        var (low, high): (Int64, Int64) = (0, 0)
        try check(
            rd_kafka_query_watermark_offsets(
                handle.pointer, partition.topic, partition.partition, &low, &high, timeout.timeoutMilliseconds),
            "asking for the first and the last offset", subject: partition.description)
        return low..<max(low, high)
    }

    /// The same as the last fetch had it, without asking (the end is the high watermark); nil before a first fetch.
    public func cachedOffsetRange(of partition: TopicPartition) -> Range<Int64>? {
        var (low, high): (Int64, Int64) = (0, 0)
        let result = rd_kafka_get_watermark_offsets(
            handle.pointer, partition.topic, partition.partition, &low, &high)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return nil }
        let first = max(0, low)
        return first..<max(first, high)
    }

    /// How many partitions each of these topics has, asked of the broker; a topic that does not exist is left out.
    public func partitionCounts(of topics: [String], timeout: Duration) throws(KafkaError) -> [String: Int32] {
        try TopicMetadata.read(handle.pointer, topics: topics, timeout: timeout).mapValues {
            Int32($0.partitions.count)
        }
    }
}
