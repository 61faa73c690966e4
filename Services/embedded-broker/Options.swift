import EmbeddedBroker

/// The command line.
struct Options {
    var configuration = BrokerConfiguration()

    struct Problems: Error {
        var messages: [String]
    }

    enum Command {
        case run(Options)
        case show(String)
    }

    static let version = "embedded-broker 1.0.0"

    static let help = """
        Usage: embedded-broker [OPTION]...

        A broker that speaks Kafka's protocol, in one process, for laptops and tests: one node, no replication,
        no authentication. Production runs on Apache Kafka.

          --port PORT              listen on this port; 0 takes a free one (default 9092)
          --data DIR               keep topics, offsets and transactions in DIR, over restarts and SIGKILL
          --memory                 keep nothing (the default)
          --fsync                  with --data: acknowledge only what the disk has
          --topic NAME:PARTITIONS  have this topic from the start; may be repeated
          --auto-create PARTITIONS create a topic when a client first names it
          --set KEY=VALUE          one of Kafka's broker settings:
        \(Setting.all.map { "                             \($0.name)" }.joined(separator: "\n"))
          --listen ADDRESS         listen on this address (default 127.0.0.1)
          --allow-remote           let ADDRESS be one that other machines can reach
          --advertise HOST         the host clients are told to connect to (default ADDRESS)
          --help, --version

        It prints `listening on ADDRESS:PORT` once it does, and ends on SIGTERM or SIGINT.
        """

    static func parse(_ arguments: [String]) -> Result<Command, Problems> {
        var options = Options()
        options.configuration.port = 9092
        var problems: [String] = []
        var rest = arguments[...]
        var keepsNothing = false

        func value(of option: String) -> String? {
            guard let value = rest.popFirst() else {
                problems.append("\(option) needs a value")
                return nil
            }
            return value
        }

        while let argument = rest.popFirst() {
            switch argument {
            case "--help": return .success(.show(help))
            case "--version": return .success(.show(version))
            case "--memory": keepsNothing = true
            case "--fsync": options.configuration.synchronizesWrites = true
            case "--allow-remote": options.configuration.allowsRemoteClients = true
            case "--port":
                guard let text = value(of: argument) else { break }
                if let port = UInt16(text) {
                    options.configuration.port = port
                } else {
                    problems.append("--port \(text): a port is a number from 0 to 65535")
                }
            case "--data": options.configuration.dataDirectory = value(of: argument)
            case "--listen":
                guard let address = value(of: argument) else { break }
                options.configuration.listenAddress = address == "localhost" ? "127.0.0.1" : address
            case "--advertise": options.configuration.advertisedHost = value(of: argument)
            case "--topic":
                guard let text = value(of: argument) else { break }
                if let topic = topic(text) {
                    options.configuration.topics.append(topic)
                } else {
                    problems.append("--topic \(text): write NAME:PARTITIONS, as in orders:6")
                }
            case "--auto-create":
                guard let text = value(of: argument) else { break }
                if let partitions = Int(text), partitions > 0 {
                    options.configuration.automaticTopicPartitions = partitions
                } else {
                    problems.append("--auto-create \(text): give the number of partitions")
                }
            case "--set":
                guard let text = value(of: argument) else { break }
                if let problem = Setting.apply(text, to: &options.configuration) { problems.append(problem) }
            default: problems.append("unknown option \(argument)")
            }
        }
        if keepsNothing && options.configuration.dataDirectory != nil {
            problems.append("--memory and --data exclude each other")
        }
        if options.configuration.synchronizesWrites && options.configuration.dataDirectory == nil {
            problems.append("--fsync needs --data")
        }
        return problems.isEmpty ? .success(.run(options)) : .failure(Problems(messages: problems))
    }

    private static func topic(_ text: String) -> BrokerConfiguration.Topic? {
        guard let colon = text.lastIndex(of: ":"), let partitions = Int(text[text.index(after: colon)...]) else {
            return nil
        }
        return BrokerConfiguration.Topic(name: String(text[..<colon]), partitions: partitions)
    }
}

/// A broker setting under the name that Apache Kafka gives it.
struct Setting: Sendable {
    let name: String
    let apply: @Sendable (inout BrokerConfiguration, String) -> Bool

    private init<Number: FixedWidthInteger & SendableMetatype>(
        _ name: String, _ set: @escaping @Sendable (inout BrokerConfiguration, Number) -> Void
    ) {
        self.name = name
        apply = { configuration, text in
            guard let number = Number(text) else { return false }
            set(&configuration, number)
            return true
        }
    }

    static let all = [
        Setting("group.initial.rebalance.delay.ms") { $0.initialRebalanceDelayMilliseconds = $1 },
        Setting("group.max.session.timeout.ms") { $0.maximumSessionTimeoutMilliseconds = $1 },
        Setting("group.min.session.timeout.ms") { $0.minimumSessionTimeoutMilliseconds = $1 },
        Setting("log.retention.check.interval.ms") { $0.retentionIntervalMilliseconds = $1 },
        Setting("num.partitions") { $0.defaultPartitions = $1 },
        Setting("producer.id.expiration.ms") { $0.producerExpirationMilliseconds = $1 },
        Setting("socket.request.max.bytes") { $0.maximumRequestBytes = $1 },
        Setting("transaction.max.timeout.ms") { $0.maximumTransactionTimeoutMilliseconds = $1 },
    ]

    /// Applies `KEY=VALUE`; what is wrong with it, if anything.
    static func apply(_ text: String, to configuration: inout BrokerConfiguration) -> String? {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return "--set \(text): write KEY=VALUE" }
        guard let setting = all.first(where: { $0.name == parts[0] }) else {
            return "--set \(text): unknown setting; known are \(all.map(\.name).joined(separator: ", "))"
        }
        return setting.apply(&configuration, parts[1]) ? nil : "--set \(text): not a number in range"
    }
}
