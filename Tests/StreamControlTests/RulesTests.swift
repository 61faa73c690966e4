import Foundation
import XCTest

final class RulesTests: XCTestCase {
    func testBatchOfExpressionsAnswersEachLineInOrder() throws {
        let questions = [
            #"{"expr":"1 + 1"}"#, "garbage", "",
            #"{"expr":"a + b","vars":{"a":"int"},"bindings":{"a":2,"b":3}}"#, #"{"expr":"1 / 0"}"#, #"{"expr":7}"#,
            "[]",
            #"{"expr":"x"}"#, #"{"expr":"{'k': [b'a', duration('1.5s')]}"}"#,
        ]
        let result = try Streamctl.run("eval", "--batch", input: questions.joined(separator: "\n"))
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(
            result.lines,
            [
                #"{"value":{"type":"int","value":"2"}}"#,
                #"{"error":"the line is not JSON: expected a value, found 'g' at byte 0"}"#,
                #"{"error":"the line is not JSON: expected a value, found the end of the input at byte 0"}"#,
                #"{"value":{"type":"int","value":"5"}}"#,
                #"{"error":"1:3: divide by zero\n | 1 / 0\n |   ^"}"#,
                #"{"error":"'expr' must be a string"}"#,
                #"{"error":"'expr' must be a string"}"#,
                #"{"error":"1:1: 'x' is not declared\n | x\n | ^"}"#,
                #"{"value":{"type":"map","value":[[{"type":"string","value":"k"},{"type":"list","value":["#
                    + #"{"type":"bytes","value":"YQ=="},{"type":"duration","value":"1.5s"}]}]]}}"#,
            ])
    }

    func testBatchOfSchemasAnswersEachLineInOrder() throws {
        let questions = [
            #"{"schema":{"properties":{"a":{"minimum":5}},"required":["b"]},"instance":{"a":1}}"#,
            #"{"schema":true,"instance":5}"#, #"{"schema":false,"instance":null}"#,
            #"{"schema":{"format":"date"},"instance":"x","formats":true}"#,
            #"{"schema":{"format":"date"},"instance":"x","formats":false}"#,
            #"{"schema":{"format":"date"},"instance":"x"}"#,
            #"{"instance":1}"#, #"{"schema":{}}"#, "[1]", "}", #"{"schema":{},"instance":1,"formats":1}"#,
            #"{"schema":{"$ref":"http://example.com/s"},"instance":1}"#,
        ]
        let result = try Streamctl.run("validate", "--batch", input: questions.joined(separator: "\n") + "\n")
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(
            result.lines,
            [
                ##"{"valid":false,"errors":[{"instanceLocation":"/a","keywordLocation":"#/properties/a/minimum","##
                    + #""error":"a must be at least 5, but is 1"},{"instanceLocation":"","#
                    + ##""keywordLocation":"#/required","error":"b is required"}]}"##,
                #"{"valid":true,"errors":[]}"#,
                ##"{"valid":false,"errors":[{"instanceLocation":"","keywordLocation":"#/false","##
                    + #""error":"the value is not allowed"}]}"#,
                ##"{"valid":false,"errors":[{"instanceLocation":"","keywordLocation":"#/format","##
                    + #""error":"the value must be a date, but is \"x\""}]}"#,
                #"{"valid":true,"errors":[]}"#,
                #"{"valid":true,"errors":[]}"#,
                #"{"error":"'schema' is missing"}"#,
                #"{"error":"'instance' is missing"}"#,
                #"{"error":"the line is not a JSON object"}"#,
                #"{"error":"the line is not JSON: expected a value, found '}' at byte 0"}"#,
                #"{"error":"'formats' must be true or false"}"#,
                #"{"error":"'schema': #/$ref: http://example.com/s is remote: schemas are not fetched; "#
                    + #"give it as a local document"}"#,
            ])
    }

    func testBatchesAnswerEachLineBeforeTheNext() throws {
        for (arguments, question) in [(["eval"], #"{"expr":"1"}"#), (["validate"], #"{"schema":true,"instance":1}"#)] {
            let process = Process()
            let (input, output) = (Pipe(), Pipe())
            process.executableURL = Streamctl.folder.appendingPathComponent("streamctl")
            process.arguments = arguments + ["--batch"]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            for _ in 0..<3 {
                try input.fileHandleForWriting.write(contentsOf: Data("\(question)\n".utf8))
                let answer = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
                XCTAssertTrue(answer.hasPrefix("{") && answer.hasSuffix("}\n"), answer)
            }
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            XCTAssertEqual(process.terminationStatus, 0)
        }
    }

    func testBatchesSurviveGarbage() throws {
        var random = SystemRandomNumberGenerator()
        let seeds = [#"{"expr":"a[0] + 'x'","bindings":{"a":[1]}}"#, #"{"schema":{"type":["string"]},"instance":"é"}"#]
        for verb in ["eval", "validate"] {
            var input = Data()
            for round in 0..<2_000 {
                var line = Array(seeds[round % 2].utf8)
                for _ in 0..<Int.random(in: 0...4, using: &random) {
                    line[Int.random(in: 0..<line.count, using: &random)] = UInt8.random(in: 11...255, using: &random)
                }
                input += line + [10]
            }
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("garbage-\(UUID().uuidString)")
            try input.write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let process = Process()
            let output = Pipe()
            process.executableURL = Streamctl.folder.appendingPathComponent("streamctl")
            process.arguments = [verb, "--batch"]
            process.standardInput = try FileHandle(forReadingFrom: file)
            process.standardOutput = output
            try process.run()
            let answers = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            XCTAssertEqual(process.terminationStatus, 0)
            let lines = answers.split(separator: 10)
            XCTAssertEqual(lines.count, 2_000)
            for line in lines { XCTAssertNoThrow(try json(String(decoding: line, as: UTF8.self))) }
        }
    }

    func testEvalShowsTheValueOfARecord() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("order.json", #"{"amount":"12.50","tags":["a"],"n":null}"#)
        func eval(_ expression: String, _ arguments: String...) throws -> Streamctl.Result {
            try Streamctl.run(["eval", expression, "--record", file] + arguments)
        }
        XCTAssertEqual(try eval(#"decimal(amount) > decimal("10")"#).output, "true\n")
        XCTAssertEqual(try eval(#"(decimal(amount) * decimal("0.08")).round(2)"#).output, "1.00\n")
        XCTAssertEqual(try eval("value.?missing").output, "optional.none()\n")
        XCTAssertEqual(
            try eval("[now(), tags]", "--now", "2026-01-13T15:30:45Z").output,
            "[\"2026-01-13T15:30:45.000Z\",[\"a\"]]\n")
        let stdin = try Streamctl.run("eval", "x", "--record", "-", input: #"{"x":{"y":1}}"#)
        XCTAssertEqual(stdin.output, "{\"y\":1}\n")
    }

    func testExitCodesTellWhatIsAtFault() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("r.json", #"{"a":1}"#)
        let broken = try folder.write("broken.json", "{")
        let codes: [([String], Int32)] = [
            (["eval", "a", "--record", file], 0), (["eval", "a / 0", "--record", file], 65),
            (["eval", "b", "--record", file], 65), (["eval", "1", "--record", broken], 65),
            (["eval", "1 +"], 64), (["eval", "a"], 64), (["eval"], 64), (["eval", "1", "--batch"], 64),
            (["eval", "1", "--record", "/nowhere"], 64), (["eval", "1", "--now", "noon"], 64),
            (["eval", "1", "--nonsense"], 64),
        ]
        for (arguments, code) in codes {
            let result = try Streamctl.run(arguments)
            XCTAssertEqual(result.code, code, "\(arguments): \(result.error)")
            XCTAssertEqual(result.error.isEmpty, code == 0, "\(arguments)")
        }
    }

    func testValidateJudgesFilesBySchemasBesideEachOther() throws {
        let folder = try TemporaryFolder()
        let schema = try folder.write("a schema.json", ##"{"properties":{"n":{"$ref":"parts/number.json#/$defs/n"}}}"##)
        try folder.write("parts/number.json", #"{"$defs":{"n":{"type":"integer","maximum":10}}}"#)
        let good = try folder.write("good.json", #"{"n":3}"#)
        let bad = try folder.write("bad.json", #"{"n":30.5}"#)
        let valid = try Streamctl.run("validate", "--schema", schema, good)
        XCTAssertEqual(valid.code, 0, valid.error)
        XCTAssertEqual(valid.output, "\(good): valid\n")
        let refused = try Streamctl.run("validate", "--schema", schema, good, bad)
        XCTAssertEqual(refused.code, 65)
        XCTAssertEqual(refused.lines.count, 3)
        XCTAssertTrue(refused.lines[1].hasPrefix("\(bad): /n: "), refused.output)
        let notJSON = try Streamctl.run("validate", "--schema", schema, "-", input: "{")
        XCTAssertEqual(notJSON.code, 65)
        let remote = try folder.write("remote.json", #"{"$ref":"http://example.com/x"}"#)
        for arguments in [
            ["--schema", remote, good], ["--schema", "/nowhere", good], ["--schema", schema, "/nowhere"],
            ["--schema", schema], [good], ["--batch", good],
        ] {
            let result = try Streamctl.run(["validate"] + arguments)
            XCTAssertEqual(result.code, 64, "\(arguments): \(result.output)")
            XCTAssertFalse(result.error.isEmpty)
        }
    }
}
