import JSON
import JSONSchema
import XCTest

/// What the documentation comments show, as an outsider would write it.
final class ExampleTests: XCTestCase {
    func testValidating() throws {
        let schema = try JSONSchema(
            #"{"type":"object","required":["id"],"properties":{"amount":{"type":"number","minimum":0.01}}}"#)
        let record = JSONRecord()
        let validator = SchemaValidator(schema, record: record)
        let bytes = Array(#"{"amount":-5}"#.utf8)
        try bytes.withUnsafeBytes { bytes in
            try record.read(bytes)
            XCTAssertFalse(validator.isValid())
            XCTAssertEqual(
                validator.violations().map { "\($0.instancePointer) \($0.schemaLocation): \($0)" },
                [
                    "/amount #/properties/amount/minimum: amount must be at least 0.01, but is -5",
                    " #/required: id is required",
                ])
        }
    }

    func testASchemaThatCannotBeUsedSaysAllThatIsWrong() {
        XCTAssertThrowsError(try JSONSchema(#"{"type":"numbr","minimum":"5"}"#)) { error in
            XCTAssertEqual((error as? SchemaError)?.problems.map(\.location).sorted(), ["#/minimum", "#/type"])
        }
    }
}
