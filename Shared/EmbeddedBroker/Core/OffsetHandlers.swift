/// Offsets committed, fetched and deleted.
extension BrokerCore {
    static let maximumOffsetMetadataBytes = 4096

    func handleOffsetCommit(_ request: OffsetCommitRequest, _ context: RequestContext) -> OffsetCommitResponse {
        let error = groupError(committing: request.identity, to: request.groupID, inTransaction: false)
        return OffsetCommitResponse(
            topics: store(request.topics, unless: error) { .offsetsCommitted(group: request.groupID, $0) })
    }

    func handleTransactionOffsetCommit(
        _ request: TransactionOffsetCommitRequest, _ context: RequestContext
    ) -> TransactionOffsetCommitResponse {
        let error = errorOfTransactionOffsetCommit(request)
        return TransactionOffsetCommitResponse(
            topics: store(request.topics, unless: error) {
                .offsetsPrepared(group: request.groupID, producerID: request.producer.id, $0)
            })
    }

    private func errorOfTransactionOffsetCommit(_ request: TransactionOffsetCommitRequest) -> ErrorCode {
        if request.groupID.isEmpty { return .invalidGroupID }
        let transactionError = verifyTransaction(
            of: request.producer, transactionalID: request.transactionalID, includesGroup: request.groupID)
        if transactionError != .none { return transactionError }
        return groupError(committing: request.identity, to: request.groupID, inTransaction: true)
    }

    /// Stores those offsets that can be, in one entry, and tells of each how it went.
    private func store(
        _ topics: [ByTopic<OffsetToCommit>], unless groupError: ErrorCode,
        as entry: ([(TopicPartition, CommittedOffset)]) -> StateEntry
    ) -> [ByTopic<PartitionError>] {
        var offsets: [(TopicPartition, CommittedOffset)] = []
        var results = topics.map { topic in
            topic.map { asked in
                let error = groupError == .none ? errorOf(asked, topicName: topic.name) : groupError
                if error == .none {
                    offsets.append(
                        (
                            TopicPartition(topic: topic.name, partition: asked.partition),
                            CommittedOffset(
                                offset: asked.offset, leaderEpoch: asked.leaderEpoch, metadata: asked.metadata ?? "",
                                commitNumber: nextCommitNumber)
                        ))
                }
                return PartitionError(partition: asked.partition, error: error)
            }
        }
        guard !offsets.isEmpty else { return results }
        nextCommitNumber += 1
        do throws(StorageError) {
            try commit(entry(offsets))
        } catch {
            results = results.map { topic in
                topic.map { PartitionError(partition: $0.partition, error: .storageError) }
            }
        }
        return results
    }

    private func errorOf(_ asked: OffsetToCommit, topicName: String) -> ErrorCode {
        if state.partition(topicName, asked.partition) == nil { return .unknownTopicOrPartition }
        if (asked.metadata?.utf8.count ?? 0) > Self.maximumOffsetMetadataBytes { return .offsetMetadataTooLarge }
        return .none
    }

    func handleOffsetFetch(_ request: OffsetFetchRequest, _ context: RequestContext) -> OffsetFetchResponse {
        OffsetFetchResponse(
            groups: request.groups.distinct(by: \.groupID).map { asked in
                let offsets = state.offsets[asked.groupID] ?? GroupOffsets()
                let topics = asked.topics ?? offsets.committed.keys.byTopic()
                return OffsetFetchResponse.Group(
                    groupID: asked.groupID,
                    topics: topics.map { topic in
                        topic.map { index in
                            let partition = TopicPartition(topic: topic.name, partition: index)
                            if request.requiresStable && offsets.isUnstable(partition) {
                                return OffsetFetchResponse.Partition(index: index, error: .unstableOffsetCommit)
                            }
                            guard let committed = offsets.committed[partition] else {
                                return OffsetFetchResponse.Partition(index: index)
                            }
                            return OffsetFetchResponse.Partition(
                                index: index, offset: committed.offset, leaderEpoch: committed.leaderEpoch,
                                metadata: committed.metadata)
                        }
                    })
            })
    }

    func handleOffsetDelete(_ request: OffsetDeleteRequest, _ context: RequestContext) -> OffsetDeleteResponse {
        let group = groups[request.groupID]
        guard group != nil || state.offsets[request.groupID] != nil else {
            return OffsetDeleteResponse(error: .groupIDNotFound)
        }
        // Of a group of consumers only offsets of topics that no member subscribes to can go; of any other, none.
        var subscribed: Set<String> = []
        for member in group?.members ?? [] {
            guard group?.protocolType == "consumer",
                let topics = member.protocols.first.flatMap({ Subscription.topics($0.metadata) })
            else { return OffsetDeleteResponse(error: .nonEmptyGroup) }
            subscribed.formUnion(topics)
        }
        var deleted: [TopicPartition] = []
        let results = request.topics.map { topic in
            topic.map { index in
                if state.partition(topic.name, index) == nil {
                    return PartitionError(partition: index, error: .unknownTopicOrPartition)
                }
                if subscribed.contains(topic.name) {
                    return PartitionError(partition: index, error: .groupSubscribedToTopic)
                }
                deleted.append(TopicPartition(topic: topic.name, partition: index))
                return PartitionError(partition: index, error: .none)
            }
        }
        do throws(StorageError) {
            try commit(.offsetsDeleted(group: request.groupID, deleted))
        } catch {
            return OffsetDeleteResponse(error: .storageError)
        }
        return OffsetDeleteResponse(topics: results)
    }
}
