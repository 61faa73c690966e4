internal import CLibrdkafka
internal import Glibc

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
    /// gave up at once, and a partition that has just been assigned cannot be sought for a moment.
    public func seek(_ positions: [TopicPartition: ReadPosition], timeout: Duration) throws(KafkaError) {
        if positions.isEmpty { return }
        if !lostPositions.isDisjoint(with: positions.keys) { return try assignAgain(positions) }
        let operation = "seeking"
        var left = positions
        let deadline = ContinuousClock.now + timeout
        while !left.isEmpty {
            // Given up by librdkafka, it would seek until the time-out in vain.
            if let fatalError { throw fatalError }
            let list = PartitionList(left)
            let remaining = max(deadline - .now, .milliseconds(1))
            let error = KafkaError(
                operation, taking: rd_kafka_seek_partitions(handle.pointer, list.pointer, remaining.timeoutMilliseconds)
            )
            if let error, !error.code.leavesOutcomeUnknown { throw error }
            var problem = error
            for element in list.pointer.elements {
                let partition = element.topicPartition
                switch element.err {
                case RD_KAFKA_RESP_ERR_NO_ERROR:
                    startPositions[partition] = left.removeValue(forKey: partition)
                case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__IN_PROGRESS, RD_KAFKA_RESP_ERR__STATE:
                    problem = KafkaError(operation, element.err, subject: partition.description)
                default: throw KafkaError(operation, element.err, subject: partition.description)
                }
            }
            if let problem {
                if ContinuousClock.now >= deadline { throw problem }
                usleep(1_000)
            }
        }
    }

    /// A partition whose offset did not exist is not read any more and cannot be sought: everything is assigned once more,
    /// the others where they stand, behind the last record handed out.
    private func assignAgain(_ positions: [TopicPartition: ReadPosition]) throws(KafkaError) {
        let list = PartitionList(try assignment())
        try check(rd_kafka_position(handle.pointer, list.pointer), "asking for positions")
        var all: [TopicPartition: ReadPosition] = [:]
        for element in list.pointer.elements {
            let partition = element.topicPartition
            let reached = element.offset >= 0 ? ReadPosition.offset(element.offset) : nil
            all[partition] = positions[partition] ?? reached ?? startPositions[partition] ?? .beginning
        }
        try assign(all, paused: pausedPartitions)
    }

    /// Stops handing out records of these partitions, without leaving the group.
    public func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        try check(rd_kafka_pause_partitions(handle.pointer, list.pointer), "pausing")
        try checkEach(list, "pausing")
        pausedPartitions.formUnion(partitions)
    }

    public func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        try check(rd_kafka_resume_partitions(handle.pointer, list.pointer), "resuming")
        try checkEach(list, "resuming")
        pausedPartitions.subtract(partitions)
        if !partitions.isEmpty { nudge.resumed(handle.pointer, startPositions) }
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
