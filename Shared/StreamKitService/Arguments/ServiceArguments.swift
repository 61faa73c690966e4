/// The command line that every service has.
public struct ServiceArguments: Sendable, Equatable {
    public enum TopologyFormat: String, CaseIterable, Sendable {
        case text, mermaid, json
    }

    public enum Mode: Sendable, Equatable {
        /// Reads, transforms and writes until told to stop.
        case run
        /// Reads the settings, says whether they are right, and ends.
        case check
        /// Prints the topology and ends.
        case describe(TopologyFormat)
    }

    public let configurationFile: String
    /// `KEY=VALUE`, in the order given.
    public let overrides: [String]
    public let mode: Mode

    public init(configurationFile: String, overrides: [String] = [], mode: Mode = .run) {
        self.configurationFile = configurationFile
        self.overrides = overrides
        self.mode = mode
    }

    public enum Request: Equatable {
        case start(ServiceArguments)
        /// Text for standard output, then the program ends well.
        case show(String)
    }

    /// - Parameters:
    ///   - words: the command line without the program's name.
    ///   - service: the program's name.
    public static func parse(
        _ words: some Sequence<String>, service: String, about: String, version: String
    ) throws(UsageError) -> Request {
        let config = Option("config", "FILE", .text, isRequired: true, help: "The settings, in YAML.")
        let set = Option(
            "set", "KEY=VALUE", .text, isRepeated: true,
            help: "Replaces one value of the file, as in commit.interval=10ms.")
        let check = Flag("check", help: "Checks the settings and ends.")
        let describe = Option(
            "describe", "text|mermaid|json", .word(TopologyFormat.self), valueIfAlone: TopologyFormat.text.rawValue,
            help: "Prints the topology and ends.")
        let command = Command(
            service, about: about, version: version, options: [config, set, check, describe], footer: environmentHelp)
        switch try command.parse(words) {
        case .show(let text): return .show(text)
        case .run(let arguments):
            if arguments[check], arguments[describe] != nil {
                throw UsageError(message: "--check and --describe exclude each other", command: service)
            }
            let mode: Mode = arguments[describe].map { .describe($0) } ?? (arguments[check] ? .check : .run)
            return .start(
                ServiceArguments(
                    configurationFile: arguments[config] ?? "", overrides: arguments.all(set), mode: mode))
        }
    }

    private static let environmentHelp = """
        Environment:
          KAFKA_BOOTSTRAP_SERVERS        Brokers; 127.0.0.1:9092 if not set.
          KAFKA_CONFIG_<PROPERTY>        A property of librdkafka: KAFKA_CONFIG_LINGER_MS sets linger.ms.
          KAFKA_CONFIG_<PROPERTY>_FILE   The same, read from a file, for secrets.
          INSTANCE_ID                    This replica's stable name: static membership and transactional id follow from
                                         it; a name kept in STATE_DIR if not set.
          STATE_DIR                      Where stores live; /var/lib/<application> in a container, .state/<application>
                                         elsewhere.
          OPS_ADDRESS                    Where health, metrics and topology are served; 0.0.0.0:8080 in a container,
                                         127.0.0.1 on a free port elsewhere, which the log names.
          LOG_LEVEL                      debug, info, warn or error; info if not set.
          LOG_FORMAT                     json or text; text on a terminal, json elsewhere.
          ${NAME} and ${NAME:-default} in the file are environment variables too.

        Exit codes: 0 drained, 1 failed, 64 wrong command line, 78 wrong configuration.
        """
}
