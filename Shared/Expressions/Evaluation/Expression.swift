/// A compiled expression: immutable, usable from any thread, each with a context of its own.
public struct Expression: Sendable {
    let source: SourceText
    let program: Program
    /// The type of its result, as far as known before it runs.
    public let type: ValueType
    /// The names of the variables and of the record's fields that it reads.
    public var references: Set<String> { program.references }
    /// The source as given.
    public var text: String { String(decoding: source.utf8, as: UTF8.self) }

    init(source: SourceText, program: Program, environment: Environment) {
        self.source = source
        self.program = program
        type = program.type(of: program.root)
    }

    /// The value for what the context holds.
    public func evaluate(in context: EvaluationContext) throws(EvaluationError) -> Value {
        context.begin(program)
        do { return try program.root.value(in: context).plain } catch { throw error.located(in: source) }
    }
}
