internal import Expressions
public import JSON

/// Why an expression has no value: itself, or the data.
public enum TrialError: Error, Equatable, CustomStringConvertible {
    /// What was asked for cannot be used.
    case unusable(String)
    /// The data is at fault.
    case refused(String)

    public var description: String {
        switch self {
        case .unusable(let text), .refused(let text): text
        }
    }
}

/// Evaluates one expression over one record, as `streamctl eval` shows it.
public enum ExpressionTrial {
    /// - Parameters:
    ///   - record: JSON; its fields are variables, and `value` is the whole. Without one, names are errors.
    ///   - now: what `now()` answers; the system's time if nil.
    /// - Returns: the value as JSON; `optional.none()` for an empty optional.
    public static func evaluate(_ source: String, record: [UInt8]?, now: Instant?) throws(TrialError) -> String {
        var environment = Environment()
        if record != nil { environment.declareOpenRecord() }
        let expression: Expression
        do { expression = try environment.compile(source) } catch { throw .unusable(error.description) }
        let context = EvaluationContext(environment)
        let output = OutputBuffer()
        let failure: TrialError? = (record ?? Array("{}".utf8)).withUnsafeBytes { bytes in
            do { try context.read(bytes) } catch { return .refused("the record is not JSON: \(error)") }
            context.now = now
            do throws(EvaluationError) {
                if try !expression.writeJSON(in: context, to: output) {
                    output.append("optional.none()" as StaticString)
                }
            } catch {
                return .refused(error.description)
            }
            return nil
        }
        if let failure { throw failure }
        return String(decoding: output.bytes, as: UTF8.self)
    }
}

/// Answers questions, a line each: `streamctl eval --batch`.
public final class ExpressionBatch {
    private let evaluation = BatchEvaluation()

    public init() {}

    /// Appends the answer and a line feed.
    public func answer(_ line: UnsafeRawBufferPointer, into output: OutputBuffer) {
        evaluation.answer(line, into: output)
        output.append(UInt8(ascii: "\n"))
    }
}
