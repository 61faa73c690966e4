/// Recursive descent over the grammar of the CEL language definition, with the optional syntax (`?.`, `[?x]`, `{?k: v}`).
struct Parser {
    private let tokens: [Token]
    private let source: SourceText
    private let maximumHeight: Int
    private var position = 0
    private var nesting = 0

    static func parse(_ source: SourceText, limits: Limits) throws(SyntaxError) -> Syntax {
        guard source.utf8.count <= limits.sourceBytes else {
            throw SyntaxError(message: "the expression is longer than \(limits.sourceBytes) bytes", offset: 0)
        }
        var parser = Parser(tokens: try Lexer.tokens(of: source), source: source, maximumHeight: limits.nesting)
        let syntax = try parser.expression()
        guard parser.current.kind == .end else {
            throw parser.unexpected("an operator or the end")
        }
        return syntax
    }

    private init(tokens: [Token], source: SourceText, maximumHeight: Int) {
        self.tokens = tokens
        self.source = source
        self.maximumHeight = maximumHeight
    }

    // MARK: Tokens

    private var current: Token { tokens[min(position, tokens.count - 1)] }

    private func peek(_ ahead: Int) -> Token { tokens[min(position + ahead, tokens.count - 1)] }

    private mutating func advance() { position += 1 }

    private func at(_ punctuation: Punctuation) -> Bool { current.kind == .punctuation(punctuation) }

    private mutating func skip(_ punctuation: Punctuation) -> Bool {
        guard at(punctuation) else { return false }
        advance()
        return true
    }

    private mutating func expect(_ punctuation: Punctuation) throws(SyntaxError) {
        guard skip(punctuation) else { throw unexpected("'\(punctuation.rawValue)'") }
    }

    private func unexpected(_ wanted: String) -> SyntaxError {
        SyntaxError(message: "expected \(wanted), found \(current.kind.described)", offset: current.offset)
    }

    // MARK: Building

    func make(_ kind: Syntax.Kind, at offset: Int, over children: [Syntax]) throws(SyntaxError) -> Syntax {
        var height = 0
        for child in children { height = max(height, child.height) }
        guard height < maximumHeight else { throw tooDeep(offset) }
        return Syntax(kind, offset: offset, height: height + 1)
    }

    func call(_ function: String, _ arguments: [Syntax], at offset: Int) throws(SyntaxError) -> Syntax {
        try make(.call(function, receiver: nil, arguments: arguments), at: offset, over: arguments)
    }

    private func tooDeep(_ offset: Int) -> SyntaxError {
        SyntaxError(message: "nested more than \(maximumHeight) levels deep", offset: offset)
    }

    // MARK: Operators

    private mutating func expression() throws(SyntaxError) -> Syntax {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= maximumHeight else { throw tooDeep(current.offset) }
        let condition = try logical(.or)
        guard at(.question) else { return condition }
        let offset = current.offset
        advance()
        let accepted = try logical(.or)
        try expect(.colon)
        let refused = try expression()
        return try make(
            .conditional(condition, accepted, refused), at: offset, over: [condition, accepted, refused])
    }

    /// A chain of `||` or `&&` is one node: however long it is, it is not deep.
    private mutating func logical(_ separator: Punctuation) throws(SyntaxError) -> Syntax {
        let first = separator == .or ? try logical(.and) : try binary(level: 0)
        guard at(separator) else { return first }
        let offset = current.offset
        var terms = [first]
        while skip(separator) {
            terms.append(separator == .or ? try logical(.and) : try binary(level: 0))
        }
        return try make(separator == .or ? .or(terms) : .and(terms), at: offset, over: terms)
    }

    /// Binary operators from the loosest to the tightest; all of them associate to the left.
    private static let levels: [[Punctuation: String]] = [
        [
            .less: "_<_", .lessOrEqual: "_<=_", .greater: "_>_", .greaterOrEqual: "_>=_", .equal: Operator.equal,
            .notEqual: Operator.notEqual,
        ],
        [.plus: "_+_", .minus: "_-_"],
        [.times: "_*_", .divide: "_/_", .modulo: "_%_"],
    ]

    private func binaryOperator(level: Int) -> String? {
        switch current.kind {
        case .punctuation(let punctuation): Self.levels[level][punctuation]
        case .identifier("in") where level == 0: Operator.contained
        default: nil
        }
    }

    private mutating func binary(level: Int) throws(SyntaxError) -> Syntax {
        guard level < Self.levels.count else { return try unary() }
        var left = try binary(level: level + 1)
        while let name = binaryOperator(level: level) {
            let offset = current.offset
            advance()
            let right = try binary(level: level + 1)
            left = try call(name, [left, right], at: offset)
        }
        return left
    }

    private mutating func unary() throws(SyntaxError) -> Syntax {
        var prefixes: [Token] = []
        while at(.not) || (at(.minus) && !startsNegativeLiteral) {
            prefixes.append(current)
            advance()
        }
        var operand = try member()
        for prefix in prefixes.reversed() {
            let name = prefix.kind == .punctuation(.not) ? Operator.not : Operator.negate
            operand = try call(name, [operand], at: prefix.offset)
        }
        return operand
    }

    private var startsNegativeLiteral: Bool {
        switch peek(1).kind {
        case .int, .double: true
        default: false
        }
    }

    // MARK: Members

    private mutating func member() throws(SyntaxError) -> Syntax {
        var operand = try primary()
        while true {
            let offset = current.offset
            if skip(.dot) {
                operand = try selection(from: operand, at: offset)
            } else if skip(.leftBracket) {
                let name = skip(.question) ? Operator.optionalIndex : Operator.index
                let index = try expression()
                try expect(.rightBracket)
                operand = try call(name, [operand, index], at: offset)
            } else if at(.leftBrace), let name = qualifiedName(of: operand) {
                advance()
                operand = try message(name.text, isAbsolute: name.isAbsolute, at: operand.offset)
            } else {
                return operand
            }
        }
    }

    private mutating func selection(from operand: Syntax, at offset: Int) throws(SyntaxError) -> Syntax {
        let isOptional = skip(.question)
        let field = try fieldName()
        if !isOptional, at(.leftParenthesis) {
            let nameOffset = tokens[position - 1].offset
            advance()
            let arguments = try expressions(until: .rightParenthesis)
            if let expanded = try expandMacro(field, receiver: operand, arguments: arguments, at: nameOffset) {
                return expanded
            }
            return try make(
                .call(field, receiver: operand, arguments: arguments), at: nameOffset, over: [operand] + arguments)
        }
        return try make(.select(operand, field: field, isOptional: isOptional), at: offset, over: [operand])
    }

    private mutating func fieldName() throws(SyntaxError) -> String {
        switch current.kind {
        case .identifier(let name) where !["true", "false", "null", "in"].contains(name):
            advance()
            return name
        case .quotedIdentifier(let name):
            advance()
            return name
        default:
            throw unexpected("a field name")
        }
    }

    func qualifiedName(of syntax: Syntax) -> (text: String, isAbsolute: Bool)? {
        switch syntax.kind {
        case .name(let name, let isAbsolute):
            return (name, isAbsolute)
        case .select(let operand, let field, false):
            return qualifiedName(of: operand).map { ($0.text + "." + field, $0.isAbsolute) }
        default:
            return nil
        }
    }

    // MARK: Primaries

    private mutating func primary() throws(SyntaxError) -> Syntax {
        let token = current
        switch token.kind {
        case .punctuation(.minus):
            advance()
            return try number(negative: true, at: token.offset)
        case .int, .uint, .double:
            return try number(negative: false, at: token.offset)
        case .string(let text):
            advance()
            return try make(.constant(.string(text)), at: token.offset, over: [])
        case .bytes(let bytes):
            advance()
            return try make(.constant(.bytes(bytes)), at: token.offset, over: [])
        case .punctuation(.leftParenthesis):
            advance()
            let inner = try expression()
            try expect(.rightParenthesis)
            return inner
        case .punctuation(.leftBracket):
            return try list()
        case .punctuation(.leftBrace):
            return try map()
        case .punctuation(.dot):
            advance()
            return try name(isAbsolute: true, at: token.offset)
        case .identifier:
            return try name(isAbsolute: false, at: token.offset)
        default:
            throw unexpected("an expression")
        }
    }

    private mutating func number(negative: Bool, at offset: Int) throws(SyntaxError) -> Syntax {
        let token = current
        advance()
        let value: Value
        switch token.kind {
        case .int(let magnitude):
            let limit = UInt64(Int64.max) + (negative ? 1 : 0)
            guard magnitude <= limit else {
                throw SyntaxError(message: "the number does not fit into a 64-bit int", offset: offset)
            }
            value = .int(negative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude))
        case .uint(let magnitude):
            value = .uint(magnitude)
        case .double(let magnitude):
            value = .double(negative ? -magnitude : magnitude)
        default:
            throw SyntaxError(message: "expected a number", offset: token.offset)
        }
        return try make(.constant(value), at: offset, over: [])
    }

    /// Words that a later version of the language may need.
    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]

    private mutating func name(isAbsolute: Bool, at offset: Int) throws(SyntaxError) -> Syntax {
        guard case .identifier(let name) = current.kind else { throw unexpected("a name") }
        if !isAbsolute {
            let constants: [String: Value] = ["true": .bool(true), "false": .bool(false), "null": .null]
            if let constant = constants[name] {
                advance()
                return try make(.constant(constant), at: offset, over: [])
            }
        }
        guard !Self.reserved.contains(name) else {
            throw SyntaxError(message: "'\(name)' is a reserved word", offset: current.offset)
        }
        advance()
        guard skip(.leftParenthesis) else {
            return try make(.name(name, isAbsolute: isAbsolute), at: offset, over: [])
        }
        let arguments = try expressions(until: .rightParenthesis)
        if !isAbsolute, let expanded = try expandMacro(name, receiver: nil, arguments: arguments, at: offset) {
            return expanded
        }
        return try make(
            .call((isAbsolute ? "." : "") + name, receiver: nil, arguments: arguments), at: offset, over: arguments)
    }

    private mutating func expressions(until end: Punctuation) throws(SyntaxError) -> [Syntax] {
        var found: [Syntax] = []
        if skip(end) { return found }
        repeat {
            found.append(try expression())
        } while skip(.comma)
        try expect(end)
        return found
    }

    private mutating func list() throws(SyntaxError) -> Syntax {
        let offset = current.offset
        advance()
        var elements: [Syntax.Element] = []
        while !at(.rightBracket) {
            let isOptional = skip(.question)
            elements.append(Syntax.Element(value: try expression(), isOptional: isOptional))
            guard skip(.comma) else { break }
        }
        try expect(.rightBracket)
        return try make(.list(elements), at: offset, over: elements.map(\.value))
    }

    private mutating func map() throws(SyntaxError) -> Syntax {
        let offset = current.offset
        advance()
        var entries: [Syntax.Entry] = []
        while !at(.rightBrace) {
            let isOptional = skip(.question)
            let key = try expression()
            try expect(.colon)
            entries.append(Syntax.Entry(key: key, value: try expression(), isOptional: isOptional))
            guard skip(.comma) else { break }
        }
        try expect(.rightBrace)
        return try make(.map(entries), at: offset, over: entries.flatMap { [$0.key, $0.value] })
    }

    private mutating func message(_ name: String, isAbsolute: Bool, at offset: Int) throws(SyntaxError) -> Syntax {
        var fields: [Syntax.Field] = []
        while !at(.rightBrace) {
            let isOptional = skip(.question)
            let fieldOffset = current.offset
            let field = try fieldName()
            try expect(.colon)
            fields.append(
                Syntax.Field(name: field, value: try expression(), isOptional: isOptional, offset: fieldOffset))
            guard skip(.comma) else { break }
        }
        try expect(.rightBrace)
        return try make(.message(name, isAbsolute: isAbsolute, fields), at: offset, over: fields.map(\.value))
    }
}
