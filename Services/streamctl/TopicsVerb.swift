import StreamControl
import StreamKitService

/// `streamctl topics`: what there is, and how much of it.
enum TopicsVerb: Verb {
    private static let prefix = Option("prefix", "P", .text, help: "Only topics whose names begin so.")

    static let command = Command(
        "topics",
        about:
            "Lists topics: partitions, replicas, records, and what becomes of old ones. Records are the offsets from the "
            + "first to the last stable one: markers of transactions count, records of open transactions do not.",
        options: [prefix, Output.option])

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        let topics = try withCluster(environment) { connection in
            try TopicSummary.read(connection, prefix: arguments[prefix] ?? "")
        }
        Terminal.output.write(
            arguments[Output.option] == .json ? TopicSummary.json(topics) : TopicSummary.text(topics))
        return .drained
    }
}
