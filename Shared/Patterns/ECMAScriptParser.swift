/// Patterns of ECMA-262 (section 22.2.1, in Unicode mode, with the web's leniency of annex B towards brackets and punctuation).
struct ECMAScriptParser {
    /// Repeating a part more often than this is refused: the counted copies would fill the memory.
    static let largestCount = 100_000
    private static let maximumDepth = 200

    private let scalars: [Unicode.Scalar]
    /// Whether only the grammar is of interest: what no linear-time search can do is then no error.
    private let checksOnly: Bool
    private var position = 0
    private var depth = 0

    static func parse(_ text: String, checksOnly: Bool = false) throws(PatternError) -> PatternExpression {
        var parser = ECMAScriptParser(scalars: Array(text.unicodeScalars), checksOnly: checksOnly)
        let expression = try parser.alternatives()
        if let next = parser.peek { throw parser.error("'\(next)' without its opening bracket") }
        return expression
    }

    private init(scalars: [Unicode.Scalar], checksOnly: Bool) {
        self.scalars = scalars
        self.checksOnly = checksOnly
    }

    private var peek: Unicode.Scalar? {
        position < scalars.count ? scalars[position] : nil
    }

    private func peek(_ offset: Int) -> Unicode.Scalar? {
        position + offset < scalars.count ? scalars[position + offset] : nil
    }

    private mutating func accept(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars.dropFirst(position).starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private func error(_ message: String, at offset: Int? = nil) -> PatternError {
        PatternError(message, at: offset ?? position)
    }

    // MARK: Structure

    private mutating func alternatives() throws(PatternError) -> PatternExpression {
        depth += 1
        defer { depth -= 1 }
        if depth > ECMAScriptParser.maximumDepth {
            throw error("groups nested deeper than \(ECMAScriptParser.maximumDepth)")
        }
        var branches = [try sequence()]
        while accept("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternExpression {
        var parts: [PatternExpression] = []
        while let next = peek, next != "|", next != ")" {
            parts.append(try term())
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func term() throws(PatternError) -> PatternExpression {
        if accept("^") { return .start }
        if accept("$") { return .end }
        if accept(#"\b"#) { return .wordBoundary }
        if accept(#"\B"#) { return .notWordBoundary }
        let atom = try atom()
        return try quantified(atom)
    }

    private mutating func atom() throws(PatternError) -> PatternExpression {
        let start = position
        guard let next = peek else { return .empty }
        position += 1
        switch next {
        case ".": return .set(.dot)
        case "(": return try group(at: start)
        case "[": return .set(try characterClass(at: start))
        case "\\": return .set(try escape(at: start))
        case "*", "+", "?": throw error("'\(next)' with nothing to repeat", at: start)
        case "{":
            position = start
            if try quantifier() != nil { throw error("'{' with nothing to repeat", at: start) }
            position = start + 1
            return .set(.scalar(next.value))
        default: return .set(.scalar(next.value))
        }
    }

    private mutating func group(at start: Int) throws(PatternError) -> PatternExpression {
        if accept("?") {
            if accept("=") || accept("!") || accept("<=") || accept("<!") {
                if !checksOnly {
                    throw error(
                        "look-around cannot be searched for in linear time: state it as a further rule", at: start)
                }
            } else if accept("<") {
                while let next = peek, next != ">" {
                    guard
                        next == "_" || next == "$" || next.properties.isAlphabetic || next.properties.numericType != nil
                    else { throw error("'\(next)' in the name of a group") }
                    position += 1
                }
                if peek(-1) == "<" { throw error("a group's name is empty") }
                guard accept(">") else { throw error("a group's name without its '>'", at: start) }
            } else if !accept(":") {
                throw error("unknown kind of group: known are (?:...) and (?<name>...)", at: start)
            }
        }
        let inner = try alternatives()
        guard accept(")") else { throw error("'(' without its closing bracket", at: start) }
        return inner
    }

    private mutating func quantified(_ atom: PatternExpression) throws(PatternError) -> PatternExpression {
        let start = position
        guard let (minimum, maximum) = try quantifier() else { return atom }
        // Greedy or not decides what is matched, not whether.
        _ = accept("?")
        if let maximum, maximum < minimum { throw error("a repetition's limits are in the wrong order", at: start) }
        if max(minimum, maximum ?? 0) > ECMAScriptParser.largestCount {
            throw error("a repetition of more than \(ECMAScriptParser.largestCount)", at: start)
        }
        if let next = peek, next == "*" || next == "+" || next == "?" {
            throw error("'\(next)' with nothing to repeat")
        }
        return .repetition(atom, minimum: minimum, maximum: maximum)
    }

    private mutating func quantifier() throws(PatternError) -> (minimum: Int, maximum: Int?)? {
        if accept("*") { return (0, nil) }
        if accept("+") { return (1, nil) }
        if accept("?") { return (0, 1) }
        let start = position
        guard accept("{") else { return nil }
        if let minimum = number() {
            if accept("}") { return (minimum, minimum) }
            if accept(",") {
                if accept("}") { return (minimum, nil) }
                if let maximum = number(), accept("}") { return (minimum, maximum) }
            }
        }
        // Annex B: a brace that begins no quantifier is itself.
        position = start
        return nil
    }

    /// Digits; what is too large for anything saturates.
    private mutating func number() -> Int? {
        var value: Int?
        while let next = peek, ("0"..."9").contains(next) {
            value = min((value ?? 0) * 10 + Int(next.value - 0x30), 1_000_000)
            position += 1
        }
        return value
    }

    // MARK: Characters

    private mutating func characterClass(at start: Int) throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        set.isNegated = accept("^")
        while true {
            guard peek != nil else { throw error("'[' without its closing bracket", at: start) }
            if accept("]") { return set }
            let lower = try classMember()
            // A minus between two characters is a range; anywhere else it is itself.
            if peek == "-", let after = peek(1), after != "]" {
                let minus = position
                position += 1
                let upper = try classMember()
                if let first = lower.single, let last = upper.single {
                    guard first <= last else { throw error("a range out of order", at: minus) }
                    set.ranges.append(first...last)
                    continue
                }
                set.ranges.append(0x2D...0x2D)
                set.formUnion(upper)
            }
            set.formUnion(lower)
        }
    }

    private mutating func classMember() throws(PatternError) -> ScalarSet {
        let start = position
        guard let next = peek else { throw error("'[' without its closing bracket") }
        position += 1
        guard next == "\\" else { return .scalar(next.value) }
        if accept("b") { return .scalar(8) }
        if accept("-") { return .scalar(0x2D) }
        return try escape(at: start)
    }

    /// What follows a backslash.
    private mutating func escape(at start: Int) throws(PatternError) -> ScalarSet {
        guard let next = peek else { throw error("a backslash at the end", at: start) }
        position += 1
        switch next {
        case "d": return .digits
        case "D": return ScalarSet(ranges: ScalarSet.digits.complement)
        case "w": return .word
        case "W": return ScalarSet(ranges: ScalarSet.word.complement)
        case "s": return .space
        case "S": return ScalarSet(ranges: ScalarSet.space.complement)
        case "t": return .scalar(9)
        case "n": return .scalar(10)
        case "v": return .scalar(11)
        case "f": return .scalar(12)
        case "r": return .scalar(13)
        case "0":
            if let digit = peek, ("0"..."9").contains(digit) { throw error("an octal escape", at: start) }
            return .scalar(0)
        case "1"..."9", "k":
            guard checksOnly else { throw error("back-references cannot be searched for in linear time", at: start) }
            return ScalarSet()
        case "c":
            guard let letter = peek, letter.isASCII, letter.properties.isAlphabetic else {
                throw error(#"\c is not followed by a letter"#, at: start)
            }
            position += 1
            return .scalar(letter.value % 32)
        case "x":
            guard let value = hexadecimal(count: 2) else {
                throw error(#"\x is not followed by two digits"#, at: start)
            }
            return .scalar(value)
        case "u": return .scalar(try unicodeEscape(at: start))
        case "p", "P": return try UnicodeProperty.set(try propertyName(at: start), isNegated: next == "P", at: start)
        default:
            // Annex B allows any; a letter is more likely meant for another dialect: \A, \Z, \a.
            guard !next.properties.isAlphabetic, next.value > 0x20 else {
                throw error("'\\\(next)' has no meaning in ECMAScript", at: start)
            }
            return .scalar(next.value)
        }
    }

    private mutating func hexadecimal(count: Int) -> UInt32? {
        guard position + count <= scalars.count else { return nil }
        let digits = String(String.UnicodeScalarView(scalars[position..<(position + count)]))
        guard digits.unicodeScalars.allSatisfy({ $0.properties.isASCIIHexDigit }) else { return nil }
        position += count
        return UInt32(digits, radix: 16)
    }

    private mutating func unicodeEscape(at start: Int) throws(PatternError) -> UInt32 {
        let failure = error(#"\u is not followed by the number of a character"#, at: start)
        if accept("{") {
            var value: UInt32 = 0
            var digits = 0
            while !accept("}") {
                guard let digit = hexadecimal(count: 1), value <= 0x10FFFF else { throw failure }
                value = value << 4 | digit
                digits += 1
            }
            guard digits > 0, Unicode.Scalar(value) != nil else { throw failure }
            return value
        }
        guard let unit = hexadecimal(count: 4) else { throw failure }
        if unit & 0xFC00 == 0xD800, accept(#"\u"#), let low = hexadecimal(count: 4), low & 0xFC00 == 0xDC00 {
            return 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
        }
        guard Unicode.Scalar(unit) != nil else { throw error("half of a surrogate pair matches no text", at: start) }
        return unit
    }

    private mutating func propertyName(at start: Int) throws(PatternError) -> String {
        guard accept("{") else { throw error(#"\p is not followed by {...}"#, at: start) }
        var name = String.UnicodeScalarView()
        while let next = peek, next != "}" {
            name.append(next)
            position += 1
        }
        guard accept("}") else { throw error(#"\p{ without its closing brace"#, at: start) }
        return String(name)
    }
}

extension ScalarSet {
    fileprivate var single: UInt32? {
        guard ranges.count == 1, properties.isEmpty, !isNegated, ranges[0].lowerBound == ranges[0].upperBound else {
            return nil
        }
        return ranges[0].lowerBound
    }

    fileprivate mutating func formUnion(_ other: ScalarSet) {
        ranges += other.ranges
        properties += other.properties
    }
}
