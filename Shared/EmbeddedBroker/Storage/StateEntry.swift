/// A change of what outlives a restart.
enum StateEntry {
    case topicCreated(name: String, id: UUID128, partitionCount: Int32, overrides: [String: String])
    case partitionsAdded(name: String, partitionCount: Int32)
    case topicConfigured(name: String, overrides: [String: String])
    case topicDeleted(name: String)
    case logStartAdvanced(TopicPartition, offset: Int64)
    case producerIDsReserved(limit: Int64)
    case transactionChanged(TransactionState)
    case offsetsCommitted(group: String, [(TopicPartition, CommittedOffset)])
    case offsetsPrepared(group: String, producerID: Int64, [(TopicPartition, CommittedOffset)])
    case offsetsResolved(group: String, producerID: Int64, TransactionOutcome)
    case offsetsDeleted(group: String, [TopicPartition])
    case groupChanged(GroupRecord)
    case groupDeleted(group: String)
}
