import JSON
import JSONSchema
import TestSupport
import XCTest

final class FuzzTests: XCTestCase {
    private let inputs = Fuzz.inputs(otherwise: 5_000)

    func testDamagedSchemasAreCompiledOrRefused() throws {
        var random = Fuzz.random()
        let pieces = [
            "{", "}", "[", "]", "\"", ":", ",", "#", "/", "$ref", "true", "1", "-", "\\", "e9", "\"$id\":\"x\",",
            "\"type\":\"string\"",
        ].map { Array($0.utf8) }
        var compiled = 0
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
        var random = Fuzz.random()
        let formats = [
            "date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference",
            "uuid", "regex", "json-pointer", "relative-json-pointer", "iri", "iri-reference", "uri-template",
            "idn-email",
        ]
        let validators = try formats.map { try Validation(#"{"format":"\#($0)"}"#, formats: .assertion) }
        let pieces = [
            "a", "0", "1.2", ":", "::", "/", "@", "[", "]", ".", "-", "%4", "%41", "#", "?", "P", "T", "1D", "\\\\",
            "\\\"", "xn--", "é", "~0", "2026-11-21", "10:00:00Z", "(", "*", "f", "{", "}", "{+a,b:3}", "\u{E000}",
            "\u{1FFFE}",
        ]
        for _ in 0..<inputs {
            let text = "\"" + (0..<random.below(10)).map { _ in random.pick(pieces) }.joined() + "\""
            for validator in validators { _ = try validator.isValid(text) }
        }
    }
}
