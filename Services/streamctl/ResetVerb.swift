import StreamControl
import StreamKitService

/// `streamctl reset`: an application begins anew.
enum ResetVerb: Verb {
    private static let dryRun = Flag("dry-run", help: "Only says what would be done.")
    private static let yes = Flag("yes", help: "Does not ask.")
    private static let target = Option(
        "to", "earliest|latest", .word(ResetRequest.Target.self),
        help: "Where the inputs are read from then: the earliest record if not said.")
    private static let input = Option(
        "input", "TOPIC", .topicName, isRepeated: true, help: "Only this input is read anew; all if not said.")
    private static let state = Option(
        "state-dir", "DIR", .text, help: "Local state is looked for here and in folders below; .state if not said.")

    static let command = Command(
        "reset",
        about:
            "Makes an application begin anew: rewinds its group's offsets, deletes its changelog and repartition topics, removes "
            + "its state on this machine. Refused while the group has live members. What the application wrote stays.",
        options: [target, input, state, dryRun, yes],
        positionals: [.init("APPLICATION", help: "Its name, which is its consumer group's.")])

    static func run(_ arguments: Arguments, _ environment: Environment) throws -> ExitCode {
        var request = ResetRequest(
            application: arguments.positional("APPLICATION") ?? "", stateDirectory: arguments[state] ?? ".state")
        request.target = arguments[target] ?? .earliest
        if !arguments.all(input).isEmpty { request.inputs = arguments.all(input) }
        return try withCluster(environment) { connection in
            let reset = try ApplicationReset(connection)
            let plan = try reset.plan(request)
            Terminal.output.write(plan.lines.map { "\($0)\n" }.joined())
            if plan.isEmpty {
                Terminal.error.write("\(request.application) has nothing to reset\n")
                return .drained
            }
            if arguments[dryRun] {
                if let obstacle = plan.obstacle { Terminal.error.write("\(obstacle)\n") }
                return plan.obstacle == nil ? .drained : .failed
            }
            if plan.obstacle == nil, !arguments[yes] {
                guard Terminal.canAsk else { throw usage("without a terminal to ask on, --yes is needed") }
                guard Terminal.confirm("Reset \(request.application)?") else { return .failed }
            }
            try reset.perform(plan)
            return .drained
        }
    }
}
