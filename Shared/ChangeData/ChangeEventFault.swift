public import JSON

/// Why bytes are not a change event, or a column not what it is said to be.
public enum ChangeEventFault: Error, Sendable, Equatable, CustomStringConvertible {
    case malformed(JSONError)
    /// JSON, but without a field `op`: an unwrapped row, a heartbeat, a record of another kind.
    case notAChangeEvent(found: String)
    case unknownOperation(String)
    /// A part of the event is of the wrong kind.
    case wrongKind(field: String, expected: String, found: JSONKind)
    /// The event's own description of its columns cannot be used.
    case schema(column: String, problem: String)
    case column(ChangeSide, name: String, problem: ColumnProblem)

    public var description: String {
        switch self {
        case .malformed(let error):
            "malformed change event: \(error)"
        case .notAChangeEvent(let found):
            "not a change event: no field \"op\", found \(found)"
        case .unknownOperation(let operation):
            "unknown operation \"\(operation)\" in field \"op\": expected one of c, r, u, d, t, m"
        case .wrongKind(let field, let expected, let found):
            "field \"\(field)\" of the change event is \(found.article): expected \(expected)"
        case .schema(let column, let problem):
            "the schema of column \"\(column)\" cannot be used: \(problem)"
        case .column(let side, let name, let problem):
            "column \"\(name)\" in \"\(side.rawValue)\": \(problem)"
        }
    }
}

/// Why a column's value cannot be read in its encoding.
public enum ColumnProblem: Error, Sendable, Equatable, CustomStringConvertible {
    case kind(JSONKind, expected: String)
    case notBase64(String)
    case notADecimal(String)
    /// Neither a number of this many digits nor its text is of any use.
    case tooManyDigits(limit: Int)
    case scaleOutOfRange(Int64)
    case notATimestamp(String)
    /// A time that no clock shows: `infinity`, or one beyond the range of the form asked for.
    case noSuchTime(String)

    public var description: String {
        switch self {
        case .kind(let kind, let expected):
            "\(kind.article) where \(expected) is expected"
        case .notBase64(let text):
            "\"\(text)\" is not base64; if the connector writes decimals as text or numbers, declare the column as decimal, without a scale"
        case .notADecimal(let text):
            "\"\(text)\" is not a decimal number; if the connector writes base64, declare the column with its scale, as decimal(2)"
        case .tooManyDigits(let limit):
            "a decimal of more than \(limit) digits"
        case .scaleOutOfRange(let scale):
            "a decimal's scale of \(scale)"
        case .notATimestamp(let text):
            "\"\(text)\" is not a time in ISO 8601"
        case .noSuchTime(let text):
            "\(text) cannot be written as milliseconds since 1970"
        }
    }
}

extension JSONKind {
    var article: String {
        switch self {
        case .null: "null"
        case .true, .false: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
