/// Topics created, deleted, grown, and their records deleted.
extension BrokerCore {
    struct TopicRefusal: Error {
        let code: ErrorCode
        let message: String

        init(_ code: ErrorCode, _ message: String) {
            self.code = code
            self.message = message
        }
    }

    @discardableResult
    func create(
        _ name: String, partitionCount: Int32, overrides: [String: String] = [:]
    ) throws(StorageError) -> Topic? {
        try commit(
            .topicCreated(name: name, id: random.uuid(), partitionCount: partitionCount, overrides: overrides))
        return state.topics[name]
    }

    func handleCreateTopics(_ request: CreateTopicsRequest, _ context: RequestContext) -> CreateTopicsResponse {
        var names: Set<String> = []
        let repeated = Set(request.topics.map(\.name).filter { !names.insert($0).inserted })
        return CreateTopicsResponse(
            topics: request.topics.map { asked in
                var result = CreateTopicsResponse.Topic(name: asked.name)
                do throws(TopicRefusal) {
                    if repeated.contains(asked.name) {
                        throw TopicRefusal(.invalidRequest, "The request names the topic more than once.")
                    }
                    let (partitionCount, topicConfiguration) = try check(asked)
                    if !request.validatesOnly {
                        result.id = try createStored(asked.name, partitionCount, topicConfiguration.overrides)
                    }
                    result.partitionCount = partitionCount
                    result.configuration = topicConfiguration.entries
                } catch {
                    result.error = error.code
                    result.message = error.message
                }
                return result
            })
    }

    private func createStored(
        _ name: String, _ partitionCount: Int32, _ overrides: [String: String]
    ) throws(TopicRefusal) -> UUID128 {
        do throws(StorageError) {
            return try create(name, partitionCount: partitionCount, overrides: overrides)?.id ?? .zero
        } catch {
            throw TopicRefusal(.storageError, error.description)
        }
    }

    private func check(_ asked: CreateTopicsRequest.Topic) throws(TopicRefusal) -> (Int32, TopicConfiguration) {
        guard TopicRules.isValidName(asked.name) else {
            throw TopicRefusal(.invalidTopic, "A topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -")
        }
        if state.topics[asked.name] != nil {
            throw TopicRefusal(.topicAlreadyExists, "Topic '\(asked.name)' already exists.")
        }
        var partitionCount = asked.partitionCount
        if asked.assignments.isEmpty {
            if partitionCount == -1 { partitionCount = Int32(clamping: configuration.defaultPartitions) }
            guard (1...Int32(TopicRules.maximumPartitions)).contains(partitionCount) else {
                throw TopicRefusal(.invalidPartitions, "A topic has 1 to \(TopicRules.maximumPartitions) partitions.")
            }
            guard asked.replicationFactor == 1 || asked.replicationFactor == -1 else {
                throw TopicRefusal(
                    .invalidReplicationFactor,
                    "Replication factor \(asked.replicationFactor) is not possible: there is 1 broker.")
            }
        } else {
            let numbers = asked.assignments.map(\.partition).sorted()
            guard numbers == Array(0..<Int32(clamping: numbers.count)), numbers.count <= TopicRules.maximumPartitions,
                asked.assignments.allSatisfy({ $0.brokers == [address.id] })
            else {
                throw TopicRefusal(
                    .invalidReplicaAssignment, "Partitions count from 0, and the only broker is \(address.id).")
            }
            partitionCount = Int32(numbers.count)
        }
        try checkRoom(for: Int(partitionCount))
        var overrides: [String: String] = [:]
        for setting in asked.configuration {
            guard let value = setting.value else {
                throw TopicRefusal(.invalidConfig, "Null value not supported for topic configs: \(setting.name)")
            }
            overrides[setting.name] = value
        }
        do throws(TopicConfiguration.InvalidSetting) {
            return (partitionCount, try TopicConfiguration(overrides: overrides))
        } catch {
            throw TopicRefusal(.invalidConfig, error.message)
        }
    }

    private func checkRoom(for partitions: Int) throws(TopicRefusal) {
        guard state.partitionCount + partitions <= TopicRules.maximumPartitionsInAll else {
            throw TopicRefusal(
                .policyViolation, "This broker has \(TopicRules.maximumPartitionsInAll) partitions at most.")
        }
    }

    func handleDeleteTopics(_ request: DeleteTopicsRequest, _ context: RequestContext) -> DeleteTopicsResponse {
        DeleteTopicsResponse(
            topics: request.topics.map { asked in
                let name = asked.name ?? state.topicNames[asked.id]
                guard let name, let topic = state.topics[name] else {
                    let error: ErrorCode = asked.name == nil ? .unknownTopicID : .unknownTopicOrPartition
                    return DeleteTopicsResponse.Topic(name: asked.name, id: asked.id, error: error)
                }
                var error = ErrorCode.none
                do throws(StorageError) {
                    try commit(.topicDeleted(name: name))
                    for partition in topic.partitions { wakeFetches(of: partition) }
                } catch _ {
                    error = .storageError
                }
                return DeleteTopicsResponse.Topic(name: name, id: topic.id, error: error)
            })
    }

    func handleCreatePartitions(
        _ request: CreatePartitionsRequest, _ context: RequestContext
    ) -> CreatePartitionsResponse {
        CreatePartitionsResponse(
            topics: request.topics.map { asked in
                do throws(TopicRefusal) {
                    try grow(asked, validatesOnly: request.validatesOnly)
                    return CreatePartitionsResponse.Topic(name: asked.name, error: .none, message: nil)
                } catch {
                    return CreatePartitionsResponse.Topic(name: asked.name, error: error.code, message: error.message)
                }
            })
    }

    private func grow(_ asked: CreatePartitionsRequest.Topic, validatesOnly: Bool) throws(TopicRefusal) {
        guard let topic = state.topics[asked.name] else {
            throw TopicRefusal(.unknownTopicOrPartition, "There is no topic '\(asked.name)'.")
        }
        guard asked.count > Int32(topic.partitions.count), asked.count <= Int32(TopicRules.maximumPartitions) else {
            throw TopicRefusal(
                .invalidPartitions,
                "Topic '\(asked.name)' has \(topic.partitions.count) partitions and can only grow, "
                    + "to \(TopicRules.maximumPartitions) at most.")
        }
        if let assignments = asked.assignments {
            guard assignments.count == Int(asked.count) - topic.partitions.count,
                assignments.allSatisfy({ $0 == [address.id] })
            else { throw TopicRefusal(.invalidReplicaAssignment, "The only broker is \(address.id).") }
        }
        try checkRoom(for: Int(asked.count) - topic.partitions.count)
        guard !validatesOnly else { return }
        do throws(StorageError) {
            try commit(.partitionsAdded(name: asked.name, partitionCount: asked.count))
        } catch {
            throw TopicRefusal(.storageError, error.description)
        }
    }

    func handleDeleteRecords(_ request: DeleteRecordsRequest, _ context: RequestContext) -> DeleteRecordsResponse {
        DeleteRecordsResponse(
            topics: request.topics.map { topic in
                topic.map { asked in deleteRecords(asked, topicName: topic.name) }
            })
    }

    private func deleteRecords(
        _ asked: DeleteRecordsRequest.Partition, topicName: String
    ) -> DeleteRecordsResponse.Partition {
        var result = DeleteRecordsResponse.Partition(index: asked.index)
        guard let topic = state.topics[topicName], let partition = topic.partition(asked.index) else {
            result.error = .unknownTopicOrPartition
            return result
        }
        guard topic.configuration.deletesOldSegments else {
            result.error = .policyViolation
            return result
        }
        let offset = asked.offset == -1 ? partition.log.endOffset : asked.offset
        guard (0...partition.log.endOffset).contains(offset) else {
            result.error = .offsetOutOfRange
            return result
        }
        do throws(StorageError) {
            try advanceStart(of: partition, TopicPartition(topic: topicName, partition: asked.index), to: offset)
            result.lowWatermark = partition.log.startOffset
        } catch {
            result.error = .storageError
        }
        return result
    }

    func advanceStart(
        of partition: Partition, _ name: TopicPartition, to offset: Int64
    ) throws(StorageError) {
        guard offset > partition.log.startOffset else { return }
        try commit(.logStartAdvanced(name, offset: offset))
        wakeFetches(of: partition)
    }
}
