/// What expressions may refer to: variables with their types, the fields of a record, and how names are resolved.
///
/// ```swift
/// var environment = Environment()
/// environment.declare("rates", .map(key: .string, value: .decimal))
/// environment.declareRecord(ObjectType(name: "order", fields: [.init("amount", .dyn), .init("region", .string)]))
/// let tax = try environment.compile("(decimal(amount) * rates[region]).round(2)", expecting: .decimal)
/// ```
///
/// A value: copy it, extend the copy, compile any number of expressions with it, on any thread.
///
/// The language is CEL (github.com/google/cel-spec), with its optional types (`x.?field`, `list[?0]`, `{?key: value}`,
/// `orValue`, `optMap`), macros of one and two variables, and the extensions
/// - strings: `charAt`, `indexOf`, `lastIndexOf`, `lowerAscii`, `upperAscii`, `replace`, `split`, `substring`, `trim`, `join`,
///   `reverse`, `strings.quote`, `format`
/// - math: `math.greatest`, `least`, `ceil`, `floor`, `round`, `trunc`, `abs`, `sign`, `sqrt`, `isNaN`, `isInf`, `isFinite`,
///   `bitAnd`, `bitOr`, `bitXor`, `bitNot`, `bitShiftLeft`, `bitShiftRight`
/// - lists: `distinct`, `flatten`, `first`, `last`, `reverse`, `slice`, `sort`, `sortBy`, `lists.range`
/// - `sets.contains`, `sets.equivalent`, `sets.intersects`; `base64.encode`, `base64.decode`; `cel.bind`
///
/// and, beyond CEL,
/// - `decimal(x)` of a string, an int, or a JSON number by its text; `+ - * /`, comparison also with int; `round(scale)`,
///   `round(scale, mode)`, `divide(divisor, scale)`, `divide(divisor, scale, mode)` with the modes `half_even` (the default),
///   `half_up`, `half_down`, `up`, `down`, `ceiling`, `floor`; `math`'s extremes and roundings
/// - `now()`, the same instant throughout a record; `milliseconds(duration)`
/// - `codepoints()` of a string; `sum()` of a list; `padStart(width, character)`
/// - `sha256(x)` in hexadecimal and `hash64(x)` (XXH64) as a uint, of a string or of bytes
/// - `has(field)` of the record's own fields; `condition ? value : null`
public struct Environment: Sendable {
    struct Variable: Sendable {
        let name: String
        let type: ValueType
        let storage: Storage
    }

    enum Storage: Hashable, Sendable {
        /// A value that the caller sets: its place in the context.
        case slot(Int)
        /// A top-level field of the record.
        case field
        /// The record as a whole.
        case record
        /// A value that never changes: among `constants`.
        case constant
    }

    /// The namespace in which names are looked up first: in `a.b`, `x` means `a.b.x`, else `a.x`, else `x`.
    public var container = ""
    /// How long expressions may be, and what evaluating one may cost.
    public var limits = Limits()

    private(set) var variables: [String: Variable] = [:]
    private(set) var constants: [String: Value] = [:]
    let layout = Layout()
    private(set) var recordType: ObjectType?
    /// Whether names that nothing declares are fields of the record, of type dyn.
    private(set) var hasOpenRecord = false

    /// Nothing but the language: no variables, no record.
    public init() {}

    /// Declares a variable, or declares it anew. A name may be qualified: `record.key`.
    public mutating func declare(_ name: String, _ type: ValueType) {
        variables[name] = Variable(name: name, type: type, storage: .slot(layout.variable(name)))
    }

    /// Declares a name for a value that never changes. Expressions are compiled as if the value stood in the name's place, so that a
    /// look-up in a long list is one in a table.
    public mutating func define(_ name: String, _ value: Value, type: ValueType) {
        variables[name] = Variable(name: name, type: type, storage: .constant)
        constants[name] = value
    }

    /// Declares the JSON record that expressions read: its fields are variables, and `name` is the object as a whole, for
    /// `has(name.field)` and `name.?field`. A name that is neither field nor variable is a compile-time error.
    public mutating func declareRecord(_ type: ObjectType, as name: String = "value") {
        recordType = type
        variables[name] = Variable(name: name, type: .object(type), storage: .record)
        for field in type.fields {
            variables[field.name] = Variable(name: field.name, type: field.type, storage: .field)
        }
    }

    var declaredFieldNames: [String] { recordType?.fields.map(\.name) ?? [] }

    /// Declares a JSON record of unknown fields: any name that nothing else declares is a field of type dyn.
    public mutating func declareOpenRecord(as name: String = "value") {
        hasOpenRecord = true
        variables[name] = Variable(name: name, type: .map(key: .string, value: .dyn), storage: .record)
    }

    /// Declares what a Kafka record has beside its value: `record.key`, `record.topic`, `record.partition`,
    /// `record.offset`, `record.timestamp` and `record.headers`.
    public mutating func declareRecordMetadata() {
        declare(RecordMetadata.key, .nullable(.string))
        declare(RecordMetadata.topic, .string)
        declare(RecordMetadata.partition, .int)
        declare(RecordMetadata.offset, .int)
        declare(RecordMetadata.timestamp, .timestamp)
        declare(RecordMetadata.headers, .map(key: .string, value: .string))
    }

    /// Parses, checks and compiles.
    ///
    /// - Parameter expecting: the type that the result must have; `dyn` results are let through and checked when evaluated.
    /// - Throws: everything that is wrong with the expression, each with its place.
    public func compile(_ source: String, expecting: ValueType? = nil) throws(CompilationErrors) -> Expression {
        let text = SourceText(source)
        let syntax: Syntax
        do {
            syntax = try Parser.parse(text, limits: limits)
        } catch {
            throw CompilationErrors(errors: [error.located(in: text)])
        }
        let program = try Checker.check(syntax, source: text, environment: self, expecting: expecting)
        return Expression(source: text, program: program)
    }
}

/// The names of a record's metadata in expressions.
public enum RecordMetadata {
    public static let key = "record.key"
    public static let topic = "record.topic"
    public static let partition = "record.partition"
    public static let offset = "record.offset"
    public static let timestamp = "record.timestamp"
    public static let headers = "record.headers"
}
