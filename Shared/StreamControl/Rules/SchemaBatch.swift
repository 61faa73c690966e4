public import JSON
internal import JSONSchema

/// Answers questions, a line each: `streamctl validate --batch`.
///
/// The question: `{"schema": S, "instance": I, "formats": bool}`, formats asserted only if true. The answer: `{"valid": bool,
/// "errors": [...]}`, each error with the `instanceLocation` as a JSON pointer, the `keywordLocation` as a URI, and the `error` in words; or
/// `{"error": message}` if the line is no such question or the schema cannot be used.
public final class SchemaBatch {
    private let question = JSONRecord()
    private var compiled: Compiled?

    /// The last schema: questions about one schema mostly follow each other.
    private struct Compiled {
        let text: [UInt8]
        let assertsFormats: Bool
        let record: JSONRecord
        let validator: SchemaValidator
    }

    private struct Failure: Error {
        let message: String
    }

    public init() {}

    /// Appends the answer and a line feed.
    public func answer(_ line: UnsafeRawBufferPointer, into output: OutputBuffer) {
        let writer = JSONWriter(output)
        writer.beginObject()
        do throws(Failure) {
            let violations = try violations(line)
            writer.key("valid")
            writer.bool(violations.isEmpty)
            writer.key("errors")
            writer.beginArray()
            for violation in violations {
                writer.beginObject()
                writer.key("instanceLocation")
                writer.string(violation.instancePointer)
                writer.key("keywordLocation")
                writer.string(violation.schemaLocation)
                writer.key("error")
                writer.string(violation.message)
                writer.endObject()
            }
            writer.endArray()
        } catch {
            writer.key("error")
            writer.string(error.message)
        }
        writer.endObject()
        output.append(UInt8(ascii: "\n"))
    }

    private func violations(_ line: UnsafeRawBufferPointer) throws(Failure) -> [Violation] {
        do { try question.read(line) } catch { throw Failure(message: "the line is not JSON: \(error)") }
        guard question.root.kind == .object else { throw Failure(message: "the line is not a JSON object") }
        guard let schema = question.field(named: "schema") else { throw Failure(message: "'schema' is missing") }
        guard let instance = question.field(named: "instance") else {
            throw Failure(message: "'instance' is missing")
        }
        var assertsFormats = false
        if let formats = question.field(named: "formats"), !formats.isNull {
            guard let value = formats.bool else { throw Failure(message: "'formats' must be true or false") }
            assertsFormats = value
        }
        let compiled = try compile(Array(schema.bytes), assertsFormats)
        do { try compiled.record.read(instance.bytes) } catch { throw Failure(message: "'instance': \(error)") }
        defer { compiled.record.clear() }
        return compiled.validator.violations()
    }

    private func compile(_ text: [UInt8], _ assertsFormats: Bool) throws(Failure) -> Compiled {
        if let compiled, compiled.text == text, compiled.assertsFormats == assertsFormats { return compiled }
        do throws(SchemaError) {
            let schema = try JSONSchema(text, formats: assertsFormats ? .assertion : .annotation)
            let record = JSONRecord()
            let made = Compiled(
                text: text, assertsFormats: assertsFormats, record: record,
                validator: SchemaValidator(schema, record: record))
            compiled = made
            return made
        } catch {
            throw Failure(message: "'schema': \(error)")
        }
    }
}
