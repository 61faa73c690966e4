import Glibc
import StreamControl
import StreamKitService

/// `streamctl produce`: records of a file into a topic.
enum ProduceVerb: Verb {
    private static let rate = Option(
        "rate", "N", .integer(in: 1...10_000_000), help: "Records a second; as fast as it goes if not said.")

    private static let create = Option(
        "create", "PARTITIONS", .integer(in: 1...100_000),
        help: "Creates the topic with so many partitions if it does not exist.")

    static let command = Command(
        "produce",
        about:
            "Writes a file's records to a topic, in transactions of at most 1,000. A line is a record: key, tab, value; an "
            + "empty key or value is none, and so is the key of a line without a tab. Keys choose partitions as in any Kafka client.",
        options: [rate, create],
        positionals: [
            .init("TOPIC", help: "Where to; it must exist, but for --create."),
            .init("FILE", help: "Where from; - is standard input, and so is none.", isRequired: false),
        ])

    /// With a rate, what is written becomes visible so often.
    private static let slice = Duration.milliseconds(50)

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        let topic = arguments.positional("TOPIC") ?? ""
        let lines = try LineReader(arguments.positional("FILE") ?? "-")
        try withCluster(environment) { connection in
            let producer = try RecordFileProducer(
                connection, topic: topic, createdWith: arguments[create].map { Int32(clamping: $0) })
            var pace = arguments[rate].map { Pace(perSecond: $0, slice: slice) }
            try lines.forEach { line in
                if pace?.isFull == true {
                    try producer.commit()
                    pace?.rest()
                }
                try producer.add(line)
                pace?.count()
                return true
            }
            try producer.commit()
            Terminal.error.write("\(producer.written) records written to \(topic)\n")
        }
        return .drained
    }
}

/// So many records a second, in slices.
private struct Pace {
    private let begin = ContinuousClock.now
    private let perSecond: Int
    private let slice: Duration
    private var done = 0

    init(perSecond: Int, slice: Duration) {
        self.perSecond = perSecond
        self.slice = slice
    }

    private var due: Double { (ContinuousClock.now - begin + slice) / .seconds(1) * Double(perSecond) }

    var isFull: Bool { Double(done) >= due }

    mutating func count() { done += 1 }

    func rest() {
        while isFull { usleep(5_000) }
    }
}
