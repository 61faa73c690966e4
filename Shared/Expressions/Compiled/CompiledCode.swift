import JSON

/// Code specialised when an expression is compiled: operands are read as what they are (bytes, integers, decimals), and no
/// value of the general kind is made.
///
/// Where anything is out of the ordinary (a field is missing, of another kind or has escapes; a result overflows; an operand
/// fails), it throws ``Unusual`` and the expression is evaluated anew by the general evaluator, which then has the exact value
/// or the exact error. So the two cannot disagree about failures, and this code is only about success.
typealias Code<T> = @Sendable (EvaluationContext) throws(Unusual) -> T

struct Unusual: Error {}

/// The code of a condition as a list can hold it: a bare closure would be wrapped twice, and each wrapping costs a call.
struct Condition: Sendable {
    let code: Code<Bool>
}

/// The code of a whole expression, by the type of its result.
enum CompiledCode: Sendable {
    case bool(Code<Bool>)
    case int(Code<Int64>)
    case double(Code<Double>)
    case decimal(Code<Decimal>)
    case text(Code<TextSlice>)
    case instant(Code<Instant>)
    case duration(Code<Int64>)
    /// Left to the general evaluator.
    case general
}
