/// What the lexer reads; punctuation carries its spelling.
struct Token: Sendable {
    enum Kind: Equatable, Sendable {
        case identifier(String)
        /// `` `any-name` ``: a field whose name is not an identifier.
        case quotedIdentifier(String)
        /// The magnitude: a minus before it belongs to the literal, which decides whether it fits.
        case int(UInt64)
        case uint(UInt64)
        case double(Double)
        case string(Text)
        case bytes([UInt8])
        case punctuation(Punctuation)
        case end
    }

    let kind: Kind
    let offset: Int
}

enum Punctuation: String, Sendable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBracket = "["
    case rightBracket = "]"
    case leftBrace = "{"
    case rightBrace = "}"
    case dot = "."
    case comma = ","
    case colon = ":"
    case question = "?"
    case not = "!"
    case minus = "-"
    case plus = "+"
    case times = "*"
    case divide = "/"
    case modulo = "%"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case and = "&&"
    case or = "||"
}

extension Token.Kind {
    /// How an error message names the token.
    var described: String {
        switch self {
        case .identifier(let name): "'\(name)'"
        case .quotedIdentifier(let name): "'`\(name)`'"
        case .int, .uint, .double: "a number"
        case .string: "a string"
        case .bytes: "bytes"
        case .punctuation(let punctuation): "'\(punctuation.rawValue)'"
        case .end: "the end of the expression"
        }
    }
}
