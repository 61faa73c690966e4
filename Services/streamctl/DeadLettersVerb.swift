import JSON
import StreamControl
import StreamKitService

/// `streamctl dlq`: what was refused, and why.
enum DeadLettersVerb: Verb {
    private static let reason = Option("reason", "TYPE", .text, help: "Only those refused so, as in LATE.")
    private static let count = Option("count", "N", .integer(in: 1...Int.max), help: "At most so many.")

    static let command = Command(
        "dlq", about: "Looks into dead letters.",
        subcommands: [
            Command(
                "list",
                about: "Shows each dead letter: when and where it was refused, where it came from, its key, why.",
                options: [reason, count, Output.option],
                positionals: [.init("TOPIC", help: "The topic of dead letters.")]),
            Command(
                "count", about: "Counts dead letters by stage and reason, with the latest message of each.",
                options: [Output.option],
                positionals: [.init("TOPIC", help: "The topic of dead letters.")]),
        ])

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        let request = ReadRequest(topics: [arguments.positional("TOPIC") ?? ""])
        let format = arguments[Output.option] ?? .text
        let reader = DeadLetterReader()
        if arguments.path.last == "count" {
            var counts = DeadLetterCounts()
            try withCluster(environment) { connection in
                try TopicReader(connection, request).read(record: { record, _ in counts.add(reader.read(record)) })
            }
            Terminal.output.write(format == .json ? counts.json : counts.text)
            return .drained
        }
        let text = RecordText(format, isColored: false)
        let output = OutputBuffer(capacity: 64 << 10)
        var left = arguments[count] ?? .max
        func flush() {
            Terminal.output.write(output.bytes)
            output.removeAll()
        }
        try withCluster(environment) { connection in
            try TopicReader(connection, request).read(
                record: { record, partition in
                    let letter = reader.read(record)
                    if left == 0 || arguments[reason].map({ $0 != letter.reason }) ?? false { return }
                    left -= 1
                    if format == .json {
                        text.append(record, of: partition, to: output)
                    } else {
                        output.append(letter.line)
                    }
                }, idle: flush)
        }
        flush()
        return .drained
    }
}
