import StreamControl
import StreamKitService

/// `streamctl validate`: files judged by a JSON Schema.
enum ValidateVerb: Verb {
    private static let schema = Option("schema", "S", .text, help: "The schema's file.")
    private static let formats = Flag("formats", help: "Checks format too, which else only says what is meant.")
    private static let batch = Flag("batch", help: "Answers questions of standard input, a line each.")

    static let command = Command(
        "validate",
        about: "Judges JSON files by a JSON Schema (draft 2020-12) and shows every violation with its place.",
        options: [schema, formats, batch],
        positionals: [
            .init("FILE", help: "JSON, one value each; - is standard input.", isRequired: false, isRepeated: true)
        ],
        footer: """
            With --batch each line of standard input is {"schema": S, "instance": I, "formats": bool}, formats optional, and is answered
            in order by {"valid": bool, "errors": [{"instanceLocation": ..., "keywordLocation": ..., "error": ...}]} or {"error": ...}.

            Exit codes: 0 all valid, 65 one is not, 64 the schema, a file or the command line cannot be used.
            """)

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        let files = arguments.positionals("FILE")
        if arguments[batch] {
            guard files.isEmpty, arguments[schema] == nil, !arguments[formats] else {
                throw usage("--batch takes its schemas and instances from standard input")
            }
            let batch = SchemaBatch()
            try answerLines { batch.answer($0, into: $1) }
            return .drained
        }
        guard let schemaFile = arguments[schema] else { throw usage("--schema S is missing") }
        if files.isEmpty { throw usage("FILE is missing") }
        let trial = try SchemaTrial(schemaFile: schemaFile, assertsFormats: arguments[formats])
        for warning in trial.warnings { Terminal.error.write("\(warning)\n") }
        var isValid = true
        for file in files {
            let bytes: [UInt8]
            do { bytes = try LineReader.whole(file) } catch { throw TrialError.unusable("\(error)") }
            let problems = trial.problems(bytes)
            if !problems.isEmpty { isValid = false }
            let lines = problems.isEmpty ? ["\(file): valid"] : problems.map { "\(file): \($0)" }
            Terminal.output.write(lines.map { "\($0)\n" }.joined())
        }
        return isValid ? .drained : .invalidData
    }
}
