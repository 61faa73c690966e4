/// Which handler answers which request.
extension BrokerCore {
    func dispatch(_ reader: inout WireReader, _ context: RequestContext) throws(WireError) {
        switch context.reply.key {
        case .produce: handleProduce(try decode(&reader, context), context)
        case .fetch: handleFetch(try decode(&reader, context), context)
        case .listOffsets: try serve(&reader, context, handleListOffsets)
        case .metadata: try serve(&reader, context, handleMetadata)
        case .offsetCommit: try serve(&reader, context, handleOffsetCommit)
        case .offsetFetch: try serve(&reader, context, handleOffsetFetch)
        case .findCoordinator: try serve(&reader, context, handleFindCoordinator)
        case .joinGroup: handleJoinGroup(try decode(&reader, context), context)
        case .heartbeat: try serve(&reader, context, handleHeartbeat)
        case .leaveGroup: try serve(&reader, context, handleLeaveGroup)
        case .syncGroup: handleSyncGroup(try decode(&reader, context), context)
        case .describeGroups: try serve(&reader, context, handleDescribeGroups)
        case .listGroups: try serve(&reader, context, handleListGroups)
        case .apiVersions: try serve(&reader, context, handleApiVersions)
        case .createTopics: try serve(&reader, context, handleCreateTopics)
        case .deleteTopics: try serve(&reader, context, handleDeleteTopics)
        case .deleteRecords: try serve(&reader, context, handleDeleteRecords)
        case .initProducerID: try serve(&reader, context, handleInitProducerID)
        case .addPartitionsToTransaction: try serve(&reader, context, handleAddPartitionsToTransaction)
        case .addOffsetsToTransaction: try serve(&reader, context, handleAddOffsetsToTransaction)
        case .endTransaction: try serve(&reader, context, handleEndTransaction)
        case .writeTransactionMarkers: try serve(&reader, context, handleWriteTransactionMarkers)
        case .transactionOffsetCommit: try serve(&reader, context, handleTransactionOffsetCommit)
        case .describeConfigs: try serve(&reader, context, handleDescribeConfigs)
        case .alterConfigs: try serve(&reader, context, handleAlterConfigs)
        case .createPartitions: try serve(&reader, context, handleCreatePartitions)
        case .deleteGroups: try serve(&reader, context, handleDeleteGroups)
        case .incrementalAlterConfigs: try serve(&reader, context, handleIncrementalAlterConfigs)
        case .offsetDelete: try serve(&reader, context, handleOffsetDelete)
        case .describeCluster: try serve(&reader, context, handleDescribeCluster)
        case .describeProducers: try serve(&reader, context, handleDescribeProducers)
        case .describeTransactions: try serve(&reader, context, handleDescribeTransactions)
        case .listTransactions: try serve(&reader, context, handleListTransactions)
        }
    }

    private func decode<Request: RequestMessage>(
        _ reader: inout WireReader, _ context: RequestContext
    ) throws(WireError) -> Request {
        let request = try Request(from: &reader, version: context.version)
        try reader.skipTaggedFields()
        return request
    }

    private func serve<Request: RequestMessage, Answer: ResponseMessage>(
        _ reader: inout WireReader, _ context: RequestContext, _ handle: (Request, RequestContext) -> Answer
    ) throws(WireError) {
        let request: Request = try decode(&reader, context)
        answer(context.reply, handle(request, context))
    }
}
