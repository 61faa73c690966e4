internal import CLibrdkafka

/// A consumer group and who is in it.
public struct ConsumerGroup: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case unknown
        case preparingRebalance
        case completingRebalance
        case stable
        /// There is no such group.
        case dead
        /// No members; offsets may be there.
        case empty
    }

    public struct Member: Hashable, Sendable {
        public let memberId: String
        public let instanceId: String?
        public let clientId: String
        public let host: String
        public let partitions: [TopicPartition]
    }

    public let name: String
    public let state: State
    public let members: [Member]
}

extension KafkaAdmin {
    /// The names of all consumer groups.
    public func consumerGroups(timeout: Duration) throws(KafkaError) -> [String] {
        let operation = "listing consumer groups"
        return try request(
            operation, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout: timeout,
            send: { options, queue in rd_kafka_ListConsumerGroups(handle.pointer, options, queue) },
            read: { event throws(KafkaError) in
                let result = rd_kafka_event_ListConsumerGroups_result(event)
                var count = 0
                let errors = rd_kafka_ListConsumerGroups_result_errors(result, &count)
                if let first = UnsafeBufferPointer(start: errors, count: errors == nil ? 0 : count).first, let first {
                    throw KafkaError(
                        operation, rd_kafka_error_code(first), message: String(cString: rd_kafka_error_string(first)))
                }
                let groups = rd_kafka_ListConsumerGroups_result_valid(result, &count)
                return UnsafeBufferPointer(start: groups, count: groups == nil ? 0 : count).compactMap {
                    rd_kafka_ConsumerGroupListing_group_id($0).map { String(cString: $0) }
                }
            })
    }

    /// A group's state and members. A group that does not exist is ``ConsumerGroup/State/dead``, or empty, by the broker's
    /// version.
    public func describeGroup(_ group: String, timeout: Duration) throws(KafkaError) -> ConsumerGroup {
        let operation = "describing a consumer group"
        return try request(
            operation, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout: timeout, subject: group,
            send: { options, queue in
                group.withCString { name in
                    var names: [UnsafePointer<CChar>?] = [name]
                    rd_kafka_DescribeConsumerGroups(handle.pointer, &names, names.count, options, queue)
                }
            },
            read: { event throws(KafkaError) in
                let result = rd_kafka_event_DescribeConsumerGroups_result(event)
                var count = 0
                let groups = rd_kafka_DescribeConsumerGroups_result_groups(result, &count)
                guard let found = UnsafeBufferPointer(start: groups, count: groups == nil ? 0 : count).first, let found
                else { throw KafkaError(operation, RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, subject: group) }
                if let error = rd_kafka_ConsumerGroupDescription_error(found),
                    rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR
                {
                    // Newer brokers answer so where older ones said that the group is dead.
                    if rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND {
                        return ConsumerGroup(name: group, state: .dead, members: [])
                    }
                    throw KafkaError(
                        operation, rd_kafka_error_code(error), subject: group,
                        message: String(cString: rd_kafka_error_string(error)))
                }
                return ConsumerGroup(name: group, description: found)
            })
    }

    /// Removes groups without members, with their offsets.
    ///
    /// - Returns: the groups that were not removed, with the reason.
    public func deleteGroups(_ groups: [String], timeout: Duration) throws(KafkaError) -> [String: KafkaError] {
        if groups.isEmpty { return [:] }
        let operation = "deleting a consumer group"
        var requests: [OpaquePointer?] = groups.map { rd_kafka_DeleteGroup_new($0) }
        defer { for request in requests { rd_kafka_DeleteGroup_destroy(request) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout: timeout,
            send: { options, queue in rd_kafka_DeleteGroups(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event throws(KafkaError) in
                var count = 0
                let results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count)
                var failures: [String: KafkaError] = [:]
                for result in UnsafeBufferPointer(start: results, count: results == nil ? 0 : count) {
                    guard let error = rd_kafka_group_result_error(result),
                        rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR,
                        let text = rd_kafka_group_result_name(result)
                    else { continue }
                    let name = String(cString: text)
                    let failure = KafkaError(
                        operation, rd_kafka_error_code(error), subject: name,
                        message: String(cString: rd_kafka_error_string(error)))
                    if failure.code.meansCoordinatorIsMoving { throw failure }
                    failures[name] = failure
                }
                return failures
            })
    }

    /// What a group has committed for these partitions.
    ///
    /// - Parameter requireStable: fails with a retriable error instead of answering while a transaction has newer offsets
    ///   pending.
    public func committedOffsets(
        of group: String, _ partitions: [TopicPartition], requireStable: Bool = false, timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: CommittedOffset] {
        if partitions.isEmpty { return [:] }
        let operation = "reading a group's committed offsets"
        let list = PartitionList(partitions)
        var requests: [OpaquePointer?] = [rd_kafka_ListConsumerGroupOffsets_new(group, list.pointer)]
        defer { for request in requests { rd_kafka_ListConsumerGroupOffsets_destroy(request) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout: timeout, subject: group,
            options: { options in
                if let error = rd_kafka_AdminOptions_set_require_stable_offsets(options, requireStable ? 1 : 0) {
                    rd_kafka_error_destroy(error)
                }
            },
            send: { options, queue in
                rd_kafka_ListConsumerGroupOffsets(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event throws(KafkaError) in
                var count = 0
                let results = rd_kafka_ListConsumerGroupOffsets_result_groups(
                    rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
                guard let found = try Self.partitions(operation, group, results, count) else { return [:] }
                return try UnsafeMutablePointer(mutating: found).committedOffsets(operation)
            })
    }

    /// Sets a group's committed offsets; refused while the group has members.
    ///
    /// - Returns: the partitions where that failed, with the reason.
    public func setCommittedOffsets(
        of group: String, _ offsets: [TopicPartition: CommittedOffset], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: KafkaError] {
        if offsets.isEmpty { return [:] }
        let operation = "setting a group's offsets"
        let list = PartitionList(offsets)
        var requests: [OpaquePointer?] = [rd_kafka_AlterConsumerGroupOffsets_new(group, list.pointer)]
        defer { for request in requests { rd_kafka_AlterConsumerGroupOffsets_destroy(request) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout: timeout, subject: group,
            send: { options, queue in
                rd_kafka_AlterConsumerGroupOffsets(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event throws(KafkaError) in
                var count = 0
                let results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
                    rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count)
                return Self.failures(operation, try Self.partitions(operation, group, results, count))
            })
    }

    /// Removes a group's committed offsets of these partitions; refused for topics that members subscribe to.
    ///
    /// - Returns: the partitions where that failed, with the reason.
    public func deleteCommittedOffsets(
        of group: String, _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: KafkaError] {
        if partitions.isEmpty { return [:] }
        let operation = "deleting a group's offsets"
        let list = PartitionList(partitions)
        var requests: [OpaquePointer?] = [rd_kafka_DeleteConsumerGroupOffsets_new(group, list.pointer)]
        defer { for request in requests { rd_kafka_DeleteConsumerGroupOffsets_destroy(request) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, timeout: timeout, subject: group,
            send: { options, queue in
                rd_kafka_DeleteConsumerGroupOffsets(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event throws(KafkaError) in
                var count = 0
                let results = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
                    rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count)
                return Self.failures(operation, try Self.partitions(operation, group, results, count))
            })
    }

    private static func partitions(
        _ operation: String, _ group: String, _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
    ) throws(KafkaError) -> UnsafePointer<rd_kafka_topic_partition_list_t>? {
        guard let result = UnsafeBufferPointer(start: results, count: results == nil ? 0 : count).first, let result
        else { return nil }
        if let error = rd_kafka_group_result_error(result), rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(
                operation, rd_kafka_error_code(error), subject: group,
                message: String(cString: rd_kafka_error_string(error)))
        }
        return rd_kafka_group_result_partitions(result)
    }
}

extension ConsumerGroup {
    fileprivate init(name: String, description: OpaquePointer) {
        let state: State =
            switch rd_kafka_ConsumerGroupDescription_state(description) {
            case RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE: .preparingRebalance
            case RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE: .completingRebalance
            case RD_KAFKA_CONSUMER_GROUP_STATE_STABLE: .stable
            case RD_KAFKA_CONSUMER_GROUP_STATE_DEAD: .dead
            case RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY: .empty
            default: .unknown
            }
        let members = (0..<rd_kafka_ConsumerGroupDescription_member_count(description)).compactMap { index in
            rd_kafka_ConsumerGroupDescription_member(description, index).map(Member.init)
        }
        self.init(name: name, state: state, members: members)
    }
}

extension ConsumerGroup.Member {
    fileprivate init(_ member: OpaquePointer) {
        func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        memberId = text(rd_kafka_MemberDescription_consumer_id(member))
        instanceId = rd_kafka_MemberDescription_group_instance_id(member).map { String(cString: $0) }
        clientId = text(rd_kafka_MemberDescription_client_id(member))
        host = text(rd_kafka_MemberDescription_host(member))
        var partitions: [TopicPartition] = []
        if let assignment = rd_kafka_MemberDescription_assignment(member),
            let list = rd_kafka_MemberAssignment_partitions(assignment)
        {
            partitions = UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
                .map(\.topicPartition)
        }
        self.partitions = partitions
    }
}
