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

/// SplitMix64: the same sequence for the same seed, on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
