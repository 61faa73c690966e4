internal import JSON
internal import JSONSchema

/// Judges files by a schema, as `streamctl validate` shows it.
public final class SchemaTrial {
    private let record = JSONRecord()
    private let validator: SchemaValidator
    /// What the schema says without effect; misspelt keywords, mostly.
    public let warnings: [String]

    /// - Parameters:
    ///   - schemaFile: others that it refers to are read beside it; nothing is fetched over a network.
    ///   - assertsFormats: whether `format` is checked.
    public init(schemaFile: String, assertsFormats: Bool) throws(TrialError) {
        let text: [UInt8]
        do { text = try SchemaFile.read(path: schemaFile) } catch { throw .unusable("\(error)") }
        let schema: JSONSchema
        do throws(SchemaError) {
            schema = try JSONSchema(
                text, uri: SchemaFile.uri(path: schemaFile), formats: assertsFormats ? .assertion : .annotation,
                load: SchemaFile.load)
        } catch {
            throw .unusable(error.problems.map { "\(schemaFile): \($0)" }.joined(separator: "\n"))
        }
        warnings = schema.warnings.map { "\(schemaFile): \($0)" }
        validator = SchemaValidator(schema, record: record)
    }

    /// What is wrong with a file's value, a line each; none if it is valid.
    public func problems(_ bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBytes { bytes in
            do throws(JSONError) { try record.read(bytes) } catch { return [error.description(in: bytes)] }
            defer { record.clear() }
            return validator.violations().map { violation in
                let place = violation.instancePointer.isEmpty ? "" : "\(violation.instancePointer): "
                return "\(place)\(violation.message) (\(violation.schemaLocation))"
            }
        }
    }
}
