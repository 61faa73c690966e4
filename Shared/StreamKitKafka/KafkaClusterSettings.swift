internal import Kafka
public import StreamKit

/// How a service's clients reach the cluster, and as whom.
public struct KafkaClusterSettings: Sendable {
    /// The consumer group, and what transactional ids begin with.
    public var application: String
    /// This replica's stable name: static member and transactional ids follow from it.
    public var instance: String
    /// A static member keeps its partitions over a restart; a dynamic one leaves the group when it closes.
    public var isStaticMember: Bool
    public var bootstrapServers: String
    /// librdkafka's properties from configuration; they replace defaults, but none of ``reservedProperties``.
    public var properties: [(name: String, value: String)] = []
    public var sessionTimeout: Duration = .seconds(10)
    public var transactionTimeout: Duration = .seconds(15)
    /// How long an answer is waited for: committed offsets, metadata, seeks, changes to topics.
    public var requestTimeout: Duration = .seconds(30)
    public var log: any RuntimeLog

    public init(
        application: String, instance: String, isStaticMember: Bool, bootstrapServers: String, log: any RuntimeLog
    ) {
        self.application = application
        self.instance = instance
        self.isStaticMember = isStaticMember
        self.bootstrapServers = bootstrapServers
        self.log = log
    }

    /// What the runtime decides: exactly-once rests on these.
    public static let reservedProperties: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id", "group.protocol",
        "transactional.id", "transaction.timeout.ms", "session.timeout.ms", "enable.auto.commit",
        "enable.auto.offset.store", "auto.offset.reset", "enable.partition.eof", "isolation.level",
        "partition.assignment.strategy", "enable.idempotence", "partitioner", "delivery.report.only.error", "acks",
        "request.required.acks", "message.timeout.ms", "delivery.timeout.ms", "queuing.strategy",
    ]

    /// Why librdkafka, as it is loaded, does not take a property; nil if it does.
    public static func refusal(of property: String, _ value: String) -> String? {
        do throws(KafkaConfigurationError) {
            _ = try KafkaConfiguration([(property, value)])
            return nil
        } catch {
            return error.problems.first?.reason
        }
    }

    /// Of librdkafka, as it is loaded.
    public static var libraryVersion: String { KafkaLibrary.version }
    public static var isLibraryRecent: Bool { KafkaLibrary.isAtLeast2_3 }

    /// The properties ask for SCRAM, in which the library as it is loaded fails with brokers of Kafka 4.
    public var mayFailInScram: Bool {
        let mechanisms = properties.filter { $0.name == "sasl.mechanism" || $0.name == "sasl.mechanisms" }
        return !KafkaLibrary.canScramWithKafka4 && mechanisms.contains { $0.value.uppercased().hasPrefix("SCRAM") }
    }

    func consumerProperties(thread: Int) -> KafkaDefaults.Properties {
        var owned: KafkaDefaults.Properties = [
            ("bootstrap.servers", bootstrapServers), ("client.id", clientId(thread)), ("group.id", application),
            ("session.timeout.ms", milliseconds(sessionTimeout)),
            // Three heartbeats within a session, as everywhere; and never slower than the library's three seconds.
            ("heartbeat.interval.ms", "\(max(1, min(3_000, sessionTimeout.wholeMilliseconds / 3)))"),
        ]
        if isStaticMember { owned.append(("group.instance.id", clientId(thread))) }
        return KafkaDefaults.consumer() + owned + properties
    }

    func producerProperties(thread: Int) -> KafkaDefaults.Properties {
        let owned: KafkaDefaults.Properties = [
            ("bootstrap.servers", bootstrapServers), ("client.id", clientId(thread)),
            ("transactional.id", clientId(thread)), ("transaction.timeout.ms", milliseconds(transactionTimeout)),
        ]
        return KafkaDefaults.producer() + owned + properties
    }

    func adminProperties() -> KafkaDefaults.Properties {
        let owned: KafkaDefaults.Properties = [
            ("bootstrap.servers", bootstrapServers), ("client.id", "\(application)-\(instance)"),
            // librdkafka compares the user's max.poll.interval.ms with it.
            ("group.id", application), ("session.timeout.ms", milliseconds(sessionTimeout)),
        ]
        return KafkaDefaults.connection() + owned + properties
    }

    private func clientId(_ thread: Int) -> String { "\(application)-\(instance)-\(thread)" }

    private func milliseconds(_ duration: Duration) -> String { "\(duration.wholeMilliseconds)" }
}
