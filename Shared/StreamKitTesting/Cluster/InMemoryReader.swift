import StreamKit

/// Reads partitions of the in-memory cluster without a group.
final class InMemoryReader: PartitionReader {
    private let client: InMemoryClient
    private var positions = ReadPositions()
    private var memory: BatchMemory?

    init(_ client: InMemoryClient) { self.client = client }

    func assign(_ starts: [StartOffset]) throws(BrokerFailure) {
        try client.faults.call(.readerAssign) { positions.assign(starts) }
    }

    func bounds(of partition: TopicPartition) throws(BrokerFailure) -> OffsetBounds {
        try client.faults.call(.readerBounds) { () throws(BrokerFailure) in
            try client.cluster.known(partition, stable: false)
        }
    }

    func index(of partition: TopicPartition) -> Int32 { positions.index(of: partition) }
    func partition(at index: Int32) -> TopicPartition { positions.partition(at: index) }

    func poll(timeoutMilliseconds: Int32, maximum: Int) throws(BrokerFailure) -> PolledBatch {
        precondition(memory == nil, "the records of the poll before were not released")
        return try client.faults.call(.readerPoll) {
            let fetched = positions.fetch(
                from: client.cluster, maximum: min(maximum, client.readerRecordsMax),
                atOnce: client.recordsPerPartitionAtOnce)
            if fetched.isEmpty { client.cluster.clock.advance(milliseconds: Int64(timeoutMilliseconds)) }
            client.readerRecordCount += fetched.records.count
            let memory = BatchMemory(fetched.records)
            self.memory = memory
            return PolledBatch(
                records: memory.batch, interrupted: false, reachedEnd: fetched.reachedEnd,
                lostPositions: fetched.lost)
        }
    }

    func release() { memory = nil }
    func position(of partition: TopicPartition) -> Int64? { positions.position(of: partition) }
    func close() { memory = nil }
}
