import JSON
import JSONSchema
import TestSupport
import XCTest

/// The flat check of records says what the whole evaluation says.
final class RecordCheckTests: XCTestCase {
    private let inputs = Fuzz.inputs(otherwise: 4_000)

    /// Records of a few fields against schemas of a few properties, whose keywords are put together at random.
    func testRecordsOfRandomSchemas() throws {
        var random = Fuzz.random()
        var valid = 0
        var judged = 0
        for _ in 0..<inputs {
            let schema = try JSONSchema(rootSchema(&random), formats: .assertion)
            let record = JSONRecord()
            let validator = SchemaValidator(schema, record: record)
            for _ in 0..<4 {
                let text = instance(&random)
                try Array(text.utf8).withUnsafeBytes { bytes in
                    try record.read(bytes)
                    let isValid = validator.isValid()
                    XCTAssertEqual(isValid, validator.isValidByWholeEvaluation(), text)
                    XCTAssertEqual(isValid, validator.violations().isEmpty, text)
                    judged += 1
                    if isValid { valid += 1 }
                    record.clear()
                }
            }
        }
        XCTAssertGreaterThan(valid, judged / 20)
        XCTAssertLessThan(valid, judged * 19 / 20)
    }

    /// Random schemas of every keyword, as the other tests have them.
    func testRandomSchemasOfAnyShape() throws {
        var random = Fuzz.random()
        var judged = 0
        for _ in 0..<inputs {
            let text = RandomSchema.schema(&random, depth: 0)
            guard let schema = try? JSONSchema(text, formats: .assertion) else { continue }
            let record = JSONRecord(duplicateKeys: .lastWins)
            let validator = SchemaValidator(schema, record: record)
            for _ in 0..<4 {
                let instance = RandomSchema.instance(&random, depth: 0)
                try Array(instance.utf8).withUnsafeBytes { bytes in
                    try record.read(bytes)
                    XCTAssertEqual(
                        validator.isValid(), validator.isValidByWholeEvaluation(), "\(text) on \(instance)")
                    judged += 1
                    record.clear()
                }
            }
        }
        XCTAssertGreaterThan(judged, inputs)
    }

    /// A limit of steps refuses the same records either way.
    func testStepLimits() throws {
        let schema = try JSONSchema(
            #"{"properties": {"a": {"minLength": 1}, "b": {"allOf": [{"minimum": 1}, {"maximum": 9}]}}}"#)
        for limit in 0..<10 {
            let record = JSONRecord()
            let validator = SchemaValidator(schema, record: record, stepLimit: limit)
            try Array(#"{"a":"x","b":5}"#.utf8).withUnsafeBytes { bytes in
                try record.read(bytes)
                XCTAssertEqual(validator.isValid(), validator.isValidByWholeEvaluation(), "\(limit) steps")
                record.clear()
            }
        }
    }

    private let names = ["a", "b", "c", "d"]

    private func rootSchema(_ random: inout SeededRandom) -> String {
        var members: [String] = []
        if random.below(2) == 0 { members.append(#""type":"object""#) }
        let properties = names.filter { _ in random.below(4) > 0 }.map { "\"\($0)\":" + property(&random) }
        members.append(#""properties":{\#(properties.joined(separator: ","))}"#)
        if random.below(2) == 0 {
            members.append(
                #""required":[\#(names.filter { _ in random.below(3) == 0 }.map { "\"\($0)\"" }.joined(separator: ","))]"#
            )
        }
        if random.below(3) == 0 {
            members.append(#""additionalProperties":"# + random.pick(["false", "true", #"{"type":"string"}"#]))
        }
        if random.below(8) == 0 { members.append(#""minProperties":2"#) }
        if random.below(8) == 0 { members.append(#""propertyNames":{"maxLength":1}"#) }
        return "{\(members.joined(separator: ","))}"
    }

    private func property(_ random: inout SeededRandom) -> String {
        if random.below(10) == 0 { return random.pick(["true", "false", "{}"]) }
        let keywords = [
            #""type":"string""#, #""type":"integer""#, #""type":"number""#, #""type":["string","number"]"#,
            #""type":["integer","null"]"#, #""type":"object""#, #""minLength":1"#, #""minLength":3"#, #""maxLength":3"#,
            #""pattern":"^-?[0-9]+$""#, #""pattern":"b""#, #""pattern":"\\bx""#, #""format":"date-time""#,
            #""format":"ipv4""#, #""minimum":1"#, #""exclusiveMaximum":10"#, #""maximum":1e30"#, #""multipleOf":2"#,
            #""enum":["ab","x1",5]"#, #""enum":["ab"]"#, #""const":"abc""#, #""properties":{"n":{"type":"integer"}}"#,
            #""maxItems":1"#, #""not":{"type":"null"}"#, #""anyOf":[{"type":"string"},{"minimum":3}]"#,
        ]
        var chosen: [Substring: String] = [:]
        for _ in 0...random.below(3) {
            let keyword = random.pick(keywords)
            chosen[keyword.prefix { $0 != ":" }] = keyword
        }
        return "{\(chosen.sorted { $0.key < $1.key }.map(\.value).joined(separator: ","))}"
    }

    private func instance(_ random: inout SeededRandom) -> String {
        let values = [
            #""""#, #""ab""#, #""abc""#, #""x1""#, #""-12""#, #""é""#, #""\u0061b""#, #""1.2.3.4""#,
            #""2026-11-21T14:30:05Z""#, #""2026-11-21T14:30:05.25+01:00""#, #""2026-02-30T14:30:05Z""#, "0", "1", "5",
            "10",
            "-3", "1.0", "2.5", "1e1", "9223372036854775808", "null", "true", "[1]", "[1,2]", #"{"n":1}"#,
            #"{"n":"x"}"#,
        ]
        if random.below(20) == 0 { return random.pick(values) }
        let members = (names + ["e"]).filter { _ in random.below(4) > 0 }.map { "\"\($0)\":" + random.pick(values) }
        return "{\(members.joined(separator: ","))}"
    }
}
