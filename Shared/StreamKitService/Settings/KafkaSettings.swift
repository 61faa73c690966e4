internal import YAML
internal import StreamKitKafka

/// One property for librdkafka, as the user set it.
public struct KafkaProperty: Sendable, Equatable, CustomStringConvertible {
    /// librdkafka's name: `linger.ms`.
    public let name: String
    public let value: String
    /// Where it was set, for the error if librdkafka refuses it.
    public let origin: String

    public init(name: String, value: String, origin: String) {
        self.name = name
        self.value = value
        self.origin = origin
    }

    /// Whether the value must not be shown, judged by the name; locations of files are shown.
    public var isSecret: Bool {
        let words = ["password", "secret", "token", "key", "pem", "jaas", "sasl.oauthbearer.config"]
        return !name.hasSuffix(".location") && words.contains { name.contains($0) }
    }

    public var description: String { "\(name)=\(isSecret ? Secret.mask : value)" }
}

/// How the brokers are reached, and what the user wants of librdkafka.
public struct KafkaSettings: Sendable, Equatable {
    /// `host:port`, separated by commas.
    public let bootstrapServers: String
    /// In the order of their names; none that the runtime owns.
    public let properties: [KafkaProperty]

    private static let variablePrefix = "KAFKA_CONFIG_"
    private static let secretFileBytesMax = 1 << 20

    /// Reads `KAFKA_BOOTSTRAP_SERVERS`, the file's `kafka:` and `KAFKA_CONFIG_...`. Of a property that is set more than once
    /// `--set` wins, then the environment, then the file.
    init(_ reader: SettingsReader) {
        bootstrapServers = reader.environment.value("KAFKA_BOOTSTRAP_SERVERS", .text, default: "127.0.0.1:9092")
        var winners: [String: Candidate] = [:]
        for candidate in Self.fileCandidates(reader) + Self.environmentCandidates(reader.environment) {
            let name = candidate.property.name
            if let advice = OwnedProperties.advice(on: name) {
                reader.collector.record(
                    SettingsProblem(
                        mark: candidate.mark, keyPath: candidate.keyPath,
                        message: "\(name) belongs to the runtime; \(advice)"))
            } else if winners[name].map({ $0.precedence < candidate.precedence }) ?? true {
                winners[name] = candidate
            }
        }
        for winner in winners.values.sorted(by: { $0.property.name < $1.property.name }) {
            guard let reason = KafkaClusterSettings.refusal(of: winner.property.name, winner.property.value) else {
                continue
            }
            reader.collector.record(SettingsProblem(mark: winner.mark, keyPath: winner.keyPath, message: reason))
        }
        properties = winners.values.map(\.property).sorted { $0.name < $1.name }
        for property in properties {
            let kind: SettingKind<String> = .scalar("text", placeholder: "", isSecret: property.isSecret) {
                .accepted($0)
            }
            reader.collector.note(
                property.value, kind, SettingPath().key("kafka").key(property.name), origin: property.origin)
        }
    }

    private enum Precedence: Int, Comparable {
        case file, environment, override

        static func < (first: Precedence, second: Precedence) -> Bool { first.rawValue < second.rawValue }
    }

    private struct Candidate {
        let property: KafkaProperty
        let precedence: Precedence
        let mark: YAMLMark
        let keyPath: String
    }

    // MARK: The file's block

    /// `kafka: {linger.ms: 5}` and `kafka: {linger: {ms: 5}}` are the same.
    private static func fileCandidates(_ reader: SettingsReader) -> [Candidate] {
        guard let node = reader.tree("kafka"), !node.isNull else { return [] }
        guard node.mapping != nil else {
            reader.problem("kafka", "must be a mapping of librdkafka's properties, not \(node.summary)")
            return []
        }
        var candidates: [Candidate] = []
        collect(node, name: "", path: SettingPath().key("kafka"), reader.collector, into: &candidates)
        return candidates
    }

    private static func collect(
        _ node: YAMLNode, name: String, path: SettingPath, _ collector: SettingsCollector,
        into candidates: inout [Candidate]
    ) {
        for entry in node.mapping?.entries ?? [] {
            let name = name.isEmpty ? entry.key : "\(name).\(entry.key)"
            let path = path.key(entry.key)
            let problem: String
            switch entry.value.content {
            case .mapping:
                collect(entry.value, name: name, path: path, collector, into: &candidates)
                continue
            case .scalar(let scalar) where scalar.resolved != .null:
                if !candidates.contains(where: { $0.property.name == name }) {
                    let mark = entry.value.mark
                    candidates.append(
                        Candidate(
                            property: KafkaProperty(name: name, value: scalar.text, origin: mark.description),
                            precedence: SettingOverride.isOrigin(of: mark) ? .override : .file,
                            mark: mark, keyPath: path.description))
                    continue
                }
                problem = "\(name) is set twice"
            case .scalar: problem = "has no value; write one, or remove the key"
            case .sequence: problem = "must be text, not a list; librdkafka separates the parts of a list by commas"
            }
            collector.record(SettingsProblem(mark: entry.value.mark, keyPath: path.description, message: problem))
        }
    }

    // MARK: The environment

    /// `KAFKA_CONFIG_LINGER_MS=5`, and `KAFKA_CONFIG_SASL_PASSWORD_FILE=/run/secrets/kafka`.
    private static func environmentCandidates(_ reader: EnvironmentReader) -> [Candidate] {
        let fileSuffix = "_FILE"
        return reader.environment.variables(prefix: variablePrefix).compactMap { variable, value in
            var name = String(variable.dropFirst(variablePrefix.count))
            var value = value
            if name.hasSuffix(fileSuffix) {
                name.removeLast(fileSuffix.count)
                if reader.environment[variablePrefix + name] != nil {
                    reader.problem(variable, "\(variablePrefix)\(name) is set too; set one of them")
                    return nil
                }
                do throws(SystemError) {
                    value = String(decoding: try FileSystem.read(value, limit: secretFileBytesMax), as: UTF8.self)
                } catch {
                    reader.problem(variable, "\(error)")
                    return nil
                }
                // Editors and `echo` end a file with a line break that no password has.
                while value.last?.isNewline == true { value.removeLast() }
            }
            name = name.lowercased().split(separator: "_", omittingEmptySubsequences: false).joined(separator: ".")
            return Candidate(
                property: KafkaProperty(name: name, value: value, origin: variable), precedence: .environment,
                mark: EnvironmentReader.mark, keyPath: variable)
        }
    }
}

/// Properties on which exactly-once stands: the runtime sets them, and a user's value is refused by name.
enum OwnedProperties {
    /// What to do instead of setting a property; nil for one that is the user's.
    static func advice(on property: String) -> String? {
        if let advice = specific[property] { return advice }
        return KafkaClusterSettings.reservedProperties.contains(property) ? "exactly-once rests on its choice" : nil
    }

    private static let specific: [String: String] = {
        let commits = "offsets are committed in the transaction (see commit:)"
        let exactlyOnce = "exactly-once needs the value that it sets"
        let brokers = "set KAFKA_BOOTSTRAP_SERVERS"
        let group = "application: names the group"
        let assignment = "tasks are assigned by range, eagerly"
        return [
            "bootstrap.servers": brokers, "metadata.broker.list": brokers,
            "group.id": group, "group.instance.id": "set INSTANCE_ID", "transactional.id": "set INSTANCE_ID",
            "group.protocol": assignment, "group.remote.assignor": assignment,
            "partition.assignment.strategy": assignment,
            "enable.auto.commit": commits, "auto.commit.enable": commits, "auto.commit.interval.ms": commits,
            "enable.auto.offset.store": commits,
            "auto.offset.reset": "set on_lost_offsets",
            "isolation.level": exactlyOnce, "enable.idempotence": exactlyOnce, "acks": exactlyOnce,
            "request.required.acks": exactlyOnce, "enable.gapless.guarantee": exactlyOnce,
            "partitioner": "it partitions as every Kafka client does",
            "session.timeout.ms": "set session_timeout",
            "transaction.timeout.ms": "set transaction_timeout", "message.timeout.ms": "set transaction_timeout",
            "delivery.timeout.ms": "set transaction_timeout",
        ]
    }()
}
