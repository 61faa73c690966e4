public import JSON

/// What an evaluation reads and spends: the values of the variables, the record, the time. One thread's own, reused from
/// record to record.
///
/// ```swift
/// let context = EvaluationContext(environment)
/// context.set("rates", rates)
/// try context.read(bytes)                  // borrowed until the next read
/// let isValid = try condition.bool(in: context)
/// ```
public final class EvaluationContext {
    /// The reader of the record; it may be shared with others that read the same bytes, a schema say.
    public let record: JSONRecord
    private let slotNames: [String]
    let fieldSlots: [FieldSlot]
    var variables: [BoundVariable]
    private var instant: Instant?
    /// Text made by compiled expressions; lives until the next record.
    let arena = Arena()
    var locals: [Value] = []
    private var remainingCost: Int
    private let costLimit: Int

    /// - Parameter record: the reader to use: a new one unless given.
    public init(_ environment: Environment, record: JSONRecord = JSONRecord()) {
        self.record = record
        slotNames = environment.slotNames
        fieldSlots = environment.fieldNames.map { record.declare($0) }
        variables = Array(repeating: BoundVariable(), count: environment.slotNames.count)
        costLimit = environment.limits.cost
        remainingCost = costLimit
    }

    /// For calls of constants while an expression is checked.
    init(folding limits: Limits) {
        record = JSONRecord()
        slotNames = []
        fieldSlots = []
        variables = []
        costLimit = limits.cost
        remainingCost = costLimit
    }

    // MARK: Binding

    /// Reads the next record; its bytes stay borrowed until the one after it.
    public func read(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        begin()
        try record.read(bytes)
    }

    /// To be called for each record if ``record`` was read by someone else: `now()` is asked anew, and text made for the
    /// record before is forgotten.
    public func begin() {
        instant = nil
        arena.removeAll()
    }

    /// The place of a declared variable, for ``set(_:_:)-(VariableSlot,_)``; nil if the environment has none of the name.
    public func slot(_ name: String) -> VariableSlot? {
        slotNames.firstIndex(of: name).map { VariableSlot(index: $0) }
    }

    /// Binds a variable until it is bound anew; nil takes the value away.
    public func set(_ slot: VariableSlot, _ value: Value?) {
        variables[slot.index] = BoundVariable(value)
    }

    /// Binds a declared variable by its name; false if the environment has none of it.
    @discardableResult
    public func set(_ name: String, _ value: Value?) -> Bool {
        guard let slot = slot(name) else { return false }
        set(slot, value)
        return true
    }

    /// The time that `now()` answers for this record; nil takes the system's when first asked.
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
        if slot < variables.count, let value = variables[slot].value { return value }
        throw EvaluationError(.unbound, "no value is bound to '\(name)'")
    }

    func json(_ field: Node.RecordField) -> JSONValue? {
        if let index = field.index { return record.field(fieldSlots[index]) }
        return record.field(named: field.name)
    }

    func fieldValue(_ field: Node.RecordField) throws(EvaluationError) -> Value {
        guard let json = json(field) else {
            throw EvaluationError(.noSuchField, "the record has no field '\(field.name)'", field: field.name)
        }
        return try value(of: json, as: field.type, path: field.name)
    }

    func recordValue() throws(EvaluationError) -> Value {
        try value(of: record.root, as: .map(key: .string, value: .dyn), path: "the record")
    }
}

/// The place of a variable in the contexts of one environment.
public struct VariableSlot: Hashable, Sendable {
    let index: Int
}
