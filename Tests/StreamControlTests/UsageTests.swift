import XCTest

final class UsageTests: XCTestCase {
    func testEveryVerbHasHelp() throws {
        let help = try Streamctl.run("--help")
        XCTAssertEqual(help.code, 0)
        let verbs = ["up", "topics", "lag", "tail", "summary", "dlq", "produce", "reset", "eval", "validate"]
        for verb in verbs {
            XCTAssertTrue(help.lines.contains { $0.hasPrefix("  \(verb) ") }, verb)
            let own = try Streamctl.run(verb, "--help")
            XCTAssertEqual(own.code, 0)
            XCTAssertTrue(own.output.hasPrefix("Usage: streamctl \(verb)"), own.output)
        }
    }

    func testWrongCommandLinesAreRefusedWithAdvice() throws {
        let wrong: [([String], String)] = [
            ([], "a command is missing"), (["tial"], "did you mean tail?"), (["tail"], "TOPIC is missing"),
            (["tail", "t", "--from", "middle"], "--from middle"), (["tail", "t", "--count", "0"], "--count"),
            (["tail", "t", "--output", "xml"], "--output"), (["topics", "extra"], "unexpected argument extra"),
            (["up"], "DIR is missing"), (["up", "d", "--instances", "a=0"], "SERVICE=N"),
            (["up", "d", "--instances", "a"], "SERVICE=N"), (["reset"], "APPLICATION is missing"),
            (["reset", "a", "--to", "middle"], "--to"), (["lag", "g", "--prefix", "p"], "exclude each other"),
            (["summary", "a:"], "write TOPIC"), (["dlq"], "list, count or replay"), (["lag", "--wait", "1"], "--wait"),
        ]
        for (arguments, advice) in wrong {
            let result = try Streamctl.run(arguments)
            XCTAssertEqual(result.code, 64, "\(arguments)")
            XCTAssertEqual(result.output, "")
            XCTAssertTrue(result.error.contains(advice), "\(arguments): \(result.error)")
            XCTAssertTrue(result.error.contains("--help"), result.error)
        }
    }
}
