import Glibc
import StreamControl
import StreamKitService

/// `streamctl up`: a pipeline's services as processes on this machine.
enum UpVerb: Verb {
    private static let instances = Option(
        "instances", "SERVICE=N", .text, isRepeated: true, help: "Instances of a service; one if not said.")
    private static let only = Option(
        "only", "SERVICE", .text, isRepeated: true, help: "Runs only this service of the pipeline.")
    private static let binaries = Option(
        "bin-dir", "DIR", .text, help: "Where the services' executables are; beside streamctl if not said.")
    private static let state = Option(
        "state-dir", "DIR", .text,
        help: "Where each instance keeps its state, in a folder of its name; .state/<pipeline> if not said.")

    static let command = Command(
        "up",
        about:
            "Runs all services of a pipeline as processes on this machine. Each DIR/<service>.yaml is run by the executable "
            + "<service>. What dies is started again; a wrong configuration ends everything. Ctrl-C ends it too.",
        options: [instances, only, binaries, state],
        positionals: [.init("DIR", help: "The pipeline's folder.")],
        footer: """
            Instances are named <service>-<number>, which is their INSTANCE_ID; other variables are passed on. Logs are text unless
            LOG_FORMAT says json.

            Exit codes: 0 all ended well after Ctrl-C or SIGTERM, 1 something did not end well, 64, 78 wrong configuration.
            """)

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        var request = PipelineRequest(
            folder: arguments.positional("DIR") ?? "", binaryDirectory: arguments[binaries] ?? ownDirectory)
        request.only = arguments.all(only)
        request.stateDirectory = arguments[state]
        for text in arguments.all(instances) {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), (1...64).contains(count) else {
                throw usage("--instances \(text): write SERVICE=N with N from 1 to 64, as in validator=2")
            }
            request.instances[String(parts[0])] = count
        }
        return try PipelineRunner(
            request, environment: environment, isColored: Terminal.output.isInteractive
        ).run()
    }

    /// The folder of this very executable.
    private static var ownDirectory: String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &path, Int(PATH_MAX))
        guard count > 0 else { return "." }
        let text = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
    }
}
