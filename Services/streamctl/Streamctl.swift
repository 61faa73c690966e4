import Glibc
import Kafka
import StreamControl
import StreamKitService

/// One of the program's commands.
protocol Verb: SendableMetatype {
    static var command: Command { get }
    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode
}

@main
struct Streamctl {
    private static let verbs: [any Verb.Type] = [
        UpVerb.self, TopicsVerb.self, LagVerb.self, TailVerb.self, SummaryVerb.self, DeadLettersVerb.self,
        ProduceVerb.self,
        ResetVerb.self, EvalVerb.self, ValidateVerb.self,
    ]

    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private static func run(_ words: [String]) -> ExitCode {
        let command = Command(
            "streamctl", about: "Runs pipelines on this machine, and looks into them.", version: StreamKitVersion.text,
            subcommands: verbs.map { $0.command }, footer: help)
        do {
            switch try command.parse(words) {
            case .show(let text):
                Terminal.output.write(text)
                return .drained
            case .run(let arguments): return run(arguments)
            }
        } catch {
            Terminal.error.write("\(error)\n")
            return .usage
        }
    }

    private static func run(_ arguments: Arguments) -> ExitCode {
        let name = arguments.path.dropFirst().first ?? ""
        do {
            for verb in verbs where verb.command.name == name { return try verb.run(arguments, .process()) }
            return .usage
        } catch let error as UsageError {
            Terminal.error.write("\(error)\n")
            return .usage
        } catch let error as TrialError {
            Terminal.error.write("\(error)\n")
            if case .refused = error { return .invalidData }
            return .usage
        } catch {
            Terminal.error.write("\(arguments.path.joined(separator: " ")): \(error)\n")
            return error is ConfigurationError || error is KafkaConfigurationError || error is PipelineError
                ? .configuration : .failed
        }
    }

    private static let help = """
        Environment:
          KAFKA_BOOTSTRAP_SERVERS        Brokers; 127.0.0.1:9092 if not set.
          KAFKA_CONFIG_<PROPERTY>        A property of librdkafka: KAFKA_CONFIG_SASL_USERNAME sets sasl.username.
          KAFKA_CONFIG_<PROPERTY>_FILE   The same, read from a file, for secrets.

        Exit codes: 0 done, 1 failed, 64 wrong command line, 65 invalid data, 78 wrong configuration.
        """
}

extension Verb {
    /// Runs what asks the cluster; if it fails, librdkafka's own complaints are shown too: they say why nothing answered.
    static func withCluster<Result>(
        _ environment: Environment, _ body: (ClusterConnection) throws -> Result
    ) throws -> Result {
        let connection = try ClusterConnection(environment)
        do {
            return try body(connection)
        } catch let error as KafkaError {
            for line in connection.complaintLines { Terminal.error.write("\(line)\n") }
            if error.code.leavesOutcomeUnknown {
                Terminal.error.write("no answer from the brokers at \(connection.bootstrapServers)\n")
            }
            throw error
        }
    }

    static func usage(_ message: String) -> UsageError {
        UsageError(message: message, command: "streamctl \(command.name)")
    }
}

/// How answers are written; the same for every verb that lists something.
enum Output {
    static let option = Option(
        "output", "text|json", .word(RecordText.Format.self), help: "Text for people, or JSON, an object a line.")
}
