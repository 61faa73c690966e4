internal import Kafka
public import StreamKitService
internal import Synchronization

/// How the tools reach a cluster: with the environment's `KAFKA_BOOTSTRAP_SERVERS` and `KAFKA_CONFIG_...`, as services do.
public struct ClusterConnection: Sendable {
    /// For each question to the cluster.
    static let timeout = Duration.seconds(10)

    private let settings: KafkaSettings
    private let complaints = ClientComplaints()

    public init(_ environment: Environment) throws(ConfigurationError) {
        settings = try KafkaSettings.read(environment)
    }

    public var bootstrapServers: String { settings.bootstrapServers }

    /// What librdkafka complained of so far: mostly why an answer did not come. Each line once.
    public var complaintLines: [String] { complaints.lines }

    func admin() throws -> KafkaAdmin {
        try KafkaAdmin(configuration([]), observer: observer)
    }

    /// A consumer of committed records that joins no group; the name serves to commit offsets.
    func consumer(group: String = "streamctl") throws -> KafkaConsumer {
        try KafkaConsumer(
            // A partition's end is told by an empty answer, for which the broker would wait half a second.
            configuration(KafkaDefaults.consumer() + [("group.id", group), ("fetch.wait.max.ms", "50")]),
            observer: observer)
    }

    func producer(transactionalID: String) throws -> TransactionalProducer {
        try TransactionalProducer(
            configuration(KafkaDefaults.producer() + [("transactional.id", transactionalID)]), observer: observer)
    }

    private func configuration(_ own: KafkaDefaults.Properties) throws(KafkaConfigurationError) -> KafkaConfiguration {
        try KafkaConfiguration(
            own + settings.properties.map { ($0.name, $0.value) }
                + [("bootstrap.servers", settings.bootstrapServers), ("client.id", "streamctl")])
    }

    private var observer: KafkaClientObserver {
        let complaints = complaints
        return KafkaClientObserver(log: { line in
            if line.level <= 4 { complaints.add("\(line.facility): \(line.message)") }
        })
    }
}

/// Lines of librdkafka's log, kept until somebody asks why something failed.
private final class ClientComplaints: Sendable {
    private static let linesMax = 20
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    func add(_ line: String) {
        kept.withLock { lines in
            if lines.count < Self.linesMax, !lines.contains(line) { lines.append(line) }
        }
    }
}

/// A question to a cluster that has no answer, and what to do about it.
public struct ClusterQuestionError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
