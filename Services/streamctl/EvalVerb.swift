import JSON
import StreamControl
import StreamKitService

/// `streamctl eval`: an expression, tried before it is deployed.
enum EvalVerb: Verb {
    private static let record = Option(
        "record", "FILE", .text,
        help: "A JSON record; its fields are variables, `value` is the whole. - is standard input.")
    private static let now = Option("now", "T", .text, help: "What now() answers, in RFC 3339.")
    private static let batch = Flag("batch", help: "Answers questions of standard input, a line each.")

    static let command = Command(
        "eval",
        about: "Evaluates a CEL expression and shows its value as JSON.",
        options: [record, now, batch],
        positionals: [.init("EXPR", help: "The expression, as in: amount > 10.0", isRequired: false)],
        footer: """
            With --batch each line of standard input is {"expr": source, "vars": {name: type}, "bindings": {name: value}, "container":
            name}, all but expr optional, and is answered in order by {"value": {"type": T, "value": V}} or {"error": message}.
            Types are int, uint, double, decimal, string, bool, bytes, timestamp, duration, null, type, dyn, list(T), map(K, V),
            optional_type(T), and protobuf's names of them. Values are typed: int, uint, double and decimal are text ("5", "1.5", "NaN",
            "-Infinity"), bool and null JSON's own, bytes base64, timestamp RFC 3339, duration "1.5s", type its name, list [V...], map
            [[V, V]...], optional V or null. A binding is such a value, or plain JSON read by the declared type; undeclared names are dyn.

            Exit codes: 0 evaluated, 65 the record or the evaluation is at fault, 64 the expression or the command line is.
            """)

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        if arguments[batch] {
            guard arguments.positional("EXPR") == nil, arguments[record] == nil, arguments[now] == nil else {
                throw usage("--batch takes its expressions and records from standard input")
            }
            let batch = ExpressionBatch()
            try answerLines { batch.answer($0, into: $1) }
            return .drained
        }
        guard let expression = arguments.positional("EXPR") else { throw usage("EXPR is missing") }
        var instant: Instant?
        if let text = arguments[now] {
            guard let parsed = Instant(text) else { throw usage("--now \(text): write it as 2026-01-13T15:30:45Z") }
            instant = parsed
        }
        var bytes: [UInt8]?
        if let file = arguments[record] {
            do { bytes = try LineReader.whole(file) } catch { throw TrialError.unusable("\(error)") }
        }
        Terminal.output.write(try ExpressionTrial.evaluate(expression, record: bytes, now: instant) + "\n")
        return .drained
    }
}

extension Verb {
    /// Each line of standard input is answered by a line, at once.
    static func answerLines(_ answer: (UnsafeRawBufferPointer, OutputBuffer) -> Void) throws {
        let output = OutputBuffer()
        try LineReader("-").forEach { line in
            output.removeAll()
            answer(line, output)
            Terminal.output.write(output.bytes)
            return true
        }
    }
}
