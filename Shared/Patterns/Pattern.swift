internal import CRE2

/// A regular expression that is searched for in linear time, whatever pattern and text: there is no backtracking.
///
/// It is compiled once and may be shared by threads. Two engines stand behind it, which answer alike: RE2, and for
/// ECMAScript patterns of moderate size a table of states for text that is all ASCII, three times as fast on short fields.
///
/// ```swift
/// let pattern = try Pattern(ecmaScript: "^ORD-[0-9]{8}$")       // throws what is wrong, and at which character
/// pattern.matches("ORD-00001234")                               // true: a search, unless the pattern is anchored
/// ```
public final class Pattern: Sendable {
    /// The pattern as it was given.
    public let text: String
    private let automaton: ASCIIAutomaton?
    /// For text that is all ASCII; nil where only RE2 can tell.
    public var asciiMatcher: ASCIIMatcher? { automaton?.matcher }
    // RE2 objects are immutable to their users; their cache has its own lock.
    private nonisolated(unsafe) let expression: OpaquePointer

    /// RE2's memory for one pattern; greater ones are refused.
    private static let maximumBytes: Int64 = 32 << 20

    /// Compiles a pattern of ECMA-262, as JSON Schema has them, in Unicode mode.
    ///
    /// Look-around and back-references, which no linear-time search can do, are errors. As in browsers, an escape that has no
    /// meaning stands for its character where that is punctuation.
    public init(ecmaScript text: String) throws(PatternError) {
        self.text = text
        let parsed = try ECMAScriptParser.parse(text)
        guard parsed.textLength < PatternExpression.maximumTextLength else {
            throw PatternError("the pattern is too large: its counted repetitions multiply")
        }
        expression = try Pattern.compile(parsed.re2)
        automaton = ASCIIAutomaton(parsed)
    }

    /// Whether the text is a pattern of ECMA-262, be it one that cannot be searched for in linear time.
    public static func isECMAScript(_ text: String) -> Bool {
        (try? ECMAScriptParser.parse(text, checksOnly: true)) != nil
    }

    /// Compiles a pattern in RE2's own syntax, as CEL has them.
    public init(re2 text: String) throws(PatternError) {
        self.text = text
        expression = try Pattern.compile(text)
        automaton = nil
    }

    deinit {
        re2_pattern_destroy(expression)
    }

    /// Whether the pattern matches anywhere in the UTF-8 text.
    ///
    /// - Parameter isASCII: whether all bytes are known to be ASCII. Text that is should say so: it is faster.
    public func matches(_ utf8: UnsafeRawBufferPointer, isASCII: Bool = false) -> Bool {
        if isASCII, let automaton { return automaton.matcher.matches(utf8) }
        return re2_pattern_search(expression, utf8.baseAddress?.assumingMemoryBound(to: CChar.self), utf8.count)
    }

    /// Whether the pattern matches anywhere in the text.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// Whether text that is all ASCII goes the fast way.
    public var hasAutomaton: Bool { automaton != nil }

    private static func compile(_ text: String) throws(PatternError) -> OpaquePointer {
        var text = text
        let result: Result<OpaquePointer, PatternError> = text.withUTF8 { utf8 in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
                guard let error = message.baseAddress else { return .failure(PatternError("out of memory")) }
                return utf8.withMemoryRebound(to: CChar.self) { text in
                    // An empty pattern may have no address.
                    guard
                        let pattern = re2_pattern_create(
                            text.baseAddress ?? UnsafePointer(error), text.count, maximumBytes, error, 256)
                    else { return .failure(PatternError(String(cString: error))) }
                    return .success(pattern)
                }
            }
        }
        return try result.get()
    }
}
