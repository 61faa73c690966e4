/// What a broker does from time to time: retention, forgetting silent producers, keeping the journal short.
extension BrokerCore {
    func maintain() {
        let checksRetention = now.steadyMilliseconds >= nextRetentionMilliseconds
        if checksRetention {
            nextRetentionMilliseconds = now.steadyMilliseconds + configuration.retentionIntervalMilliseconds
        }
        for topic in state.sortedTopics {
            for (index, partition) in topic.partitions.enumerated() {
                if checksRetention && topic.configuration.deletesOldSegments {
                    retain(partition, TopicPartition(topic: topic.name, partition: Int32(index)), topic.configuration)
                }
                if topic.configuration.isCompacted { compact(partition, topic.configuration) }
                partition.log.forgetProducers(
                    silentSince: now.wallMilliseconds - configuration.producerExpirationMilliseconds)
            }
        }
        groups = groups.filter { id, group in
            group.hasMembers || !group.pendingMembers.isEmpty || state.offsets[id] != nil || state.groups[id] != nil
        }
        // A journal that cannot be rewritten now stays as it is.
        try? storage.compactJournal { state.entries() }
    }

    private func compact(_ partition: Partition, _ configuration: TopicConfiguration) {
        guard partition.log.isWorthCompacting(minimumDirtyRatio: configuration.minimumDirtyRatio) else { return }
        do throws(StorageError) {
            try partition.log.compact(
                forgetTombstonesBefore: now.wallMilliseconds &- configuration.deleteRetentionMilliseconds)
        } catch {
            // What was not replaced stays as it was.
            reportError("compaction failed: \(error)")
        }
    }

    private func retain(_ partition: Partition, _ name: TopicPartition, _ configuration: TopicConfiguration) {
        let start = partition.log.retentionStart(
            oldestTimestamp: configuration.retentionMilliseconds.map { now.wallMilliseconds &- $0 },
            maximumBytes: configuration.retentionBytes)
        // A start that cannot be stored now is found again at the next round.
        try? advanceStart(of: partition, name, to: start)
    }
}
