public import JSON

/// Validates what a record has read against a schema. It belongs to the record's thread.
///
/// The record is scanned once, by ``JSONRecord/read(_:)``; the validator works on what that found, without a tree, and for a valid
/// record allocates nothing. A record that would take for ever, by alternatives within alternatives, is refused after a number
/// of steps.
public final class SchemaValidator {
    /// So many violations are enough for a person.
    public static let defaultViolationLimit = 20
    /// About a second.
    public static let defaultStepLimit = 20_000_000

    private let record: JSONRecord
    private let evaluation: Evaluation

    /// - Parameters:
    ///   - record: whose values will be validated. The schema's top-level properties are declared to it, which makes it forget
    ///     what it read.
    ///   - violationLimit: after so many violations no more are looked for.
    ///   - stepLimit: how many schemas may be applied to a value and its parts, until it is refused for that.
    public init(
        _ schema: JSONSchema, record: JSONRecord, violationLimit: Int = SchemaValidator.defaultViolationLimit,
        stepLimit: Int = SchemaValidator.defaultStepLimit
    ) {
        self.record = record
        evaluation = Evaluation(
            schema.program, record: record, violationLimit: max(1, violationLimit), stepLimit: stepLimit)
    }

    /// Whether the record is valid. It stops at the first violation.
    public func isValid() -> Bool {
        evaluation.isRecordValid()
    }

    /// The same by the whole evaluation alone, which is what the quicker way is tested against.
    package func isValidByWholeEvaluation() -> Bool {
        evaluation.isValid(record.root, isRecord: true)
    }

    /// Whether a value within the record is valid by itself.
    public func isValid(_ value: JSONValue) -> Bool {
        evaluation.isValid(value, isRecord: false)
    }

    /// All violations of the record, up to the limit; none if it is valid.
    public func violations() -> [Violation] {
        evaluation.violations(of: record.root, isRecord: true)
    }

    /// All violations of a value within the record, with pointers that begin at the value.
    public func violations(of value: JSONValue) -> [Violation] {
        evaluation.violations(of: value, isRecord: false)
    }
}
