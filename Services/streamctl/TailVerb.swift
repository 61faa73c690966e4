import JSON
import StreamControl
import StreamKitService

/// `streamctl tail`: the committed records of topics.
enum TailVerb: Verb {
    private static let from = Option(
        "from", "start|end|OFFSET|-N", .text,
        help:
            "Where to begin: -20 is 20 offsets before each partition's end. The start if not said, the end with --follow."
    )
    private static let count = Option("count", "N", .integer(in: 1...Int.max), help: "Ends after so many records.")
    private static let partition = Option("partition", "P", .integer(in: 0...Int(Int32.max)), help: "Only this one.")
    private static let follow = Flag("follow", help: "Goes on with what comes, until Ctrl-C.")

    static let command = Command(
        "tail",
        about:
            "Shows committed records with key, headers, timestamp, partition and offset, up to the end that the topics have "
            + "when it begins. Control characters, and bytes that are not UTF-8, are shown as \\xNN.",
        options: [from, count, partition, follow, Output.option],
        positionals: [.init("TOPIC", help: "One topic or more.", isRepeated: true)])

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        var request = ReadRequest(topics: arguments.positionals("TOPIC"))
        request.follows = arguments[follow]
        request.count = arguments[count]
        request.partition = arguments[partition].map { Int32(clamping: $0) }
        request.from = try start(arguments[from], follows: request.follows)
        let format = arguments[Output.option] ?? .text
        let text = RecordText(format, isColored: format == .text && Terminal.output.isInteractive)
        let output = OutputBuffer(capacity: 64 << 10)
        func flush() {
            Terminal.output.write(output.bytes)
            output.removeAll()
        }
        try withCluster(environment) { connection in
            try TopicReader(connection, request).read(
                record: { record, partition in
                    text.append(record, of: partition, to: output)
                    if output.count > 256 << 10 { flush() }
                }, idle: flush)
        }
        flush()
        return .drained
    }

    private static func start(_ text: String?, follows: Bool) throws -> ReadRequest.Start {
        switch text {
        case nil: return follows ? .end : .start
        case "start": return .start
        case "end": return .end
        case let text?:
            guard let number = Int64(text), number > Int64.min else {
                throw usage("--from \(text): write start, end, an offset, or -N for N offsets before the end")
            }
            return number < 0 ? .last(-number) : .offset(number)
        }
    }
}
