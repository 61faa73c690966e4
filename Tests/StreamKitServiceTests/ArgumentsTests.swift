import StreamKitService
import XCTest

final class ArgumentsTests: XCTestCase {
    private let instances = Option("instances", "N", .integer(in: 1...16), help: "Instances of each service.")
    private let only = Option("only", "NAME", .text, isRepeated: true, help: "Runs only this service.")
    private let dryRun = Flag("dry-run", help: "Shows what would be done.")

    private var command: Command {
        Command(
            "streamctl", about: "Looks after pipelines.", version: "1.2.3",
            subcommands: [
                Command(
                    "up", about: "Runs all services of a pipeline.", options: [instances, only, dryRun],
                    positionals: [
                        .init("DIR", help: "The pipeline's folder."), .init("EXTRA", help: "More.", isRequired: false),
                    ]),
                Command("topics", about: "Lists topics."),
            ])
    }

    private func parse(_ line: String) throws -> Arguments {
        switch try command.parse(line.split(separator: " ").map(String.init)) {
        case .run(let arguments): return arguments
        case .show(let text): throw UsageError(message: text, command: "")
        }
    }

    private func refusal(_ line: String) -> String {
        do {
            _ = try parse(line)
            return "accepted"
        } catch {
            return (error as? UsageError)?.description ?? "\(error)"
        }
    }

    private func shown(_ line: String) throws -> String? {
        guard case .show(let text) = try command.parse(line.split(separator: " ").map(String.init)) else { return nil }
        return text
    }

    func testOptionsFlagsAndPositionals() throws {
        let arguments = try parse("up --instances 3 pipelines --only=a --dry-run --only b")
        XCTAssertEqual(arguments.path, ["streamctl", "up"])
        XCTAssertEqual(arguments[instances], 3)
        XCTAssertEqual(arguments.all(only), ["a", "b"])
        XCTAssertTrue(arguments[dryRun])
        XCTAssertEqual(arguments.positional("DIR"), "pipelines")
        XCTAssertNil(arguments.positional("EXTRA"))
    }

    func testWhatBeginsWithAMinusAndAsksForNoOptionIsAValue() throws {
        for expression in ["-1 + 2", "-x > 3", "-(x)", "-.5", "-"] {
            guard case .run(let arguments) = try command.parse(["up", expression]) else { return XCTFail(expression) }
            XCTAssertEqual(arguments.positional("DIR"), expression)
        }
        for option in ["-x", "--1", "--a b"] { XCTAssertThrowsError(try command.parse(["up", option]), option) }
    }

    func testTheLastPositionalMayTakeAllThatIsLeft() throws {
        let command = Command(
            "judge", about: "Judges files. And more.",
            positionals: [
                .init("SCHEMA", help: "Judged by it."), .init("FILE", help: "To be judged.", isRepeated: true),
            ])
        guard case .run(let arguments) = try command.parse(["s", "a", "b"]) else { return XCTFail("not run") }
        XCTAssertEqual(arguments.positional("SCHEMA"), "s")
        XCTAssertEqual(arguments.positionals("FILE"), ["a", "b"])
        XCTAssertThrowsError(try command.parse(["s"])) { error in
            XCTAssertEqual((error as? UsageError)?.message, "FILE is missing")
        }
        guard case .show(let help) = try command.parse(["--help"]) else { return XCTFail("no help") }
        XCTAssertTrue(help.hasPrefix("Usage: judge SCHEMA FILE..."), help)
        guard case .show(let list) = try Command("all", about: "All.", subcommands: [command]).parse(["--help"])
        else { return XCTFail("no help") }
        XCTAssertTrue(list.contains("  judge  Judges files.\n"), list)
    }

    func testTwoDashesEndTheOptions() throws {
        let arguments = try parse("up -- --dry-run -x")
        XCTAssertEqual(arguments.positional("DIR"), "--dry-run")
        XCTAssertEqual(arguments.positional("EXTRA"), "-x")
        XCTAssertFalse(arguments[dryRun])
    }

    func testValuesMayBeginWithADashOrHaveEqualSigns() throws {
        XCTAssertEqual(try parse("up d --only=--x=y").all(only), ["--x=y"])
        XCTAssertEqual(try parse("up d --only -1").all(only), ["-1"])
    }

    func testErrorsSayWhatToWrite() {
        let cases = [
            ("up d --instnaces 3", "streamctl up: unknown option --instnaces; did you mean --instances?"),
            ("up d --frobnicate", "streamctl up: unknown option --frobnicate"),
            ("up d --instances", "streamctl up: --instances needs a value: --instances N"),
            ("up d --instances --dry-run", "streamctl up: --instances needs a value: --instances N"),
            ("up d --instances 99", "streamctl up: --instances must be a whole number from 1 to 16, not 99"),
            ("up d --instances 1 --instances 2", "streamctl up: --instances is given twice"),
            ("up d --dry-run=yes", "streamctl up: --dry-run takes no value"),
            ("up", "streamctl up: DIR is missing"),
            ("up a b c", "streamctl up: unexpected argument c"),
            ("topic", "streamctl: topic is no command; did you mean topics?"),
            ("", "streamctl: a command is missing: up or topics"),
            ("--instances 3 up", "streamctl: unknown option --instances"),
            ("up d -x", "streamctl up: unknown option -x"),
        ]
        for (line, expected) in cases {
            let command = String(expected.prefix { $0 != ":" })
            XCTAssertEqual(refusal(line), expected + "\nTry '\(command) --help'.", line)
        }
    }

    func testHelpIsGenerated() throws {
        XCTAssertEqual(
            try shown("up --help"),
            """
            Usage: streamctl up [--instances N] [--only NAME]... [--dry-run] DIR [EXTRA]

            Runs all services of a pipeline.

            Arguments:
              DIR    The pipeline's folder.
              EXTRA  More.

            Options:
              --instances N  Instances of each service.
              --only NAME    Runs only this service. May be repeated.
              --dry-run      Shows what would be done.
              --help         Shows this help.

            """)
        XCTAssertEqual(
            try shown("-h"),
            """
            Usage: streamctl COMMAND

            Looks after pipelines.

            Commands:
              up      Runs all services of a pipeline.
              topics  Lists topics.

            Options:
              --help     Shows this help.
              --version  Shows the version.

            """)
        XCTAssertEqual(try shown("--version"), "streamctl 1.2.3\n")
    }

    private func service(_ line: String) throws -> ServiceArguments.Request {
        try ServiceArguments.parse(
            line.split(separator: " ").map(String.init), service: "validator", about: "Checks records.", version: "1")
    }

    func testTheCommandLineOfAService() throws {
        func start(_ mode: ServiceArguments.Mode, _ overrides: [String] = []) -> ServiceArguments.Request {
            .start(ServiceArguments(configurationFile: "v.yaml", overrides: overrides, mode: mode))
        }
        XCTAssertEqual(try service("--config v.yaml"), start(.run))
        XCTAssertEqual(try service("--set a.b=c --config=v.yaml --set d="), start(.run, ["a.b=c", "d="]))
        XCTAssertEqual(try service("--config v.yaml --check"), start(.check))
        XCTAssertEqual(try service("--config v.yaml --describe"), start(.describe(.text)))
        XCTAssertEqual(try service("--describe mermaid --config v.yaml"), start(.describe(.mermaid)))
        XCTAssertEqual(try service("--describe --config v.yaml"), start(.describe(.text)))
        XCTAssertEqual(try service("--describe=json --config v.yaml"), start(.describe(.json)))
    }

    func testAServiceRefusesWhatItDoesNotKnow() {
        func refusal(_ line: String) -> String {
            do { return "\(try service(line))" } catch { return (error as? UsageError)?.message ?? "" }
        }
        XCTAssertEqual(refusal(""), "--config FILE is missing")
        XCTAssertEqual(
            refusal("--config v.yaml --describe=dot"), "--describe must be text, mermaid or json, not \"dot\"")
        XCTAssertEqual(refusal("--config v.yaml --describe dot"), "unexpected argument dot")
        XCTAssertEqual(refusal("--config v.yaml --check --describe"), "--check and --describe exclude each other")
        XCTAssertEqual(refusal("v.yaml"), "--config FILE is missing")
    }
}
