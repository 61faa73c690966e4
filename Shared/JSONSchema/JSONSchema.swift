internal import JSON

/// A JSON Schema (draft 2020-12), compiled once and shared by threads.
///
/// Everything that is wrong with it is told when it is compiled, all at once: malformed keywords, patterns that cannot be searched for
/// in linear time, references that lead nowhere, schemas that apply themselves for ever. Remote references are never fetched.
/// A record is validated by a ``SchemaValidator``.
///
/// ```swift
/// let schema = try JSONSchema(SchemaFile.read(path: path), uri: SchemaFile.uri(path: path), load: SchemaFile.load)
/// let validator = SchemaValidator(schema, record: record)    // once a thread, before the record reads
/// try record.read(bytes)                                     // per record
/// if !validator.isValid() { refuse(validator.violations()) }
/// ```
public final class JSONSchema: Sendable {
    /// The URI of a schema that has none of its own: against it relative references are resolved.
    public static let inlineURI = "schema:/inline"

    /// Whether `format` is checked or, as the specification has it by default, only says what is meant.
    public enum Formats: Sendable {
        case annotation
        case assertion
    }

    let program: Program
    /// What has no effect, such as unknown keywords: misspelt ones, as a rule.
    public let warnings: [SchemaProblem]

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - text: the schema as JSON.
    ///   - uri: where it is from, for relative references: `file:///etc/orders/schema.json`.
    ///   - formats: whether `format` is checked.
    ///   - load: gives the text of a schema by its absolute URI, nil where there is none. It is asked for references that the
    ///     schema does not answer itself.
    public init(
        _ text: [UInt8], uri: String = JSONSchema.inlineURI, formats: Formats = .annotation,
        load: (String) throws -> [UInt8]? = { _ in nil }
    ) throws(SchemaError) {
        let (program, problems, warnings) = withoutActuallyEscaping(load) { load in
            var compiler = SchemaCompiler(assertsFormats: formats == .assertion, load: load)
            text.withUnsafeBytes { compiler.compile($0, uri: uri) }
            return (compiler.program, compiler.problems, compiler.warnings)
        }
        guard problems.isEmpty else { throw SchemaError(problems) }
        self.program = program
        self.warnings = warnings
    }

    /// The same, of a string.
    public convenience init(
        _ text: String, uri: String = JSONSchema.inlineURI, formats: Formats = .annotation,
        load: (String) throws -> [UInt8]? = { _ in nil }
    ) throws(SchemaError) {
        try self.init(Array(text.utf8), uri: uri, formats: formats, load: load)
    }
}
