internal import JSON

/// A compiled expression: immutable, usable from any thread, each with a context of its own.
///
/// Evaluating is one of: ``evaluate(in:)`` for a value of any type, ``bool(in:)`` for a condition, ``writeJSON(in:to:)`` for a
/// field of the output, ``writeBytes(in:to:)`` for a key, and ``evaluate(in:into:)`` for a variable that other expressions of
/// the same record read. All of them use specialised code where there is some.
public final class Expression: Sendable {
    let source: SourceText
    let program: Program
    let code: CompiledCode
    // What runs per record by itself: taking it out of the enum would count references each time.
    let condition: Code<Bool>
    let text: Code<TextSlice>
    /// Whether its text is what is written, in place of what ``writer`` does.
    let isText: Bool
    let writer: Writer
    let needs: Needs
    /// The type of its result, as far as known before it runs.
    public let type: ValueType
    /// The names of the variables and of the record's fields that it reads.
    public var references: Set<String> { program.references }
    /// The source as given.
    public var sourceText: String { String(decoding: source.utf8, as: UTF8.self) }
    /// Whether specialised code was found for it: false means the general evaluator, ten times as slow.
    public var isSpecialised: Bool { if case .general = code { false } else { true } }

    init(source: SourceText, program: Program) {
        self.source = source
        self.program = program
        type = program.type(of: program.root)
        needs = program.needs
        code = Compiler.compile(program)
        if case .bool(let code) = code {
            condition = code
        } else {
            condition = { _ throws(Unusual) in throw Unusual() }
        }
        let special = Compiler(program: program).specialWriter()
        if let special { writer = special.write } else { writer = code.writer }
        if case .text(let code) = code {
            text = code
            isText = special == nil
        } else {
            text = { _ throws(Unusual) in throw Unusual() }
            isText = false
        }
    }

    /// The value for what the context holds.
    public func evaluate(in context: EvaluationContext) throws(EvaluationError) -> Value {
        guard context.begin(needs) else { return try evaluateGenerally(in: context) }
        switch code {
        case .bool(let code): if let value = try? code(context) { return .bool(value) }
        case .int(let code): if let value = try? code(context) { return .int(value) }
        case .double(let code): if let value = try? code(context) { return .double(value) }
        case .decimal(let code): if let value = try? code(context) { return .decimal(value) }
        case .instant(let code): if let value = try? code(context) { return .timestamp(value) }
        case .duration(let code): if let value = try? code(context) { return .duration(nanoseconds: value) }
        case .text(let code):
            if let slice = try? code(context) { return .string(Text(validUTF8: Array(slice.bytes))) }
        case .general: break
        }
        return try evaluateGenerally(in: context)
    }

    /// The same by the general evaluator alone, which is what specialised code is tested against.
    package func evaluateGenerally(in context: EvaluationContext) throws(EvaluationError) -> Value {
        try evaluateKeepingNumbers(in: context).plain
    }

    /// The same, but a number of the record keeps its text.
    func evaluateKeepingNumbers(in context: EvaluationContext) throws(EvaluationError) -> Value {
        context.isForeign = !context.begin(needs)
        do {
            let value = try program.root.value(in: context)
            try context.charge(traversing: value)
            return value
        } catch { throw error.at(program.root.offset).located(in: source) }
    }

    /// The value of a condition; an error if it is not a bool.
    public func bool(in context: EvaluationContext) throws(EvaluationError) -> Bool {
        if context.begin(needs) { do { return try condition(context) } catch {} }
        return try generalBool(in: context)
    }

    /// Whether a condition holds; nil where that cannot be told, for which ``bool(in:)`` has the reason. Without the reason's text it
    /// costs a third.
    public func holds(in context: EvaluationContext) -> Bool? {
        if context.begin(needs) { do { return try condition(context) } catch {} }
        context.isForeign = !context.begin(needs)
        guard let value = try? program.root.value(in: context).plain, (try? context.charge(traversing: value)) != nil,
            case .bool(let bool) = value
        else { return nil }
        return bool
    }

    @inline(never)
    private func generalBool(in context: EvaluationContext) throws(EvaluationError) -> Bool {
        let value = try evaluateGenerally(in: context)
        guard case .bool(let bool) = value else { throw wrongType(value, "a bool") }
        return bool
    }

    /// Binds the value to a variable until the context's next record: what is computed once, later expressions read.
    public func evaluate(in context: EvaluationContext, into slot: VariableSlot) throws(EvaluationError) {
        if context.begin(needs), let slice = try? text(context) {
            context.setForRecord(slot, copyOf: slice)
            return
        }
        context.setForRecord(slot, try evaluate(in: context))
    }

    func wrongType(_ value: Value, _ wanted: String) -> EvaluationError {
        EvaluationError(.noSuchOverload, "the result is \(value.type.reflectedName), not \(wanted)").at(
            program.root.offset
        ).located(in: source)
    }
}
