import Glibc
import StreamControl
import StreamKitService

/// `streamctl lag`: how far behind groups are.
enum LagVerb: Verb {
    private static let prefix = Option("prefix", "P", .text, help: "Only groups whose names begin so.")
    private static let wait = Option(
        "wait", "TIME", .duration(in: .seconds(1)...(.seconds(86_400))),
        help: "Waits at most so long until the groups have read everything; exits with 1 if they have not.")

    static let command = Command(
        "lag",
        about:
            "Shows for each partition of a group what it has committed, the last stable offset, how many records it has still "
            + "to read, and who reads it. Records of open transactions do not count; nobody can read them yet.",
        options: [prefix, wait, Output.option],
        positionals: [.init("GROUP", help: "These groups; all if none is given.", isRequired: false, isRepeated: true)])

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        let names = arguments.positionals("GROUP")
        let prefix = arguments[prefix] ?? ""
        if !names.isEmpty && !prefix.isEmpty { throw usage("GROUP and --prefix exclude each other") }
        let (groups, isDrained) = try withCluster(environment) { connection in
            let reader = try GroupLagReader(connection)
            guard let timeout = arguments[wait] else {
                return (try reader.read(names.isEmpty ? nil : names, prefix: prefix), true)
            }
            return try reader.waitUntilDrained(names.isEmpty ? nil : names, prefix: prefix, timeout: timeout) {
                usleep(200_000)
            }
        }
        let found = groups.filter(\.exists)
        Terminal.output.write(arguments[Output.option] == .json ? GroupLag.json(found) : GroupLag.text(found))
        let missing = names.filter { name in !found.contains { $0.group == name } }
        for name in missing { Terminal.error.write("there is no group \(name)\n") }
        return isDrained && missing.isEmpty ? .drained : .failed
    }
}
