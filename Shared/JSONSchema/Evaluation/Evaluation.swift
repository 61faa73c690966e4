internal import JSON

/// One run of a program over one value after the other.
///
/// Valid records are the rule, so the first pass only answers yes or no and stops at the first no. Only then a second pass
/// goes on after violations and writes them down.
final class Evaluation {
    let program: Program
    let record: JSONRecord
    /// The slots of all root properties, by the rules' `firstSlot`.
    let slots: UnsafeMutablePointer<FieldSlot>
    /// The same rules for whole records, flat.
    private let recordCheck: RecordCheck?
    let scratch = OutputBuffer()
    var marks = MarkStack()
    var scope = ScopeStack()
    var unique = UniqueItems()
    /// The value that is being validated.
    private(set) var root: JSONValue
    /// Where the record's root begins while that is what is validated; -1 otherwise.
    private(set) var recordOffset = -1

    private var violationLimit: Int
    /// Alternatives within alternatives can double the work with each level of nesting; no value takes longer than this.
    private let stepLimit: Int
    private var found: [Violation] = []
    /// Whether violations are written down; branches that are merely tried do not.
    var isCollecting = false
    /// Whether what is written down explains a branch that refused. Branches within are not explained in turn: the effort
    /// would double with each level of nesting.
    private(set) var isExplaining = false
    var applicatorDepth = 0
    /// Schemas applied so far, to this value.
    private var steps = 0

    /// Schemas applied within schemas to the same value or its parts; more is taken for a circle.
    static let maximumApplicatorDepth = 1_000

    init(_ program: Program, record: JSONRecord, violationLimit: Int, stepLimit: Int) {
        self.program = program
        self.record = record
        self.violationLimit = violationLimit
        self.stepLimit = stepLimit
        root = record.root
        var declared: [FieldSlot] = []
        for object in program.rootObjects {
            for property in object.pointee.properties {
                declared.append(record.declare(String(decoding: property.name, as: UTF8.self)))
            }
        }
        slots = .allocate(capacity: max(1, declared.count))
        slots.initialize(from: declared, count: declared.count)
        recordCheck = RecordCheck(program, slots: slots)
    }

    deinit {
        slots.deallocate()
        recordCheck?.deallocate()
        marks.deallocate()
        scope.deallocate()
        unique.deallocate()
    }

    /// Whether the record is valid; nearly always the flat check knows it.
    func isRecordValid() -> Bool {
        if let recordCheck {
            let root = record.root
            var steps = recordCheck.steps
            let isKnown = recordCheck.isValid(root, record.fields) { node, value in
                begin(root, isRecord: true)
                let isValid = evaluate(node, value, tracking: false)
                steps &+= self.steps
                return isValid
            }
            if isKnown, steps <= stepLimit { return true }
        }
        return isValid(record.root, isRecord: true)
    }

    func isValid(_ value: JSONValue, isRecord: Bool) -> Bool {
        begin(value, isRecord: isRecord)
        let isValid = evaluate(program.root, value, tracking: false)
        // A step too far counts as a failure, which a `not` would take for good.
        return isValid && steps <= stepLimit
    }

    func violations(of value: JSONValue, isRecord: Bool) -> [Violation] {
        begin(value, isRecord: isRecord)
        isCollecting = true
        defer {
            isCollecting = false
            found = []
        }
        _ = evaluate(program.root, value, tracking: false)
        if steps > stepLimit {
            found.append(
                Violation(
                    instancePointer: "", keyword: "$schema",
                    location: program.locations[Int(program.root.pointee.location)],
                    message: "the value takes more than \(stepLimit) steps to validate"))
        }
        return found
    }

    private func begin(_ value: JSONValue, isRecord: Bool) {
        root = value
        recordOffset = isRecord ? value.offset : -1
        marks.truncate(to: 0)
        scope.removeAll()
        applicatorDepth = 0
        steps = 0
    }

    /// Whether there is no more to find out once something is invalid.
    var stopsAtFailure: Bool { !isCollecting || found.count >= violationLimit }

    /// Notes a violation, if they are being collected. Answers whether to go on.
    @inline(never)
    func report(
        _ node: NodePointer, _ keyword: StaticString, _ value: JSONValue, _ message: @autoclosure () -> String
    ) -> Bool {
        guard isCollecting, found.count < violationLimit else { return false }
        // A message may look for violations itself.
        let message = message()
        found.append(
            Violation(
                instancePointer: JSONPointer.pointer(to: value, from: root), keyword: keyword,
                location: program.locations[Int(node.pointee.location)], message: message))
        return found.count < violationLimit
    }

    /// What a schema that refuses a value finds wrong with it, beside what is being collected.
    func explanation(_ node: NodePointer, _ value: JSONValue, atMost count: Int) -> [Violation] {
        let (collected, limit, wasExplaining) = (found, violationLimit, isExplaining)
        let firstMark = marks.count
        (found, violationLimit, isExplaining) = ([], count, true)
        defer {
            (found, violationLimit, isExplaining) = (collected, limit, wasExplaining)
            marks.truncate(to: firstMark)
        }
        _ = evaluate(node, value, tracking: false)
        return found
    }

    /// What a message calls a value: the path to it.
    func name(_ value: JSONValue) -> String {
        let pointer = JSONPointer.pointer(to: value, from: root)
        return pointer.isEmpty ? "the value" : String(pointer.dropFirst())
    }

    // MARK: Nodes

    /// Whether `value` satisfies the schema `node`.
    ///
    /// - Parameter tracking: whether someone asks which members and elements were evaluated; they are then marked.
    func evaluate(_ node: NodePointer, _ value: JSONValue, tracking: Bool) -> Bool {
        if node.pointee.acceptsAll { return true }
        // The commonest schema of a field, and a step that leads nowhere.
        if node.pointee.checksKindOnly, node.pointee.kinds.contains(KindSet(value.kind)) { return true }
        if program.usesDynamicScope, scope.last != node.pointee.resource {
            scope.push(node.pointee.resource)
            defer { scope.pop() }
            return evaluateRules(node, value, tracking: tracking)
        }
        return evaluateRules(node, value, tracking: tracking)
    }

    private func evaluateRules(_ node: NodePointer, _ value: JSONValue, tracking: Bool) -> Bool {
        steps &+= 1
        if steps > stepLimit { return false }
        if node.pointee.refusesAll {
            return report(node, "false", value, "\(name(value)) is not allowed") && false
        }
        let hasUnevaluated = node.pointee.unevaluatedProperties != nil || node.pointee.unevaluatedItems != nil
        let tracking = tracking || hasUnevaluated
        let firstMark = marks.count
        let kind = value.kind
        var isValid = true
        if !node.pointee.kinds.contains(KindSet(kind)), !isInteger(value, node.pointee.kinds) {
            isValid = false
            guard report(node, "type", value, Message.kind(node.pointee.kinds, of: value, name(value))) else {
                return false
            }
        }
        if let rules = node.pointee.values, !isAmong(rules, value) {
            isValid = false
            guard report(node, rules.pointee.keyword, value, Message.values(rules.pointee, of: value, name(value)))
            else { return false }
        }
        switch kind {
        case .string:
            if let rules = node.pointee.string, !evaluateString(rules, node, value) { isValid = false }
        case .number:
            if let rules = node.pointee.number, !evaluateNumber(rules, node, value) { isValid = false }
        case .object:
            if let rules = node.pointee.object, !evaluateObject(rules, node, value, tracking: tracking) {
                isValid = false
            }
        case .array:
            if let rules = node.pointee.array, !evaluateArray(rules, node, value, tracking: tracking) {
                isValid = false
            }
        case .null, .true, .false: break
        }
        if !isValid, stopsAtFailure { return false }
        if let rules = node.pointee.applicators, !evaluateApplicators(rules, node, value, tracking: tracking) {
            isValid = false
        }
        if hasUnevaluated {
            if !isValid, stopsAtFailure { return false }
            if !evaluateUnevaluated(node, value, from: firstMark) { isValid = false }
        }
        return isValid
    }

    /// A schema applied to a part of the value: what it evaluates there is nobody's concern here.
    @inline(__always)
    func evaluateChild(_ node: NodePointer, _ child: JSONValue, tracking: Bool) -> Bool {
        let firstMark = marks.count
        let isValid = evaluate(node, child, tracking: false)
        marks.truncate(to: firstMark)
        if tracking { marks.push(child.offset) }
        return isValid
    }

    private func isInteger(_ value: JSONValue, _ kinds: KindSet) -> Bool {
        guard value.kind == .number, kinds.contains(.integer) else { return false }
        return value.isWrittenAsInteger || value.number?.isInteger == true
    }

    private func isAmong(_ rules: UnsafeMutablePointer<ValueRules>, _ value: JSONValue) -> Bool {
        if let string = value.string {
            guard let table = rules.pointee.strings else { return false }
            return string.withUTF8(scratch: scratch) { table.number($0) } != nil
        }
        for other in rules.pointee.others where other.isEqual(to: value) { return true }
        return false
    }
}
