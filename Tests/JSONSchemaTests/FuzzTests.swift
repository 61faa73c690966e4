import Foundation
import JSON
import JSONSchema
import XCTest
import TestSupport

final class FuzzTests: XCTestCase {
    /// `STREAMKIT_FUZZ_INPUTS`, a million for a night's run.
    private let inputs = ProcessInfo.processInfo.environment["STREAMKIT_FUZZ_INPUTS"].flatMap { Int($0) } ?? 20_000

    func testDamagedSchemasAreCompiledOrRefused() throws {
        var random = SeededRandom(seed: 31)
        let pieces = [
            "{", "}", "[", "]", "\"", ":", ",", "#", "/", "$ref", "true", "1", "-", "\\", "e9", "\"$id\":\"x\",",
            "\"type\":\"string\"",
        ].map { Array($0.utf8) }
        var compiled = 0
        let inputs = inputs / 4
        for _ in 0..<inputs {
            var bytes = Array(RandomSchema.schema(&random, depth: 0).utf8)
            for _ in 0..<random.below(3) {
                let position = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: position)
                case 2: bytes.insert(contentsOf: random.pick(pieces), at: position)
                default: bytes.removeSubrange(position..<min(bytes.count, position + 5))
                }
                if bytes.isEmpty { break }
            }
            guard let schema = try? JSONSchema(bytes, formats: .assertion) else { continue }
            compiled += 1
            let record = JSONRecord()
            let validator = SchemaValidator(schema, record: record)
            try Array(RandomSchema.instance(&random, depth: 0).utf8).withUnsafeBytes { bytes in
                try record.read(bytes)
                XCTAssertEqual(validator.violations().isEmpty, validator.isValid())
                record.clear()
            }
        }
        XCTAssertGreaterThan(compiled, inputs / 10)
        XCTAssertLessThan(compiled, inputs * 9 / 10)
    }

    func testFormatsTakeAnyText() throws {
        var random = SeededRandom(seed: 8)
        let formats = [
            "date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference",
            "uuid", "regex", "json-pointer", "relative-json-pointer",
        ]
        let validators = try formats.map { try Validation(#"{"format":"\#($0)"}"#, formats: .assertion) }
        let pieces = [
            "a", "0", "1.2", ":", "::", "/", "@", "[", "]", ".", "-", "%4", "%41", "#", "?", "P", "T", "1D", "\\\\",
            "\\\"", "xn--", "é", "~0", "2026-11-21", "10:00:00Z", "(", "*", "f",
        ]
        for _ in 0..<(inputs / 4) {
            let text = "\"" + (0..<random.below(10)).map { _ in random.pick(pieces) }.joined() + "\""
            for validator in validators { _ = try validator.isValid(text) }
        }
    }
}
