internal import Glibc
public import HTTP

/// Who and where a service is: its application, its instance, its brokers, its folder, its ops port, its log.
///
/// Keys of the file: `application` and `kafka`. Environment variables, the same for every service:
/// `KAFKA_BOOTSTRAP_SERVERS`, `KAFKA_CONFIG_<PROPERTY>` and `KAFKA_CONFIG_<PROPERTY>_FILE`, `INSTANCE_ID`, `STATE_DIR`,
/// `OPS_ADDRESS`, `LOG_LEVEL`, `LOG_FORMAT`.
public struct RuntimeSettings: Sendable {
    /// The consumer group, the prefix of internal topics and of transactional ids.
    public let application: String
    /// Stable name of this replica; `nil` for a dynamic member.
    public let instanceID: String?
    public let stateDirectory: String
    public let opsAddress: ListenAddress
    public let logLevel: LogLevel
    public let logFormat: LogFormat
    public let kafka: KafkaSettings

    public init(_ reader: SettingsReader, surroundings: Surroundings = .process) {
        application = reader.required("application", .kafkaName("a name for the application", longest: 150))
        let environment = reader.environment
        instanceID = environment.optional("INSTANCE_ID", .kafkaName("a name for the instance", longest: 100))
        stateDirectory = environment.value(
            "STATE_DIR", .text,
            default: surroundings.isContainer ? "/var/lib/\(application)" : ".state/\(application)")
        opsAddress = environment.value(
            "OPS_ADDRESS", .listenAddress, default: surroundings.isContainer ? .everywhere : .thisMachine)
        logLevel = environment.value("LOG_LEVEL", .word(LogLevel.self), default: .info)
        logFormat = environment.value(
            "LOG_FORMAT", .word(LogFormat.self), default: surroundings.isTerminal ? .text : .json)
        kafka = KafkaSettings(reader)
    }
}

/// What a process can tell about where it runs; some defaults depend on it.
public struct Surroundings: Sendable {
    public let isContainer: Bool
    /// Whether standard error is a terminal.
    public let isTerminal: Bool

    public init(isContainer: Bool, isTerminal: Bool) {
        self.isContainer = isContainer
        self.isTerminal = isTerminal
    }

    /// Of this process; Docker and Podman leave a file, Kubernetes a variable.
    public static var process: Surroundings {
        Surroundings(
            isContainer: access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0
                || getenv("KUBERNETES_SERVICE_HOST") != nil,
            isTerminal: isatty(STDERR_FILENO) == 1)
    }
}

extension SettingKind where Value == ListenAddress {
    static var listenAddress: SettingKind {
        scalar("a numeric address and port, such as 127.0.0.1:8080", placeholder: .thisMachine) { text in
            ListenAddress(text).map { .accepted($0) } ?? .refused
        }
    }
}
