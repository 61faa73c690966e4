extension BrokerCore {
    func handleListOffsets(_ request: ListOffsetsRequest, _ context: RequestContext) -> ListOffsetsResponse {
        ListOffsetsResponse(
            topics: request.topics.map { topic in
                topic.map { listOffset($0, topicName: topic.name, readsCommitted: request.readsCommitted) }
            })
    }

    private func listOffset(
        _ asked: ListOffsetsRequest.Partition, topicName: String, readsCommitted: Bool
    ) -> ListOffsetsResponse.Partition {
        var result = ListOffsetsResponse.Partition(index: asked.index)
        guard let log = state.partition(topicName, asked.index)?.log else {
            result.error = .unknownTopicOrPartition
            return result
        }
        let limit = readsCommitted ? log.lastStableOffset : log.endOffset
        do throws(StorageError) {
            switch asked.timestamp {
            case -1: result.offset = limit
            case -2: result.offset = log.startOffset
            case -3:
                if let found = try log.offsetOfMaximumTimestamp(below: limit) {
                    (result.offset, result.timestamp) = (found.offset, found.timestamp)
                }
            case ..<0: result.error = .unsupportedVersion
            default:
                if let found = try log.firstOffset(atOrAfter: asked.timestamp, below: limit) {
                    (result.offset, result.timestamp) = (found.offset, found.timestamp)
                }
            }
        } catch {
            result.error = .storageError
        }
        return result
    }
}
