/// What there is in the cluster, which is this one broker.
extension BrokerCore {
    func handleApiVersions(_ request: ApiVersionsRequest, _ context: RequestContext) -> ApiVersionsResponse {
        ApiVersionsResponse(error: request.hasValidSoftwareName ? .none : .invalidRequest)
    }

    func handleMetadata(_ request: MetadataRequest, _ context: RequestContext) -> MetadataResponse {
        let topics: [MetadataResponse.Topic]
        if let requested = request.topics {
            var names: Set<String> = []
            // Named twice, a topic is described once.
            let distinct = requested.filter { $0.name.map { names.insert($0).inserted } ?? true }
            topics = distinct.map { asked in
                if let name = asked.name {
                    return describe(name, mayCreate: request.allowsAutomaticCreation)
                }
                guard let name = state.topicNames[asked.id], let topic = state.topics[name] else {
                    return MetadataResponse.Topic(error: .unknownTopicID, name: nil, id: asked.id)
                }
                return describe(topic)
            }
        } else {
            topics = state.sortedTopics.map { describe($0) }
        }
        return MetadataResponse(broker: address, clusterID: clusterID, topics: topics)
    }

    private func describe(_ topic: Topic) -> MetadataResponse.Topic {
        MetadataResponse.Topic(name: topic.name, id: topic.id, partitionCount: topic.partitions.count)
    }

    private func describe(_ name: String, mayCreate: Bool) -> MetadataResponse.Topic {
        if let topic = state.topics[name] { return describe(topic) }
        guard TopicRules.isValidName(name) else { return MetadataResponse.Topic(error: .invalidTopic, name: name) }
        if mayCreate, let partitions = configuration.automaticTopicPartitions,
            state.partitionCount + partitions <= TopicRules.maximumPartitionsInAll,
            let topic = try? create(name, partitionCount: Int32(partitions))
        {
            return describe(topic)
        }
        return MetadataResponse.Topic(error: .unknownTopicOrPartition, name: name)
    }

    func handleDescribeCluster(_ request: DescribeClusterRequest, _ context: RequestContext) -> DescribeClusterResponse
    {
        DescribeClusterResponse(broker: address, clusterID: clusterID, endpointType: request.endpointType)
    }

    func handleFindCoordinator(_ request: FindCoordinatorRequest, _ context: RequestContext) -> FindCoordinatorResponse
    {
        FindCoordinatorResponse(keys: request.keys, broker: address)
    }
}
