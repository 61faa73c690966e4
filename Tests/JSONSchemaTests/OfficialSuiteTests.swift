import Foundation
import JSON
import JSONSchema
import XCTest

/// The JSON Schema organisation's own test suite, where a copy is at hand: `JSON_SCHEMA_TEST_SUITE` names its folder, the one
/// with `tests` and `remotes`.
final class OfficialSuiteTests: XCTestCase {
    /// What is left out, by file and description, and why.
    private static let leftOut: [String: String] = [
        "vocabulary.json": "custom dialects are refused", "optional/cross-draft.json": "other drafts are refused",
        "optional/format/idn-hostname.json": "not offered",
        "optional/format-assertion.json": "custom dialects are refused",
    ]

    func testDraft202012() throws {
        guard let path = ProcessInfo.processInfo.environment["JSON_SCHEMA_TEST_SUITE"] else {
            let notice = "LEFT OUT: the official JSON Schema test suite (JSON_SCHEMA_TEST_SUITE is not set)\n"
            FileHandle.standardError.write(Data(notice.utf8))
            throw XCTSkip(notice)
        }
        let suite = URL(fileURLWithPath: path)
        let folder = suite.appendingPathComponent("tests/draft2020-12")
        let files = try XCTUnwrap(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
        var tests = 0
        var failures: [String] = []
        for file in files.sorted() where file.hasSuffix(".json") && Self.leftOut[file] == nil {
            let record = JSONRecord()
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
            try bytes.withUnsafeBytes { bytes in
                try record.read(bytes)
                for group in record.root.elements {
                    let description = group.member("description")?.string?.string ?? ""
                    let schema: JSONSchema
                    do {
                        schema = try JSONSchema(
                            Array(try XCTUnwrap(group.member("schema")).bytes),
                            formats: file.hasPrefix("optional/format/") ? .assertion : .annotation
                        ) { uri in
                            guard uri.hasPrefix("http://localhost:1234/") else { return nil }
                            let remote = suite.appendingPathComponent("remotes/" + uri.dropFirst(22))
                            return [UInt8](try Data(contentsOf: remote))
                        }
                    } catch {
                        failures.append("\(file): \(description): \(error)")
                        continue
                    }
                    let instances = JSONRecord()
                    let validator = SchemaValidator(schema, record: instances)
                    for test in try XCTUnwrap(group.member("tests")).elements {
                        tests += 1
                        try instances.read(try XCTUnwrap(test.member("data")).bytes)
                        let expected = try XCTUnwrap(test.member("valid")?.bool)
                        let name = "\(file): \(description): \(test.member("description")?.string?.string ?? "")"
                        if validator.isValid() != expected { failures.append("\(name): should be \(expected)") }
                        XCTAssertEqual(validator.violations().isEmpty, validator.isValid(), name)
                    }
                }
            }
        }
        for failure in failures { XCTFail(failure) }
        XCTAssertGreaterThan(tests, 1_000)
    }
}
