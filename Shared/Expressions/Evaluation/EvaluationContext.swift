public import JSON

/// What an evaluation reads and spends: the values of the variables, the record, the time. One thread's own, reused from
/// record to record.
public final class EvaluationContext {
    private let slotNames: [String]
    private var values: [Value?]
    private var instant: Instant?
    var locals: [Value] = []
    private var remainingCost: Int
    private let costLimit: Int

    public init(_ environment: Environment) {
        slotNames = environment.slotNames
        values = Array(repeating: nil, count: environment.slotNames.count)
        costLimit = environment.limits.cost
        remainingCost = costLimit
    }

    /// For calls of constants while an expression is checked.
    init(folding limits: Limits) {
        slotNames = []
        values = []
        costLimit = limits.cost
        remainingCost = costLimit
    }

    /// Binds a declared variable; false if the environment has none of the name.
    @discardableResult
    public func set(_ name: String, _ value: Value?) -> Bool {
        guard let slot = slotNames.firstIndex(of: name) else { return false }
        values[slot] = value
        return true
    }

    /// The time that `now()` answers; nil takes the system's at the first call for a record.
    public var now: Instant? {
        get { instant }
        set { instant = newValue }
    }

    func currentInstant() -> Instant {
        if let instant { return instant }
        let read = Instant.now()
        instant = read
        return read
    }

    // MARK: During an evaluation

    func begin(_ program: Program) {
        remainingCost = costLimit
        while locals.count < program.localCount { locals.append(.null) }
    }

    func charge(_ cost: Int) throws(EvaluationError) {
        remainingCost &-= cost
        if remainingCost < 0 {
            remainingCost = -1
            throw EvaluationError(.costLimit, "the evaluation costs more than its limit of \(costLimit)")
        }
    }

    func value(slot: Int, name: String) throws(EvaluationError) -> Value {
        if slot < values.count, let value = values[slot] { return value }
        throw EvaluationError(.unbound, "no value is bound to '\(name)'")
    }

    func fieldValue(_ name: String) throws(EvaluationError) -> Value {
        throw EvaluationError(.unbound, "no record is bound")
    }

    func recordValue() throws(EvaluationError) -> Value {
        throw EvaluationError(.unbound, "no record is bound")
    }

    func hasField(_ name: String) throws(EvaluationError) -> Bool {
        throw EvaluationError(.unbound, "no record is bound")
    }
}
