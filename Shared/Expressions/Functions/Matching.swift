import Patterns

/// `matches`: regular expressions in RE2's syntax, in linear time.
extension FunctionLibrary {
    static func addMatching(_ group: inout FunctionGroup) {
        group.binary("matches(string, string) -> bool", "(string).matches(string) -> bool") {
            (value, pattern, context) throws(EvaluationError) in
            guard case .string(let text) = value, case .string(let pattern) = pattern else {
                throw .noSuchOverload("matches", value, pattern)
            }
            // Only a pattern that the record itself brings is compiled here: constant ones were when the expression was.
            try context.charge(1_000 + pattern.utf8.count * 100)
            let compiled: Pattern
            do {
                compiled = try Pattern(re2: pattern.string)
            } catch {
                throw .invalid("matches(): '\(pattern)' is no regular expression: \(error)")
            }
            return .bool(try matches(text, compiled, context))
        }
    }

    /// `matches` with a pattern that is known when the expression is compiled.
    static func constantMatch(_ pattern: Pattern) -> Function {
        Function(
            "matches", [],
            .unary { (value, context) throws(EvaluationError) in
                guard case .string(let text) = value else { throw .noSuchOverload("matches", value) }
                return .bool(try matches(text, pattern, context))
            }, pattern: pattern)
    }

    private static func matches(
        _ text: Text, _ pattern: Pattern, _ context: EvaluationContext
    ) throws(EvaluationError) -> Bool {
        try context.charge(bytes: text.utf8.count * 10)
        return text.utf8.withUnsafeBytes { pattern.matches($0) }
    }
}
