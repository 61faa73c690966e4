/// What outlives a restart. It changes in one way only, by entries: those of the journal after a restart, and the same ones
/// when they are first decided.
struct BrokerState {
    private(set) var topics: [String: Topic] = [:]
    private(set) var topicNames: [UUID128: String] = [:]
    private(set) var groups: [String: GroupRecord] = [:]
    private(set) var offsets: [String: GroupOffsets] = [:]
    private(set) var transactions: [String: TransactionState] = [:]
    /// Of all topics.
    private(set) var partitionCount = 0
    /// Producer ids below it have been given out, or may have been.
    private(set) var reservedProducerIDs: Int64 = 0

    mutating func apply(
        _ entry: StateEntry, makeLog: (_ topicID: UUID128, _ partition: Int32) -> PartitionLog
    ) {
        switch entry {
        case .topicCreated(let name, let id, let partitionCount, let overrides):
            let topic = Topic(name: name, id: id, configuration: Self.configuration(overrides))
            topics[name] = topic
            topicNames[id] = name
            grow(topic, to: partitionCount, makeLog: makeLog)
        case .partitionsAdded(let name, let partitionCount):
            if let topic = topics[name] { grow(topic, to: partitionCount, makeLog: makeLog) }
        case .topicConfigured(let name, let overrides):
            topics[name]?.configuration = Self.configuration(overrides)
        case .topicDeleted(let name):
            deleteTopic(name)
        case .logStartAdvanced(let partition, let offset):
            topics[partition.topic]?.partition(partition.partition)?.log.advanceStart(to: offset)
        case .producerIDsReserved(let limit):
            reservedProducerIDs = max(reservedProducerIDs, limit)
        case .transactionChanged(let transaction):
            transactions[transaction.transactionalID] = transaction
        case .offsetsCommitted(let group, let committed):
            offsets[group, default: GroupOffsets()].commit(committed)
        case .offsetsPrepared(let group, let producerID, let prepared):
            offsets[group, default: GroupOffsets()].prepare(prepared, producerID: producerID)
        case .offsetsResolved(let group, let producerID, let outcome):
            offsets[group]?.resolve(producerID: producerID, outcome)
        case .offsetsDeleted(let group, let partitions):
            offsets[group]?.delete(partitions)
        case .groupChanged(let record):
            groups[record.id] = record
        case .groupDeleted(let group):
            groups[group] = nil
            offsets[group] = nil
        }
    }

    /// Only settings that were found valid get here; a later version may know fewer, and then uses what it has.
    private static func configuration(_ overrides: [String: String]) -> TopicConfiguration {
        (try? TopicConfiguration(overrides: overrides)) ?? TopicConfiguration()
    }

    private mutating func grow(_ topic: Topic, to count: Int32, makeLog: (UUID128, Int32) -> PartitionLog) {
        while topic.partitions.count < count {
            partitionCount += 1
            topic.partitions.append(Partition(log: makeLog(topic.id, Int32(topic.partitions.count))))
        }
    }

    private mutating func deleteTopic(_ name: String) {
        guard let topic = topics.removeValue(forKey: name) else { return }
        topicNames[topic.id] = nil
        partitionCount -= topic.partitions.count
        for partition in topic.partitions { partition.log.deleteAll() }
        for group in offsets.keys { offsets[group]?.forget(topic: name) }
        for id in transactions.keys { transactions[id]?.partitions.remove(all: name) }
    }

    /// Entries that bring an empty state to this one.
    func entries() -> [StateEntry] {
        var entries: [StateEntry] = [.producerIDsReserved(limit: reservedProducerIDs)]
        for topic in sortedTopics {
            entries.append(
                .topicCreated(
                    name: topic.name, id: topic.id, partitionCount: Int32(topic.partitions.count),
                    overrides: topic.configuration.overrides))
            for (index, partition) in topic.partitions.enumerated() where partition.log.startOffset > 0 {
                let name = TopicPartition(topic: topic.name, partition: Int32(index))
                entries.append(.logStartAdvanced(name, offset: partition.log.startOffset))
            }
        }
        for record in groups.values { entries.append(.groupChanged(record)) }
        for transaction in transactions.values { entries.append(.transactionChanged(transaction)) }
        for (group, kept) in offsets {
            entries.append(.offsetsCommitted(group: group, kept.committed.map { ($0.key, $0.value) }))
            for (producerID, prepared) in kept.prepared {
                entries.append(
                    .offsetsPrepared(group: group, producerID: producerID, prepared.map { ($0.key, $0.value) }))
            }
        }
        return entries
    }

    func partition(_ topic: String, _ index: Int32) -> Partition? { topics[topic]?.partition(index) }

    var sortedTopics: [Topic] { topics.values.sorted { $0.name < $1.name } }

    /// The greatest number a commit has been given.
    var lastCommitNumber: Int64 {
        offsets.values.flatMap { group in
            group.committed.values.map(\.commitNumber)
                + group.prepared.values.flatMap { $0.values.map(\.commitNumber) }
        }.max() ?? 0
    }
}

extension Set<TopicPartition> {
    fileprivate mutating func remove(all topic: String) {
        for partition in filter({ $0.topic == topic }) { remove(partition) }
    }
}
