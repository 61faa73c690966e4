import JSON
import StreamControl
import StreamKitService

/// `streamctl dlq`: what was refused, and why; and back again.
enum DeadLettersVerb: Verb {
    private static let reason = Option("reason", "TYPE", .text, help: "Only those refused so, as in LATE.")
    private static let count = Option("count", "N", .integer(in: 1...Int.max), help: "At most so many.")

    private static let reasons = Option(
        "reason", "TYPE", .text, isRepeated: true, help: "Only those refused so, as in LATE; all if not said.")
    private static let stages = Option(
        "stage", "SERVICE", .text, isRepeated: true, help: "Only those that this service refused; all if not said.")
    private static let target = Option(
        "to", "TOPIC", .topicName, help: "Where the records go; each to where it came from if not said.")
    private static let times = Option(
        "times", "N", .integer(in: 1...1_000_000), help: "Leaves out records put back so often already; 3 if not said.")
    private static let dryRun = Flag("dry-run", help: "Only says what would be done.")
    private static let yes = Flag("yes", help: "Does not ask.")

    static let command = Command(
        "dlq", about: "Looks into dead letters, and puts the records that they hold back.",
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
            Command(
                "replay",
                about:
                    "Writes the records that dead letters hold back to the topic and partition that they came from, with "
                    + "their keys, timestamps and headers. Each once: what was put back is remembered in the same transaction, "
                    + "so that a replay may be broken off and run again.",
                options: [reasons, stages, target, times, dryRun, yes],
                positionals: [.init("TOPIC", help: "The topic of dead letters.")]),
        ])

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        if arguments.path.last == "replay" { return try replay(arguments, environment) }
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

    private static func replay(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        var request = ReplayRequest(topic: arguments.positional("TOPIC") ?? "")
        request.reasons = Set(arguments.all(reasons))
        request.stages = Set(arguments.all(stages))
        request.target = arguments[target]
        request.timesMax = arguments[times] ?? request.timesMax
        return try withCluster(environment) { connection in
            let replay = try DeadLetterReplay(connection, request)
            let plan = try replay.plan()
            if plan.count == 0 {
                Terminal.error.write((plan.leftOutLines + ["nothing to put back"]).map { "\($0)\n" }.joined())
                return .drained
            }
            if arguments[dryRun] {
                show(plan)
                return .drained
            }
            if !arguments[yes] {
                show(plan)
                guard Terminal.canAsk else { throw usage("without a terminal to ask on, --yes is needed") }
                guard Terminal.confirm("Put \(records(plan)) back?") else { return .failed }
            }
            let done = try replay.perform()
            if arguments[yes] || done != plan { show(done) }
            Terminal.error.write("\(records(done)) put back\n")
            return .drained
        }
    }

    private static func records(_ tally: ReplayTally) -> String {
        tally.count == 1 ? "1 record" : "\(tally.count) records"
    }

    private static func show(_ tally: ReplayTally) {
        Terminal.output.write(tally.text)
        Terminal.error.write(tally.leftOutLines.map { "\($0)\n" }.joined())
    }
}
