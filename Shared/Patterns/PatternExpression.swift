/// A regular expression as a tree; what a pattern means, whatever syntax it came in.
indirect enum PatternExpression: Equatable {
    case empty
    case set(ScalarSet)
    case sequence([PatternExpression])
    case alternatives([PatternExpression])
    /// `maximum` nil is without limit.
    case repetition(PatternExpression, minimum: Int, maximum: Int?)
    case start
    case end
    case wordBoundary
    case notWordBoundary
}

/// Characters of which one is to match.
struct ScalarSet: Equatable {
    var ranges: [ClosedRange<UInt32>] = []
    /// Unicode properties in RE2's syntax: `\p{Lu}`.
    var properties: [String] = []
    var isNegated = false

    /// Whether an ASCII character belongs to it; nil where that depends on a Unicode property.
    func contains(ascii: UInt32) -> Bool? {
        guard properties.isEmpty else { return nil }
        return ranges.contains { $0.contains(ascii) } != isNegated
    }

    static func scalar(_ value: UInt32) -> ScalarSet {
        ScalarSet(ranges: [value...value])
    }

    /// `\d`
    static let digits = ScalarSet(ranges: [0x30...0x39])
    /// `\w`
    static let word = ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// `\s`: white space and line ends of ECMA-262, sections 12.2 and 12.3.
    static let space = ScalarSet(ranges: [
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    /// `.`: all but line ends.
    static let dot = ScalarSet(ranges: [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029], isNegated: true)

    /// All other characters, as ranges; for sets without properties.
    var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }
}

extension PatternExpression {
    /// RE2 refuses greater counts; they are composed of several.
    private static let largestCount = 1_000

    /// The expression in RE2's syntax.
    var re2: String {
        switch self {
        case .empty: "(?:)"
        case .set(let set): set.re2
        case .sequence(let parts): parts.map { $0.re2 }.joined()
        case .alternatives(let branches): "(?:" + branches.map { $0.re2 }.joined(separator: "|") + ")"
        case .repetition(let part, let minimum, let maximum): PatternExpression.re2(part, minimum, maximum)
        case .start: #"\A"#
        case .end: #"\z"#
        case .wordBoundary: #"\b"#
        case .notWordBoundary: #"\B"#
        }
    }

    private static func re2(_ part: PatternExpression, _ minimum: Int, _ maximum: Int?) -> String {
        let group = "(?:" + part.re2 + ")"
        switch (minimum, maximum) {
        case (0, nil): return group + "*"
        case (1, nil): return group + "+"
        case (0, 1): return group + "?"
        default: break
        }
        var text = ""
        var required = minimum
        while required > largestCount {
            text += group + "{\(largestCount)}"
            required -= largestCount
        }
        guard let maximum else { return text + group + "{\(required),}" }
        var optional = maximum - minimum
        if required + optional <= largestCount { return text + group + "{\(required),\(required + optional)}" }
        if required > 0 { text += group + "{\(required)}" }
        while optional > 0 {
            let some = min(optional, largestCount)
            text += group + "{0,\(some)}"
            optional -= some
        }
        return text
    }
}

extension ScalarSet {
    fileprivate var re2: String {
        if ranges.isEmpty, properties.isEmpty {
            return isNegated ? #"[\x{0}-\x{10FFFF}]"# : #"[^\x{0}-\x{10FFFF}]"#
        }
        let members = ranges.map { range in
            range.lowerBound == range.upperBound
                ? ScalarSet.escape(range.lowerBound)
                : ScalarSet.escape(range.lowerBound) + "-" + ScalarSet.escape(range.upperBound)
        }
        return (isNegated ? "[^" : "[") + members.joined() + properties.joined() + "]"
    }

    private static func escape(_ scalar: UInt32) -> String {
        #"\x{"# + String(scalar, radix: 16) + "}"
    }
}
