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
    /// RE2 refuses greater counts, also as the product of counts within counts; they are composed of several.
    private static let largestCount = 1_000

    /// The greatest product of the counts within, as RE2 judges what is written; at most ``largestCount``.
    private var nestedCount: Int {
        switch self {
        case .empty, .set, .start, .end, .wordBoundary, .notWordBoundary: return 1
        case .sequence(let parts), .alternatives(let parts): return parts.reduce(1) { max($0, $1.nestedCount) }
        case .repetition(let part, let minimum, let maximum):
            let inner = part.nestedCount
            let count = min(maximum ?? minimum, PatternExpression.largestCount / inner)
            return max(1, count) * inner
        }
    }

    /// The greatest length of a pattern in RE2's syntax, counted repetitions written out.
    static let maximumTextLength = 1 << 20

    /// About how long ``re2`` will be; `maximumTextLength` stands for all that is longer.
    var textLength: Int {
        let length: Int
        switch self {
        case .empty, .start, .end, .wordBoundary, .notWordBoundary: length = 4
        case .set(let set): length = set.ranges.count * 20 + set.properties.reduce(4) { $0 + $1.utf8.count }
        case .sequence(let parts), .alternatives(let parts): length = parts.reduce(4) { $0 + $1.textLength + 1 }
        case .repetition(let part, let minimum, let maximum):
            let chunk = PatternExpression.largestCount / part.nestedCount
            let copies = minimum / chunk + ((maximum ?? minimum) - minimum) / chunk + 2
            length = copies * (part.textLength + 12)
        }
        return min(length, PatternExpression.maximumTextLength)
    }

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
        // So many copies may stand under one count.
        let chunk = largestCount / part.nestedCount
        var text = ""
        var required = minimum
        while required > chunk {
            text += group + count(chunk, chunk)
            required -= chunk
        }
        guard let maximum else { return text + (required > 0 ? group + count(required, required) : "") + group + "*" }
        var optional = maximum - minimum
        if required + optional <= chunk { return text + group + "{\(required),\(required + optional)}" }
        if required > 0 { text += group + count(required, required) }
        while optional > 0 {
            let some = min(optional, chunk)
            text += group + count(0, some)
            optional -= some
        }
        return text
    }

    private static func count(_ minimum: Int, _ maximum: Int) -> String {
        switch (minimum, maximum) {
        case (1, 1): ""
        case (0, 1): "?"
        default: minimum == maximum ? "{\(minimum)}" : "{\(minimum),\(maximum)}"
        }
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
