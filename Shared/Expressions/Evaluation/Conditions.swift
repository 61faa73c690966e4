/// Conditions that must all hold, as one piece of code for one context.
///
/// ```swift
/// let conditions = Conditions(rules.map(\.condition), in: context)    // once
/// try context.read(bytes)                                              // per record
/// if !conditions.allHold() { refuse() }
/// ```
public final class Conditions {
    private let expressions: [Expression]
    private let context: EvaluationContext
    /// Whether all code was compiled for the context, which then begins once for all.
    private let isJoined: Bool
    private let needs: Needs
    private let code: Code<Bool>

    public init(_ expressions: [Expression], in context: EvaluationContext) {
        self.expressions = expressions
        self.context = context
        let none = Needs(layout: Layout(), variableCount: 0, fieldCount: 0, localCount: 0)
        let needs = expressions.dropFirst().reduce(expressions.first?.needs ?? none) { $0.joined($1.needs) }
        self.needs = needs
        isJoined = expressions.allSatisfy { $0.needs.layout === needs.layout }
        var code: Code<Bool> = { _ in true }
        if let last = expressions.last { code = last.condition }
        for expression in expressions.dropLast().reversed() {
            let (first, rest) = (expression.condition, code)
            code = { context throws(Unusual) in try first(context) ? try rest(context) : false }
        }
        self.code = code
    }

    /// Whether all hold of what the context has read. One that cannot be evaluated does not hold.
    public func allHold() -> Bool {
        if isJoined, context.begin(needs) {
            do { return try code(context) } catch {}
        }
        return eachHolds()
    }

    @inline(never)
    private func eachHolds() -> Bool {
        for expression in expressions where (try? expression.bool(in: context)) != true { return false }
        return true
    }
}

extension Needs {
    fileprivate func joined(_ other: Needs) -> Needs {
        Needs(
            layout: layout, variableCount: max(variableCount, other.variableCount),
            fieldCount: max(fieldCount, other.fieldCount), localCount: max(localCount, other.localCount))
    }
}
