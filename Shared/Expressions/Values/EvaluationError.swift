/// Why an expression has no value for a record.
public struct EvaluationError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failures, for programs; people read the message.
    public enum Reason: Hashable, Sendable {
        /// No overload of a function or operator takes these types: the operands were `dyn` when the expression was checked.
        case noSuchOverload
        case divisionByZero
        case overflow
        case invalidArgument
        case noSuchKey
        case noSuchField
        case indexOutOfRange
        case wrongFieldType
        case costLimit
        case duplicateKey
        case unbound
    }

    public let reason: Reason
    /// What happened, without the place.
    public let message: String
    /// The field of the record whose value was missing or of another type than declared.
    public let field: String?
    /// Where in the expression, once known.
    public internal(set) var location: SourceLocation?
    /// The source line and a caret under the place, once known.
    public internal(set) var excerpt: String?
    /// Byte offset of the innermost expression that failed; negative while unknown.
    var offset: Int = -1

    init(_ reason: Reason, _ message: String, field: String? = nil) {
        self.reason = reason
        self.message = message
        self.field = field
    }

    /// Line and column, the message, and the source line with a caret.
    public var description: String {
        guard let location, let excerpt else { return message }
        return "\(location): \(message)\n\(excerpt)"
    }

    static func noSuchOverload(_ function: String, _ arguments: Value...) -> EvaluationError {
        let types = arguments.map(\.type.reflectedName).joined(separator: ", ")
        return EvaluationError(.noSuchOverload, "no such overload: \(function)(\(types))")
    }

    static func overflow(_ what: String) -> EvaluationError {
        EvaluationError(.overflow, "\(what): the result is out of range")
    }

    static func invalid(_ message: String) -> EvaluationError {
        EvaluationError(.invalidArgument, message)
    }

    func at(_ offset: Int) -> EvaluationError {
        guard self.offset < 0 else { return self }
        var located = self
        located.offset = offset
        return located
    }

    func located(in source: SourceText) -> EvaluationError {
        guard offset >= 0, location == nil else { return self }
        var located = self
        located.location = source.location(at: offset)
        located.excerpt = source.excerpt(at: offset)
        return located
    }
}
