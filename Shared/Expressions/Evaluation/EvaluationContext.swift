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
    private let layout: Layout
    /// The slots of the fields, by their places in the layout. A pointer: reading an array's element would count references.
    private var fieldSlots: UnsafeMutablePointer<FieldSlot>
    /// What the fields are as decimals, by the same places: several expressions read the same amount.
    private var decimals: UnsafeMutablePointer<DecimalField>
    /// The variables by their places; a pointer for the same reason.
    let variables: UnsafeMutablePointer<BoundVariable>
    private let variableCount: Int
    private var fieldCount = 0
    private var instant: Instant?
    /// Text made by compiled expressions; lives until the next record.
    let arena = Arena()
    /// The variables whose values were computed for this record alone, each once; a pointer for the same reason.
    private let computed: UnsafeMutablePointer<Int>
    private var computedCount = 0
    /// Whether one of them may lie in the arena.
    private var arenaIsInUse = false
    /// The timestamp that was written last, and its JSON.
    var writtenInstant: Instant?
    let instantText = OutputBuffer(capacity: 128)
    /// The day of the time read last.
    var day = KnownDay()
    var locals: [Value] = []
    /// Whether the expression being evaluated was compiled with another environment.
    var isForeign = false
    private var remainingCost: Int
    private let costLimit: Int

    /// - Parameters:
    ///   - environment: the one that the expressions were compiled with, or a copy of it. (Expressions of others find their
    ///     variables and fields by name, by the general evaluator.) Variables that it declares after this are not known
    ///     here; nor, if the record is read by someone else, are fields of an open record in expressions compiled after this.
    ///   - record: the reader to use: a new one unless given.
    public init(_ environment: Environment, record: JSONRecord = JSONRecord()) {
        self.record = record
        layout = environment.layout
        fieldSlots = .allocate(capacity: 1)
        decimals = .allocate(capacity: 1)
        variableCount = layout.variableNames.count
        variables = .allocate(capacity: max(1, variableCount))
        variables.initialize(repeating: BoundVariable(), count: variableCount)
        computed = .allocate(capacity: max(1, variableCount))
        costLimit = environment.limits.cost
        remainingCost = costLimit
        for name in environment.declaredFieldNames { _ = layout.field(name) }
        declareFields()
    }

    /// For calls of constants while an expression is checked.
    init(folding limits: Limits) {
        record = JSONRecord()
        layout = Layout()
        fieldSlots = .allocate(capacity: 1)
        decimals = .allocate(capacity: 1)
        variableCount = 0
        variables = .allocate(capacity: 1)
        computed = .allocate(capacity: 1)
        costLimit = limits.cost
        remainingCost = costLimit
    }

    deinit {
        fieldSlots.deallocate()
        decimals.deallocate()
        variables.deinitialize(count: variableCount)
        variables.deallocate()
        computed.deallocate()
    }

    // MARK: Binding

    /// Reads the next record; its bytes stay borrowed until the one after it.
    public func read(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        begin()
        if layout.fieldCount != fieldCount { declareFields() }
        try record.read(bytes)
    }

    /// Makes fields known that expressions compiled since the last time refer to.
    private func declareFields() {
        let names = layout.fieldNames
        fieldSlots.deallocate()
        fieldSlots = .allocate(capacity: max(1, names.count))
        for (place, name) in names.enumerated() { (fieldSlots + place).initialize(to: record.declare(name)) }
        decimals.deallocate()
        decimals = .allocate(capacity: max(1, names.count))
        decimals.initialize(repeating: DecimalField(reading: 0, value: .zero), count: names.count)
        fieldCount = names.count
    }

    /// To be called for each record if ``record`` was read by someone else: `now()` is asked anew, and text made for the
    /// record before is forgotten.
    public func begin() {
        instant = nil
        while computedCount > 0 {
            computedCount &-= 1
            let slot = computed[computedCount]
            if variables[slot].isTextOfRecord { variables[slot].text = nil } else { variables[slot] = BoundVariable() }
        }
        arenaIsInUse = false
        arena.removeAll()
    }

    /// The place of a declared variable, for ``set(_:_:)-(VariableSlot,_)``; nil if the environment has none of the name.
    public func slot(_ name: String) -> VariableSlot? {
        layout.variableNames.firstIndex(of: name).flatMap { $0 < variableCount ? VariableSlot(index: $0) : nil }
    }

    /// Binds a variable until it is bound anew; nil takes the value away.
    public func set(_ slot: VariableSlot, _ value: Value?) {
        precondition(slot.index < variableCount, "the slot belongs to another environment")
        if computedCount > 0 { copyComputedTexts() }
        variables[slot.index] = BoundVariable(value)
        for position in 0..<computedCount where computed[position] == slot.index {
            computedCount -= 1
            computed[position] = computed[computedCount]
            break
        }
    }

    /// Binds a declared variable by its name; false if the environment has none of it.
    @discardableResult
    public func set(_ name: String, _ value: Value?) -> Bool {
        guard let slot = slot(name) else { return false }
        set(slot, value)
        return true
    }

    /// Binds a variable for this record alone.
    func setForRecord(_ slot: VariableSlot, _ value: Value) {
        precondition(slot.index < variableCount, "the slot belongs to another environment")
        variables[slot.index] = BoundVariable(value)
        noteComputed(slot)
    }

    /// The same of text, which stays where it is as long as the record: its owner (the record, an expression, a variable's value)
    /// does.
    @inline(__always)
    func setForRecord(_ slot: VariableSlot, _ text: TextSlice) {
        precondition(slot.index < variableCount, "the slot belongs to another environment")
        if variables[slot.index].isTextOfRecord {
            variables[slot.index].text = text
        } else {
            variables[slot.index] = BoundVariable(text: text)
        }
        noteComputed(slot)
        arenaIsInUse = true
    }

    /// The same of text whose owner may be gone before the record is.
    func setForRecord(_ slot: VariableSlot, copyOf slice: TextSlice) {
        setForRecord(slot, copy(slice))
    }

    private func copy(_ slice: TextSlice) -> TextSlice {
        let copy = arena.allocate(slice.count)
        ShortCopy.copy(slice.base, to: copy, count: slice.count)
        return TextSlice(copy, slice.count, isPlain: slice.isPlain)
    }

    /// Before something is gone in the middle of a record that may have the text of a variable: another one's value, an expression.
    func copyComputedTexts() {
        for position in 0..<computedCount {
            let variable = variables + computed[position]
            if variable.pointee.isTextOfRecord, let text = variable.pointee.text { variable.pointee.text = copy(text) }
        }
    }

    @inline(__always)
    private func noteComputed(_ slot: VariableSlot) {
        for position in 0..<computedCount where computed[position] == slot.index { return }
        computed[computedCount] = slot.index
        computedCount &+= 1
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

    /// Starts an evaluation; false if this context has not all places that the expression's compiled code reads: then the
    /// general evaluator looks names up.
    @inline(__always)
    func begin(_ needs: Needs) -> Bool {
        remainingCost = costLimit
        // What earlier evaluations made was copied out of the arena, but for variables computed for the record.
        if !arenaIsInUse { arena.removeAll() }
        if needs.localCount > 0 { makeRoom(needs.localCount) }
        return needs.layout === layout && needs.variableCount <= variableCount && needs.fieldCount <= fieldCount
    }

    @inline(__always)
    func renewCost() { remainingCost = costLimit }

    @inline(never)
    private func makeRoom(_ localCount: Int) {
        while locals.count < localCount { locals.append(.null) }
    }

    func charge(_ cost: Int) throws(EvaluationError) {
        remainingCost &-= cost
        if remainingCost < 0 {
            remainingCost = -1
            throw EvaluationError(.costLimit, "the evaluation costs more than its limit of \(costLimit)")
        }
    }

    /// A variable's value by its place, if that is this context's, or by its name.
    func value(slot: Int, name: String) throws(EvaluationError) -> Value {
        let place = isForeign ? self.slot(name)?.index : slot
        if let place, place < variableCount, let value = variables[place].value { return value }
        throw EvaluationError(.unbound, "no value is bound to '\(name)'")
    }

    /// The value of the field with this place.
    @inline(__always)
    func json(_ index: Int) -> JSONValue? { record.field(fieldSlots[index]) }

    /// The decimal that a number or a string at this place is; read once for each record.
    @inline(__always)
    func decimal(_ index: Int) throws(Unusual) -> Decimal {
        if decimals[index].reading == record.reading { return decimals[index].value }
        return try readDecimal(index)
    }

    @inline(never)
    private func readDecimal(_ index: Int) throws(Unusual) -> Decimal {
        guard let json = json(index) else { throw Unusual() }
        let value = try json.decimalOfNumberOrString()
        decimals[index] = DecimalField(reading: record.reading, value: value)
        return value
    }
}

/// A field as a decimal, and the reading of the record in which it was.
private struct DecimalField {
    let reading: UInt64
    let value: Decimal
}

extension JSONValue {
    /// A number, or the text of one without escapes.
    @inline(__always)
    func decimalOfNumberOrString() throws(Unusual) -> Decimal {
        let text: UnsafeRawBufferPointer
        switch kind {
        case .number: text = bytes
        case .string:
            guard let utf8 = string?.utf8 else { throw Unusual() }
            text = utf8
        default: throw Unusual()
        }
        guard let decimal = Decimal(bytes: text) else { throw Unusual() }
        return decimal
    }
}

/// The place of a variable in the contexts of one environment.
public struct VariableSlot: Hashable, Sendable {
    let index: Int
}
