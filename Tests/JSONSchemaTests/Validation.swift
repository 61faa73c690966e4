import JSON
import JSONSchema
import XCTest

/// A schema and a record to validate, for tests.
struct Validation {
    let record = JSONRecord()
    let validator: SchemaValidator

    init(
        _ schema: String, formats: JSONSchema.Formats = .annotation, documents: [String: String] = [:], limit: Int = 20,
        steps: Int = SchemaValidator.defaultStepLimit
    ) throws {
        let schema = try JSONSchema(schema, formats: formats) { documents[$0].map { Array($0.utf8) } }
        validator = SchemaValidator(schema, record: record, violationLimit: limit, stepLimit: steps)
    }

    /// The violations of an instance, none where it is valid.
    func violations(_ instance: String) throws -> [Violation] {
        let bytes = Array(instance.utf8)
        return try bytes.withUnsafeBytes { bytes in
            try record.read(bytes)
            defer { record.clear() }
            let violations = validator.violations()
            XCTAssertEqual(violations.isEmpty, validator.isValid(), instance)
            // As a value like any other, without slots: the same.
            XCTAssertEqual(validator.violations(of: record.root).count, violations.count, instance)
            return violations
        }
    }

    func messages(_ instance: String) throws -> [String] {
        try violations(instance).map { $0.message }
    }

    func isValid(_ instance: String) throws -> Bool {
        try violations(instance).isEmpty
    }
}
