import JSONSchema
import XCTest

final class SchemaErrorTests: XCTestCase {
    private func problems(_ schema: String, load: (String) throws -> [UInt8]? = { _ in nil }) -> [String] {
        do {
            _ = try JSONSchema(schema, load: load)
            return []
        } catch {
            return error.problems.map { $0.description }
        }
    }

    func testEverythingWrongIsToldAtOnce() {
        let schema = #"""
            {
              "type": "strnig", "required": "a", "minLength": -1, "maximum": "5", "multipleOf": 0, "uniqueItems": 1,
              "enum": 3, "items": [{}], "allOf": [], "pattern": "(?=x)", "patternProperties": {"(": true},
              "properties": {"a": 5, "b": {"$ref": "#/$defs/missing"}, "c": {"format": 1}},
              "$defs": {"unused": {"minItems": 1.5}}, "dependentRequired": {"a": [1]}, "$anchor": "1x"
            }
            """#
        XCTAssertEqual(
            problems(schema).sorted(),
            [
                "#/$anchor: $anchor must be a letter or '_' followed by letters, digits, '-', '_' and '.'",
                "#/$defs/unused/minItems: minItems must be an integer of 0 or more",
                "#/allOf: allOf must be a list of schemas, one at least",
                "#/dependentRequired: dependentRequired must be a list of property names",
                "#/enum: enum must be a list of values",
                "#/items: items must be a schema; for a list by position use prefixItems",
                "#/maximum: maximum must be a number",
                "#/minLength: minLength must be an integer of 0 or more",
                "#/multipleOf: multipleOf must be a number above 0",
                "#/pattern: the pattern (?=x) cannot be used: look-around cannot be searched for in linear time: state it as a further rule at character 0 of the pattern",
                "#/patternProperties: the pattern ( cannot be used: '(' without its closing bracket at character 0 of the pattern",
                "#/properties/a: a schema must be an object, true or false",
                "#/properties/b/$ref: #/$defs/missing leads nowhere",
                "#/properties/c/format: format must be a string",
                "#/required: required must be a list of property names",
                "#/type: type must be one of null, boolean, integer, number, string, array, object, or a list of them",
                "#/uniqueItems: uniqueItems must be true or false",
            ])
    }

    func testReferencesOutsideAreNotFetched() {
        XCTAssertEqual(
            problems(##"{"$ref":"https://example.org/x.json#/a"}"##),
            ["#/$ref: https://example.org/x.json is remote: schemas are not fetched; give it as a local document"])
        XCTAssertEqual(problems(##"{"$ref":"other.json"}"##), ["#/$ref: there is no schema schema:/other.json"])
        XCTAssertEqual(
            problems(##"{"$ref":"#nowhere"}"##), ["#/$ref: #nowhere leads nowhere: there is no anchor nowhere"])
        XCTAssertEqual(
            problems(##"{"$ref":"a.json"}"##) { _ in Array("{".utf8) },
            [
                "schema:/a.json: the schema is not JSON: expected a key in quotes or '}', found the end of the input at line 1, column 2",
                "#/$ref: schema:/a.json is not a schema",
            ])
        XCTAssertEqual(
            problems(##"{"$ref":"a.json"}"##) { _ in throw CancellationError() },
            ["#/$ref: schema:/a.json cannot be read: CancellationError()"])
    }

    func testOtherDialectsAreRefused() {
        XCTAssertEqual(
            problems(#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#),
            [
                "#/$schema: the dialect http://json-schema.org/draft-07/schema# is not supported: schemas are of draft 2020-12 (https://json-schema.org/draft/2020-12/schema)"
            ])
        XCTAssertEqual(problems(#"{"$schema":"https://json-schema.org/draft/2020-12/schema#"}"#), [])
    }

    func testEndlessSchemasAreRefused() {
        XCTAssertEqual(problems(##"{"$ref":"#"}"##), ["#: the schema applies itself to the same value without end"])
        XCTAssertEqual(
            problems(
                ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[true,{"$ref":"#/$defs/a"}]}},"type":"object"}"##
            ).count, 1)
        XCTAssertEqual(problems(##"{"properties":{"a":{"$ref":"#"}}}"##), [])
    }

    func testMalformedSchemasAreRefused() {
        XCTAssertEqual(
            problems("{"),
            [
                "schema:/inline: the schema is not JSON: expected a key in quotes or '}', found the end of the input at line 1, column 2"
            ])
        XCTAssertEqual(
            problems(#"{"type":"string","type":"string"}"#),
            ["schema:/inline: the schema is not JSON: duplicate key \"type\" at line 1, column 18"])
        XCTAssertEqual(problems("1"), ["#: a schema must be an object, true or false"])
        XCTAssertEqual(problems(#"{"$id":1}"#), ["#/$id: $id must be a string"])
        XCTAssertEqual(
            problems(#"{"$id":"https://example.org/a#b"}"#),
            ["schema:/inline#/$id: $id has a fragment: use $anchor"].map {
                $0.replacingOccurrences(of: "schema:/inline", with: "")
            })
    }

    func testUnknownKeywordsAreWarnedOf() throws {
        let schema = try JSONSchema(#"{"requierd":["a"],"properties":{"b":{"title":"x","minLenght":1}}}"#)
        XCTAssertEqual(
            schema.warnings.map { $0.description }.sorted(),
            [
                "#/properties/b/minLenght: unknown keyword minLenght: it has no effect",
                "#/requierd: unknown keyword requierd: it has no effect",
            ])
    }
}
