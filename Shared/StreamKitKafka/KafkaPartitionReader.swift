internal import Kafka
internal import StreamKit

/// Reads whole partitions, without a group: changelogs and reference topics.
final class KafkaPartitionReader: PartitionReader {
    private let consumer: KafkaConsumer
    private let cluster: KafkaCluster
    private let records: PolledRecords

    init(_ cluster: KafkaCluster, _ configuration: consuming KafkaConfiguration) throws(BrokerFailure) {
        self.cluster = cluster
        records = PolledRecords(log: cluster.settings.log, tracksPositions: true)
        do throws(KafkaError) {
            consumer = try KafkaConsumer(
                configuration, observer: cluster.observer, maximumBatch: PolledRecords.maximumBatch)
        } catch {
            throw BrokerFailure(.stop, operation: "make a reader", reason: error.reason)
        }
    }

    func assign(_ starts: [StartOffset]) throws(BrokerFailure) {
        records.forgetPositions()
        try attempt("read partitions") { () throws(KafkaError) in try consumer.assign(starts) }
    }

    func bounds(of partition: StreamKit.TopicPartition) throws(BrokerFailure) -> OffsetBounds {
        try cluster.bounds(of: partition, stable: false)
    }

    func index(of partition: StreamKit.TopicPartition) -> Int32 {
        Int32(truncatingIfNeeded: consumer.index(of: Kafka.TopicPartition(partition)))
    }

    func partition(at index: Int32) -> StreamKit.TopicPartition {
        StreamKit.TopicPartition(consumer.topicPartition(at: Int(index)))
    }

    func poll(timeoutMilliseconds: Int32, maximum: Int) throws(BrokerFailure) -> PolledBatch {
        let batch = try records.poll(consumer, timeoutMilliseconds: timeoutMilliseconds, maximum: maximum)
        guard let lost = batch.lostPositions.first else { return batch }
        // Compaction leaves every offset readable; only deletion does not.
        records.release()
        throw BrokerFailure(
            .stop, operation: "read \(lost)", reason: "records were deleted while they were read; start again")
    }

    func release() { records.release() }

    func position(of partition: StreamKit.TopicPartition) -> Int64? {
        records.positions[consumer.index(of: Kafka.TopicPartition(partition))]
    }

    func close() {
        records.release()
        do throws(KafkaError) {
            _ = try consumer.close(timeout: .seconds(1))
        } catch {
            cluster.settings.log.log(.debug, "closing a reader failed", [("error", error.description)])
        }
    }
}
