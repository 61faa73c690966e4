/// Settings described and altered. A broker's own settings can be read and are fixed.
extension BrokerCore {
    func handleDescribeConfigs(_ request: DescribeConfigsRequest, _ context: RequestContext) -> DescribeConfigsResponse
    {
        DescribeConfigsResponse(
            results: request.resources.map { asked in
                var result = DescribeConfigsResponse.Result(resource: asked.resource)
                switch asked.resource.type {
                case ConfigurationResource.topicType:
                    if let topic = state.topics[asked.resource.name] {
                        result.entries = topic.configuration.entries
                    } else {
                        result.error = .unknownTopicOrPartition
                    }
                case ConfigurationResource.brokerType where ["", String(address.id)].contains(asked.resource.name):
                    result.entries = brokerEntries
                default:
                    result.error = .invalidRequest
                    result.message = "Only topics and broker \(address.id) have settings here."
                }
                if let keys = asked.keys, !keys.isEmpty { result.entries.removeAll { !keys.contains($0.name) } }
                return result
            })
    }

    private var brokerEntries: [ConfigurationEntry] {
        func entry(_ name: String, _ value: some CustomStringConvertible) -> ConfigurationEntry {
            ConfigurationEntry(name: name, value: value.description, source: .broker, kind: .string)
        }
        return [
            entry("auto.create.topics.enable", configuration.automaticTopicPartitions != nil),
            entry("broker.id", address.id),
            entry("default.replication.factor", 1),
            entry("group.initial.rebalance.delay.ms", configuration.initialRebalanceDelayMilliseconds),
            entry("group.max.session.timeout.ms", configuration.maximumSessionTimeoutMilliseconds),
            entry("group.min.session.timeout.ms", configuration.minimumSessionTimeoutMilliseconds),
            entry("log.retention.check.interval.ms", configuration.retentionIntervalMilliseconds),
            entry("num.partitions", configuration.automaticTopicPartitions ?? configuration.defaultPartitions),
            entry("producer.id.expiration.ms", configuration.producerExpirationMilliseconds),
            entry("socket.request.max.bytes", configuration.maximumRequestBytes),
            entry("transaction.max.timeout.ms", configuration.maximumTransactionTimeoutMilliseconds),
        ]
    }

    func handleAlterConfigs(_ request: AlterConfigsRequest, _ context: RequestContext) -> AlterConfigsResponse {
        AlterConfigsResponse(
            results: request.resources.map { asked in
                alter(asked.resource, validatesOnly: request.validatesOnly) { _ throws(TopicRefusal) in
                    var overrides: [String: String] = [:]
                    for setting in asked.settings {
                        guard let value = setting.value else {
                            throw TopicRefusal(.invalidConfig, "Null value not supported: \(setting.name)")
                        }
                        overrides[setting.name] = value
                    }
                    return overrides
                }
            })
    }

    func handleIncrementalAlterConfigs(
        _ request: IncrementalAlterConfigsRequest, _ context: RequestContext
    ) -> AlterConfigsResponse {
        AlterConfigsResponse(
            results: request.resources.map { asked in
                alter(asked.resource, validatesOnly: request.validatesOnly) { current throws(TopicRefusal) in
                    var overrides = current
                    for change in asked.changes { try Self.apply(change, to: &overrides) }
                    return overrides
                }
            })
    }

    private static func apply(
        _ change: (name: String, operation: IncrementalAlterConfigsRequest.Operation?, value: String?),
        to overrides: inout [String: String]
    ) throws(TopicRefusal) {
        let name = change.name
        guard let operation = change.operation else {
            throw TopicRefusal(.invalidRequest, "Unknown operation on \(name)")
        }
        if operation == .delete {
            overrides[name] = nil
            return
        }
        guard let value = change.value else { throw TopicRefusal(.invalidRequest, "Null value not supported: \(name)") }
        if operation == .set {
            overrides[name] = value
            return
        }
        guard TopicConfiguration.isList(name) else {
            throw TopicRefusal(.invalidConfig, "Setting \(name) is no list: nothing can be appended or subtracted.")
        }
        let changed = TopicConfiguration.list(value)
        var items = TopicConfiguration.list(overrides[name] ?? TopicConfiguration.fallback(name) ?? "")
        items.removeAll { changed.contains($0) }
        if operation == .append { items += changed }
        overrides[name] = items.joined(separator: ",")
    }

    private func alter(
        _ resource: ConfigurationResource, validatesOnly: Bool,
        _ change: ([String: String]) throws(TopicRefusal) -> [String: String]
    ) -> AlterConfigsResponse.Result {
        var result = AlterConfigsResponse.Result(resource: resource)
        do throws(TopicRefusal) {
            guard resource.type == ConfigurationResource.topicType else {
                throw TopicRefusal(.invalidRequest, "Only topics have settings that can be altered.")
            }
            guard let topic = state.topics[resource.name] else {
                throw TopicRefusal(.unknownTopicOrPartition, "There is no topic '\(resource.name)'.")
            }
            let overrides = try change(topic.configuration.overrides)
            try store(overrides, for: topic, validatesOnly: validatesOnly)
        } catch {
            result.error = error.code
            result.message = error.message
        }
        return result
    }

    private func store(_ overrides: [String: String], for topic: Topic, validatesOnly: Bool) throws(TopicRefusal) {
        do throws(TopicConfiguration.InvalidSetting) {
            _ = try TopicConfiguration(overrides: overrides)
        } catch {
            throw TopicRefusal(.invalidConfig, error.message)
        }
        guard !validatesOnly else { return }
        do throws(StorageError) {
            try commit(.topicConfigured(name: topic.name, overrides: overrides))
        } catch {
            throw TopicRefusal(.storageError, error.description)
        }
    }
}
