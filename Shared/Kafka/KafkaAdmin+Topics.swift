internal import CLibrdkafka
internal import Glibc

/// A topic to be created.
public struct NewTopic: Sendable {
    public let name: String
    public let partitions: Int32
    /// Nil is the broker's default.
    public let replicationFactor: Int32?
    public let configuration: [String: String]

    public init(
        _ name: String, partitions: Int32, replicationFactor: Int32? = nil, configuration: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.configuration = configuration
    }
}

extension KafkaAdmin {
    /// Creates topics; returns once they can be used.
    ///
    /// - Returns: the topics that were not created, with the reason (``KafkaErrorCode/topicAlreadyExists``, say).
    public func createTopics(_ topics: [NewTopic], timeout: Duration) throws(KafkaError) -> [String: KafkaError] {
        let operation = "creating a topic"
        var failures: [String: KafkaError] = [:]
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for topic in topics {
            var said = ""
            let made = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
                let made = rd_kafka_NewTopic_new(
                    topic.name, topic.partitions, topic.replicationFactor ?? -1, text.baseAddress, text.count)
                if made == nil, let base = text.baseAddress { said = String(cString: base) }
                return made
            }
            guard let made else {
                failures[topic.name] = KafkaError(
                    operation, RD_KAFKA_RESP_ERR__INVALID_ARG, subject: topic.name, message: said)
                continue
            }
            for (name, value) in topic.configuration { rd_kafka_NewTopic_set_config(made, name, value) }
            requests.append(made)
        }
        if requests.isEmpty { return failures }
        let refused = try request(
            operation, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout: timeout,
            send: { options, queue in rd_kafka_CreateTopics(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event in
                var count = 0
                let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
                return Self.failures(operation, results, count)
            })
        failures.merge(refused) { $1 }
        try awaitLeaders(topics.filter { failures[$0.name] == nil }, timeout: timeout)
        return failures
    }

    /// The controller answers before the brokers know of new topics.
    private func awaitLeaders(_ created: [NewTopic], timeout: Duration) throws(KafkaError) {
        let deadline = ContinuousClock.now + timeout
        var missing = created.map(\.name)
        while !missing.isEmpty {
            let left = deadline - .now
            guard left > .zero else {
                throw KafkaError(
                    "waiting for leaders of new topics", RD_KAFKA_RESP_ERR__TIMED_OUT,
                    subject: missing.joined(separator: ", "))
            }
            let found = try TopicMetadata.read(handle.pointer, topics: missing, timeout: left)
            missing.removeAll { name in
                found[name].map { topic in
                    !topic.partitions.isEmpty && topic.partitions.allSatisfy { $0.leader != nil }
                } ?? false
            }
            if !missing.isEmpty { usleep(10_000) }
        }
    }

    /// Deletes topics.
    ///
    /// - Returns: the topics that were not deleted, with the reason.
    public func deleteTopics(_ topics: [String], timeout: Duration) throws(KafkaError) -> [String: KafkaError] {
        if topics.isEmpty { return [:] }
        let operation = "deleting a topic"
        var requests: [OpaquePointer?] = topics.map { rd_kafka_DeleteTopic_new($0) }
        defer { for request in requests { rd_kafka_DeleteTopic_destroy(request) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout: timeout,
            send: { options, queue in rd_kafka_DeleteTopics(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event in
                var count = 0
                let results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count)
                return Self.failures(operation, results, count)
            })
    }

    private static func failures(
        _ operation: String, _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
    ) -> [String: KafkaError] {
        var failures: [String: KafkaError] = [:]
        for result in UnsafeBufferPointer(start: results, count: results == nil ? 0 : count) {
            let code = rd_kafka_topic_result_error(result)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR, let text = rd_kafka_topic_result_name(result) else { continue }
            let name = String(cString: text)
            failures[name] = KafkaError(
                operation, code, subject: name,
                message: rd_kafka_topic_result_error_string(result).map { String(cString: $0) })
        }
        return failures
    }

    /// A topic's configuration, defaults included; values that the broker keeps secret are left out.
    public func topicConfiguration(_ topic: String, timeout: Duration) throws(KafkaError) -> [String: String] {
        let operation = "reading a topic's configuration"
        var resources: [OpaquePointer?] = [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)]
        defer { for resource in resources { rd_kafka_ConfigResource_destroy(resource) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout: timeout, subject: topic,
            send: { options, queue in
                rd_kafka_DescribeConfigs(handle.pointer, &resources, resources.count, options, queue)
            },
            read: { event throws(KafkaError) in
                var count = 0
                let found = rd_kafka_DescribeConfigs_result_resources(
                    rd_kafka_event_DescribeConfigs_result(event), &count)
                var values: [String: String] = [:]
                for resource in UnsafeBufferPointer(start: found, count: found == nil ? 0 : count) {
                    let code = rd_kafka_ConfigResource_error(resource)
                    if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                        throw KafkaError(
                            operation, code, subject: topic,
                            message: rd_kafka_ConfigResource_error_string(resource).map { String(cString: $0) })
                    }
                    var entryCount = 0
                    let entries = rd_kafka_ConfigResource_configs(resource, &entryCount)
                    for entry in UnsafeBufferPointer(start: entries, count: entries == nil ? 0 : entryCount) {
                        guard let name = rd_kafka_ConfigEntry_name(entry),
                            let value = rd_kafka_ConfigEntry_value(entry)
                        else { continue }
                        values[String(cString: name)] = String(cString: value)
                    }
                }
                return values
            })
    }

    /// Deletes the records before these offsets.
    ///
    /// - Returns: the partitions where that failed, with the reason.
    public func deleteRecords(
        before offsets: [TopicPartition: Int64], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: KafkaError] {
        if offsets.isEmpty { return [:] }
        let operation = "deleting records"
        let list = PartitionList(capacity: offsets.count)
        for (partition, offset) in offsets { list.add(partition, offset: offset) }
        var requests: [OpaquePointer?] = [rd_kafka_DeleteRecords_new(list.pointer)]
        defer { for request in requests { rd_kafka_DeleteRecords_destroy(request) } }
        return try request(
            operation, RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout: timeout,
            send: { options, queue in rd_kafka_DeleteRecords(handle.pointer, &requests, requests.count, options, queue)
            },
            read: { event in
                let result = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
                return Self.failures(operation, result)
            })
    }

    static func failures(
        _ operation: String, _ partitions: UnsafePointer<rd_kafka_topic_partition_list_t>?
    ) -> [TopicPartition: KafkaError] {
        var failures: [TopicPartition: KafkaError] = [:]
        guard let partitions else { return failures }
        for element in UnsafeBufferPointer(start: partitions.pointee.elems, count: Int(partitions.pointee.cnt))
        where element.err != RD_KAFKA_RESP_ERR_NO_ERROR {
            let partition = element.topicPartition
            failures[partition] = KafkaError(operation, element.err, subject: partition.description)
        }
        return failures
    }
}
