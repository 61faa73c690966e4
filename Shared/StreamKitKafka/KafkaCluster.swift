public import Kafka
public import StreamKit

/// The runtime's cluster on a real Kafka: makes each thread's clients, and sees to topics by one admin for all threads.
public final class KafkaCluster: Cluster {
    let settings: KafkaClusterSettings
    let admin: KafkaAdmin
    let observer: KafkaClientObserver

    /// Checks every property for every kind of client before anything is connected.
    public init(_ settings: KafkaClusterSettings) throws(KafkaConfigurationError) {
        var problems: [KafkaConfigurationError.Problem] = settings.properties
            .filter { KafkaClusterSettings.reservedProperties.contains($0.name) }
            .map { .init(property: $0.name, reason: "the runtime decides this itself: take it out") }
        for properties in [
            settings.consumerProperties(thread: 0), settings.producerProperties(thread: 0), settings.adminProperties(),
        ] {
            do throws(KafkaConfigurationError) {
                _ = try KafkaConfiguration(properties)
            } catch {
                for problem in error.problems where !problems.contains(problem) { problems.append(problem) }
            }
        }
        if !problems.isEmpty { throw KafkaConfigurationError(problems: problems) }
        let observer = KafkaClientObserver(log: { [log = settings.log] line in log.clientSays(line) })
        let configuration = try KafkaConfiguration(settings.adminProperties())
        do throws(KafkaError) {
            admin = try KafkaAdmin(configuration, observer: observer)
        } catch {
            // Properties that are valid each and contradict one another: librdkafka names them.
            throw KafkaConfigurationError(problems: [.init(property: "kafka", reason: error.message)])
        }
        self.settings = settings
        self.observer = observer
    }

    public func makeConsumer(thread: Int) throws(BrokerFailure) -> any SourceConsumer {
        let configuration = try configuration(settings.consumerProperties(thread: thread))
        return try KafkaSourceConsumer(self, configuration)
    }

    public func makeProducer(thread: Int) throws(BrokerFailure) -> any StreamKit.TransactionalProducer {
        let configuration = try configuration(settings.producerProperties(thread: thread))
        return try KafkaTransactionalProducer(self, configuration)
    }

    public func makeReader(follows: Bool) throws(BrokerFailure) -> any PartitionReader {
        // It joins no group: the group's name is there because librdkafka wants one.
        var properties = settings.consumerProperties(thread: 0).filter { $0.name != "group.instance.id" }
        if !follows {
            // That a partition's end is reached is known by an answer without records, for which the broker waits as long.
            properties.append(("fetch.wait.max.ms", "10"))
            // Bundles are large: with librdkafka's 64 MB, restoring would take more memory than anything after it.
            properties.append(("queued.max.messages.kbytes", "16384"))
        }
        return try KafkaPartitionReader(self, try configuration(properties))
    }

    private func configuration(_ properties: KafkaDefaults.Properties) throws(BrokerFailure) -> KafkaConfiguration {
        do throws(KafkaConfigurationError) {
            return try KafkaConfiguration(properties)
        } catch {
            throw BrokerFailure(.stop, operation: "configure a Kafka client", reason: error.description)
        }
    }

    public func partitionCounts(of topics: [String]) throws(BrokerFailure) -> [String: Int32] {
        try attempt("ask for topics") { () throws(KafkaError) in
            try admin.topics(topics, timeout: settings.requestTimeout).mapValues {
                Int32(clamping: $0.partitions.count)
            }
        }
    }

    public func createTopics(_ topics: [TopicDefinition]) throws(BrokerFailure) {
        let wanted = topics.map { topic in
            NewTopic(
                topic.name, partitions: topic.partitions, replicationFactor: topic.replication.map(Int32.init),
                configuration: topic.configuration)
        }
        let failures = try attempt("create topics") { () throws(KafkaError) in
            try admin.createTopics(wanted, timeout: settings.requestTimeout)
        }.filter { $0.value.code != .topicAlreadyExists }
        if failures.isEmpty { return }
        throw BrokerFailure(
            failures.values.contains { !$0.code.leavesOutcomeUnknown } ? .stop : .retry,
            operation: "create the topics \(failures.keys.sorted().joined(separator: ", "))",
            reason: failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.code): \($0.value.message)" }
                .joined(separator: "; "))
    }

    public func deleteRecords(before offsets: [StreamKit.TopicPartition: Int64]) throws(BrokerFailure) {
        let wanted = Dictionary(uniqueKeysWithValues: offsets.map { (Kafka.TopicPartition($0.key), $0.value) })
        let failures = try attempt("delete consumed records") { () throws(KafkaError) in
            try admin.deleteRecords(before: wanted, timeout: settings.requestTimeout)
        }
        if let (partition, error) = failures.min(by: { $0.key < $1.key }) {
            throw BrokerFailure(error, "delete consumed records of \(partition)")
        }
    }

    /// The first offset and the end: the last stable offset, or the high watermark.
    func bounds(of partition: StreamKit.TopicPartition, stable: Bool) throws(BrokerFailure) -> OffsetBounds {
        let subject = Kafka.TopicPartition(partition)
        return try attempt("ask where \(partition) begins and ends") { () throws(KafkaError) in
            let first = try admin.offsets(.earliest, of: [subject], timeout: settings.requestTimeout)
            let end = try admin.offsets(
                stable ? .latestCommitted : .latest, of: [subject], timeout: settings.requestTimeout)
            guard let first = first[subject], let end = end[subject] else {
                throw KafkaError(
                    operation: "asking for offsets", subject: subject.description, code: .unknownTopicOrPartition,
                    message: "no answer for the partition")
            }
            return OffsetBounds(first: first, end: max(first, end))
        }
    }
}

extension KafkaCluster: StableEndSource {
    public func stableEnds(
        of partitions: [StreamKit.TopicPartition]
    ) throws(BrokerFailure) -> [StreamKit.TopicPartition: Int64] {
        let ends = try attempt("ask where the inputs end") { () throws(KafkaError) in
            try admin.offsets(.latestCommitted, of: partitions.map { Kafka.TopicPartition($0) }, timeout: .seconds(5))
        }
        return Dictionary(
            ends.map { (StreamKit.TopicPartition($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Kafka.TopicPartition {
    init(_ partition: StreamKit.TopicPartition) { self.init(partition.topic, partition.partition) }
}

extension StreamKit.TopicPartition {
    init(_ partition: Kafka.TopicPartition) { self.init(partition.topic, partition.partition) }
}
