import JSON
import JSONSchema
import XCTest

final class ViolationTests: XCTestCase {
    private let order = #"""
        {
          "type": "object",
          "required": ["order_id", "amount"],
          "properties": {
            "order_id": {"type": "string", "pattern": "^ORD-"},
            "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 100, "multipleOf": 0.01},
            "currency": {"enum": ["EUR", "USD"]},
            "items": {"type": "array", "items": {"required": ["sku"], "properties": {"sku": {"minLength": 2}}}}
          },
          "additionalProperties": false
        }
        """#

    func testAllViolationsAreToldWithPlaceAndRule() throws {
        let violations = try Validation(order).violations(
            #"{"order_id":"X","amount":-0.001,"currency":"GBP","items":[{"sku":"ab"},{"sku":"a"},{}],"a/b":1}"#)
        XCTAssertEqual(
            violations.map { "\($0.instancePointer) \($0.schemaLocation) \($0.message)" },
            [
                "/order_id #/properties/order_id/pattern order_id must match ^ORD-, but is \"X\"",
                "/amount #/properties/amount/exclusiveMinimum amount must be greater than 0, but is -0.001",
                "/amount #/properties/amount/multipleOf amount must be a multiple of 0.01, but is -0.001",
                "/currency #/properties/currency/enum currency must be one of \"EUR\", \"USD\", but is \"GBP\"",
                "/items/1/sku #/properties/items/items/properties/sku/minLength items/1/sku must have at least 2 characters, but has 1",
                "/items/2 #/properties/items/items/required items/2/sku is required",
                "/a~1b #/additionalProperties a~1b is not a known field",
            ])
        XCTAssertEqual(
            violations.map { $0.keyword },
            ["pattern", "exclusiveMinimum", "multipleOf", "enum", "minLength", "required", "additionalProperties"])
        XCTAssertEqual(try Validation(order).messages("[]"), ["the value must be of type object, but is []"])
        XCTAssertEqual(try Validation(order).messages("{}"), ["order_id is required", "amount is required"])
    }

    func testTheLimitHolds() throws {
        let many = "[" + (0..<100).map { _ in "\"x\"" }.joined(separator: ",") + "]"
        XCTAssertEqual(try Validation(#"{"items":{"type":"integer"}}"#, limit: 3).violations(many).count, 3)
        XCTAssertEqual(
            try Validation(#"{"items":{"allOf":[{"type":"integer"},{"const":1}]}}"#, limit: 5).violations(many).count, 5
        )
        XCTAssertEqual(try Validation(#"{"type":"string"}"#, limit: 0).violations("1").count, 1)
    }

    func testAlternativesSayWhyNoneMatches() throws {
        XCTAssertEqual(
            try Validation(#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#).messages("1"),
            [
                "the value matches none of the 2 alternatives: (1) the value must be of type string, but is 1; "
                    + "(2) the value must be of type null, but is 1"
            ])
        let payment = ##"""
            {"oneOf":[
                {"properties":{"kind":{"const":"card"}},"required":["number","until"]},
                {"properties":{"kind":{"const":"cash"},"amount":{"anyOf":[{"minimum":1},false]}}}]}
            """##
        XCTAssertEqual(
            try Validation(payment).messages(#"{"kind":"card","amount":0}"#),
            [
                "the value matches none of the 2 alternatives: (1) number is required, until is required; "
                    + "(2) kind must be \"cash\", but is \"card\", amount matches none of the 2 alternatives"
            ])
        let nine = "[" + (0..<9).map { #"{"const":\#($0)}"# }.joined(separator: ",") + "]"
        let message = try XCTUnwrap(try Validation(#"{"anyOf":\#(nine)}"#).messages("9").first)
        XCTAssertTrue(message.hasSuffix("; (8) the value must be 7, but is 9; …"), message)
    }

    func testBranchesAreSummedUp() throws {
        XCTAssertEqual(
            try Validation(#"{"properties":{"a":{"oneOf":[{"minimum":1},{"const":2},{"minimum":2}]}}}"#).messages(
                #"{"a":3}"#),
            ["a matches more than one of the 3 alternatives: number 1 and number 3"])
        XCTAssertEqual(try Validation(#"{"items":{"not":{}}}"#).messages("[1]"), ["0 is what it must not be"])
        XCTAssertEqual(
            try Validation(#"{"propertyNames":{"pattern":"^a"}}"#).violations(#"{"a":{"b":1},"c":1}"#).map {
                $0.instancePointer
            }, [""])
    }

    func testSchemasThatRecurThroughDynamicScopeEnd() throws {
        let validation = try Validation(
            ##"{"$id":"https://example.org/a","$dynamicAnchor":"x","allOf":[{"$ref":"b"}]}"##,
            documents: ["https://example.org/b": ##"{"$defs":{"d":{"$dynamicAnchor":"x"}},"$dynamicRef":"#x"}"##])
        XCTAssertEqual(
            try validation.violations("1").first?.message,
            "the value: the schema applies itself to the same value without end")
    }

    func testValuesThatWouldTakeForEverAreRefused() throws {
        // Both alternatives fail at the innermost element only: the work doubles with each level.
        let either =
            ##"{"anyOf":[{"items":{"$ref":"#/$defs/e"},"type":"array"},{"items":{"$ref":"#/$defs/e"},"type":"array"}]}"##
        let instance = String(repeating: "[", count: 100) + "1" + String(repeating: "]", count: 100)
        for schema in [##"{"$ref":"#/$defs/e""##, ##"{"not":{"$ref":"#/$defs/e"}"##] {
            let validation = try Validation(schema + ##","$defs":{"e":\##(either)}}"##, steps: 10_000)
            XCTAssertEqual(try validation.messages(instance).last, "the value takes more than 10000 steps to validate")
        }
    }

    func testDeepAndWideInstancesAreValidated() throws {
        let validation = try Validation(
            ##"{"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"}}},"$ref":"#/$defs/t"}"##)
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        XCTAssertTrue(try validation.isValid(deep))
        XCTAssertFalse(
            try validation.isValid(String(repeating: "[", count: 127) + "1" + String(repeating: "]", count: 127)))
        XCTAssertTrue(try validation.isValid("[" + String(repeating: "[],", count: 50_000) + "[]]"))
    }

    func testValuesWithinARecordAreValidatedByThemselves() throws {
        let record = JSONRecord()
        let schema = try JSONSchema(#"{"properties":{"a":{"type":"integer"}},"required":["a"]}"#)
        let validator = SchemaValidator(schema, record: record)
        let bytes = Array(#"{"instance":{"a":"x"},"a":1}"#.utf8)
        try bytes.withUnsafeBytes { bytes in
            try record.read(bytes)
            XCTAssertTrue(validator.isValid())
            let inner = try XCTUnwrap(record.root.member("instance"))
            XCTAssertFalse(validator.isValid(inner))
            XCTAssertEqual(validator.violations(of: inner).map { $0.instancePointer }, ["/a"])
        }
    }
}
