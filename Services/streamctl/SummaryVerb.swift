import StreamControl
import StreamKitService

/// `streamctl summary`: what lies in topics, counted.
enum SummaryVerb: Verb {
    private static let follow = Flag(
        "follow", help: "On a terminal: goes on counting and keeps the picture up to date, until Ctrl-C.")

    static let command = Command(
        "summary",
        about: "Counts the committed records of topics, and by the values of a field, with the latest record of each.",
        options: [follow],
        positionals: [
            .init(
                "TOPIC[:FIELD[:SHOWN]]",
                help:
                    "A topic; a JSON field whose values are counted; the fields shown of the latest record, with commas "
                    + "between, as in orders.dlq:error_type:error_message.", isRepeated: true)
        ])

    private static let redrawEvery = Duration.milliseconds(300)

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        var specifications: [TallySpecification] = []
        for text in arguments.positionals("TOPIC[:FIELD[:SHOWN]]") {
            guard let specification = TallySpecification(text) else {
                throw usage("\(text): write TOPIC, TOPIC:FIELD or TOPIC:FIELD:SHOWN,SHOWN")
            }
            specifications.append(specification)
        }
        let isLive = Terminal.output.isInteractive
        var request = ReadRequest(topics: specifications.map(\.topic))
        request.follows = arguments[follow] && isLive
        let tally = TopicTally(specifications)
        var picture = Picture()
        try withCluster(environment) { connection in
            try TopicReader(connection, request).read(
                record: { tally.add($0, of: $1) },
                idle: { if request.follows { picture.draw(every: redrawEvery) { tally.text(width: $0) } } })
        }
        if !request.follows { Terminal.output.write(tally.text(width: isLive ? Terminal.output.width : .max)) }
        return .drained
    }
}

/// Text on a terminal that is drawn over itself.
private struct Picture {
    private var drawnAt: ContinuousClock.Instant?
    private var drawn = ""

    mutating func draw(every interval: Duration, _ text: (_ width: Int) -> String) {
        if let drawnAt, ContinuousClock.now - drawnAt < interval { return }
        drawnAt = .now
        let next = text(Terminal.output.width)
        if next == drawn { return }
        let lines = drawn.count { $0 == "\n" }
        // Up to the first line, then clear all below.
        Terminal.output.write((lines > 0 ? "\u{1B}[\(lines)A\r\u{1B}[J" : "") + next)
        drawn = next
    }
}
