import Foundation
import XCTest

final class UpTests: XCTestCase {
    private let folder: TemporaryFolder = {
        do { return try TemporaryFolder() } catch { preconditionFailure("\(error)") }
    }()

    private func service(_ name: String, _ script: String) throws {
        try folder.write("pipeline/\(name).yaml", "application: test-\(name)\n")
        try folder.writeScript("bin/\(name)", script)
    }

    private func up(_ arguments: String...) throws -> Streamctl {
        try Streamctl(
            ["up", "\(folder.path)/pipeline", "--bin-dir", "\(folder.path)/bin", "--state-dir", "\(folder.path)/state"]
                + arguments, environment: ["LOG_FORMAT": ""])
    }

    private static let obedient = """
        trap 'echo drained; exit 0' TERM
        echo "$INSTANCE_ID $STATE_DIR $OPS_ADDRESS $LOG_FORMAT $* pid=$$"
        while :; do read -t 0.05 <> <(:) || :; done
        """

    private func processID(_ line: String?) throws -> Int32 {
        let text = try XCTUnwrap(line?.split(separator: "=").last, line ?? "the pipeline ended")
        return try XCTUnwrap(Int32(text))
    }

    func testEveryServiceRunsWithItsOwnNameAndFolder() throws {
        try service("one", Self.obedient)
        try service("two", Self.obedient)
        try folder.write("pipeline/rates.yaml", "us: 0.08\n")
        let up = try up("--instances", "two=2")
        var lines: [String] = []
        for _ in 0..<3 { lines.append(try XCTUnwrap(up.line(with: "pid="))) }
        let expected = ["one-1", "two-1", "two-2"].map { name in
            "\(name)     | \(name) \(folder.path)/state/\(name) 127.0.0.1:0 text --config "
                + "\(folder.path)/pipeline/\(name.dropLast(2)).yaml"
        }
        XCTAssertEqual(lines.sorted().map { $0.components(separatedBy: " pid=")[0] }, expected)
        up.signal(SIGTERM)
        let result = try up.end()
        XCTAssertEqual(result.code, 0, result.output)
        XCTAssertEqual(result.output.components(separatedBy: "drained").count, 4)
        for line in lines { XCTAssertFalse(isAlive(try processID(line))) }
    }

    func testWhatDiesIsStartedAgain() throws {
        let again = "trap 'exit 0' TERM; echo \"run pid=$$\"; while :; do sleep 0.05; done"
        let mark = "\(folder.path)/ran"
        try service("flaky", "if [ -e \(mark) ]; then \(again); fi; touch \(mark); echo \"run pid=$$\" >&2; exit 3")
        let up = try up()
        let first = try processID(up.line(with: "flaky-1   | run"))
        XCTAssertTrue(try XCTUnwrap(up.line(with: "ended")).contains("flaky-1 ended with exit code 3"))
        XCTAssertNotEqual(try processID(up.line(with: "run pid=")), first)
        up.signal(SIGINT)
        XCTAssertEqual(try up.end().code, 0)
    }

    func testAKilledServiceIsStartedAgain() throws {
        try service("one", Self.obedient)
        let up = try up()
        let first = try processID(up.line(with: "pid="))
        kill(first, SIGKILL)
        XCTAssertNotNil(up.line(with: "one-1 ended with signal 9"))
        let second = try processID(up.line(with: "pid="))
        XCTAssertNotEqual(first, second)
        up.signal(SIGTERM)
        XCTAssertEqual(try up.end().code, 0)
        XCTAssertFalse(isAlive(second))
    }

    func testAWrongConfigurationEndsEverything() throws {
        try service("good", Self.obedient)
        // The other is running by then.
        try service("bad", "while [ ! -e \(folder.path)/ready ]; do sleep 0.05; done; echo wrong >&2; exit 78")
        let up = try up()
        let good = try processID(up.line(with: "pid="))
        try folder.write("ready", "")
        let result = try up.end()
        XCTAssertEqual(result.code, 78, result.output)
        XCTAssertTrue(result.output.contains("bad-1     | wrong"), result.output)
        XCTAssertTrue(result.output.contains("its configuration is wrong"), result.output)
        XCTAssertTrue(result.output.contains("good-1    | drained"), result.output)
        XCTAssertFalse(isAlive(good))
    }

    func testGrandchildrenEndToo() throws {
        try service("parent", "trap 'exit 0' TERM; sleep 600 & echo \"pid=$!\"; wait")
        let up = try up()
        let grandchild = try processID(up.line(with: "pid="))
        up.signal(SIGTERM)
        XCTAssertEqual(try up.end().code, 0)
        eventually("the grandchild ends") { !isAlive(grandchild) }
    }

    func testNoChildOutlivesAKilledParent() throws {
        try service("one", "trap '' TERM INT HUP; echo pid=$$; while :; do sleep 0.1; done")
        let up = try up()
        let child = try processID(up.line(with: "pid="))
        up.signal(SIGKILL)
        up.process.waitUntilExit()
        eventually("the child ends") { !isAlive(child) }
    }

    func testWhatCannotRunIsSaidAtOnce() throws {
        try folder.write("pipeline/one.yaml", "application: x\n")
        try folder.write("pipeline/two.yaml", "application: y\n")
        try folder.write("pipeline/three.yaml", "application: [\n")
        let broken = try up().end()
        XCTAssertEqual(broken.code, 78)
        XCTAssertTrue(broken.error.contains("three.yaml:"), broken.error)
        try folder.write("pipeline/three.yaml", "")
        let result = try up("--instances", "four=2").end()
        XCTAssertEqual(result.code, 78)
        XCTAssertEqual(
            result.error,
            """
            streamctl up: \(folder.path)/pipeline has no service four; it has one, two
            \(folder.path)/pipeline/one.yaml has no executable: \(folder.path)/bin/one cannot be run
            \(folder.path)/pipeline/two.yaml has no executable: \(folder.path)/bin/two cannot be run

            """)
    }

    func testLongAndUnfinishedLinesAreShownWhole() throws {
        try service("one", "head -c 200000 /dev/zero | tr '\\0' x; echo; printf end; sleep 600")
        try service("two", "printf unfinished; exit 78")
        let up = try up("--only", "one")
        let line = up.line(with: "xxx")
        XCTAssertTrue(line == "one-1     | " + String(repeating: "x", count: 200_000), "\(line?.count ?? 0) characters")
        up.signal(SIGTERM)
        // `sleep` is ended by the signal, which is no good end.
        XCTAssertEqual(try up.end().code, 1)
        let unfinished = try self.up("--only", "two").end()
        XCTAssertTrue(unfinished.output.contains("two-1     | unfinished\n"), unfinished.output)
    }
}
