internal import JSON
internal import Patterns

/// A schema for records laid flat: for each field of the record where it is and what it may be, checked without a step for each
/// rule.
///
/// It only says that a record is valid. Where it does not (a field is wrong, or too unusual to tell), ``Evaluation`` decides:
/// that is what defines the schema's meaning, and what this is tested against.
struct RecordCheck {
    struct Field {
        let slot: FieldSlot
        let isRequired: Bool
        /// The kinds of values about which nothing more is to be checked.
        var free: KindSet = []
        /// Of strings, in bytes.
        var minimumLength = 0
        var maximumLength = Int.max
        /// Whether a string's length is all there is to check.
        var checksLengthOnly = false
        /// nil: strings are free, or left to the node.
        var string: StringCheck?
        var integer: IntegerCheck?
        /// The whole schema of the field; nil where the field is only required.
        let node: NodePointer?
    }

    /// For strings of ASCII without escapes.
    struct StringCheck {
        let pattern: ASCIIMatcher?
        let values: TextTable?
        let format: Format?
    }

    /// For numbers without point and exponent.
    struct IntegerCheck {
        let lowest: Int64
        let highest: Int64
    }

    private let fields: UnsafeMutableBufferPointer<Field>
    private let allowsOthers: Bool

    /// nil where the root says more than which fields there are, and which schema each has.
    init?(_ program: Program, slots: UnsafeMutablePointer<FieldSlot>) {
        let root = program.root.pointee
        guard !program.usesDynamicScope, !root.refusesAll, root.kinds.contains(.object), root.values == nil,
            root.applicators == nil, root.unevaluatedProperties == nil, root.unevaluatedItems == nil,
            let rules = root.object?.pointee, let firstSlot = rules.firstSlot, !rules.needsMembers,
            rules.minimumCount == 0, rules.maximumCount == .max
        else { return nil }
        allowsOthers = rules.additional.map(\.pointee.acceptsAll) ?? true
        fields = .allocate(capacity: rules.properties.count)
        for (index, property) in rules.properties.enumerated() {
            fields.initializeElement(at: index, to: Field(slots[firstSlot + index], property))
        }
    }

    func deallocate() {
        fields.deinitialize()
        fields.deallocate()
    }

    /// How many schemas ``isValid(_:_:)`` applies at most, beside those within fields.
    var steps: Int { fields.count + 1 }

    /// Whether the record is known to be valid.
    ///
    /// - Parameter evaluate: applies the schema of a field that takes more than a flat check.
    @inline(__always)
    func isValid(_ root: JSONValue, _ values: JSONFields, _ evaluate: (NodePointer, JSONValue) -> Bool) -> Bool {
        guard root.kind == .object, var field = UnsafePointer(fields.baseAddress) else { return false }
        let end = field + fields.count
        var known = 0
        while field < end {
            if let value = values[field.pointee.slot] {
                if let node = field.pointee.node {
                    known &+= 1
                    guard RecordCheck.accepts(field, value) || evaluate(node, value) else { return false }
                }
            } else if field.pointee.isRequired {
                return false
            }
            field += 1
        }
        // A key and a value each and nothing within: then there are no others.
        return allowsOthers || root.innerCount == 2 &* known
    }

    /// Whether a value is known to be what the field may be.
    @inline(__always)
    private static func accepts(_ field: UnsafePointer<Field>, _ value: JSONValue) -> Bool {
        if field.pointee.free.contains(KindSet(value.kind)) { return true }
        // The commonest string: of some length, whatever it says.
        if field.pointee.checksLengthOnly, let string = value.string, !string.hasEscapes, string.isASCII {
            let count = string.rawBytes.count
            return count >= field.pointee.minimumLength && count <= field.pointee.maximumLength
        }
        return acceptsWhollyChecked(field, value)
    }

    @inline(never)
    private static func acceptsWhollyChecked(_ field: UnsafePointer<Field>, _ value: JSONValue) -> Bool {
        if value.kind == .number { return accepts(field.pointee.integer, value) }
        guard let string = value.string, !string.hasEscapes, string.isASCII else { return false }
        guard let check = field.pointee.string else { return false }
        let bytes = string.rawBytes
        guard bytes.count >= field.pointee.minimumLength, bytes.count <= field.pointee.maximumLength else {
            return false
        }
        if let pattern = check.pattern, !pattern.matches(bytes) { return false }
        if let values = check.values, values.number(bytes) == nil { return false }
        if let format = check.format {
            return format == .dateTime ? RFC3339.isDateTime(bytes) : format.accepts(bytes)
        }
        return true
    }

    @inline(__always)
    private static func accepts(_ check: IntegerCheck?, _ value: JSONValue) -> Bool {
        guard let check, let integer = value.int64 else { return false }
        return integer >= check.lowest && integer <= check.highest
    }
}

extension RecordCheck.Field {
    fileprivate init(_ slot: FieldSlot, _ property: ObjectRules.Property) {
        self.slot = slot
        isRequired = property.isRequired
        node = property.node
        guard let rules = property.node?.pointee, !rules.refusesAll, rules.applicators == nil,
            rules.unevaluatedProperties == nil, rules.unevaluatedItems == nil
        else { return }
        let hasValues = rules.values != nil
        if !hasValues {
            free = rules.kinds.intersection(.any)
            if rules.string != nil { free.remove(.string) }
            if rules.number != nil { free.remove(.number) }
            if rules.array != nil { free.remove(.array) }
            if rules.object != nil { free.remove(.object) }
        }
        if rules.kinds.contains(.string) {
            string = RecordCheck.StringCheck(rules.string?.pointee, values: rules.values?.pointee)
            minimumLength = rules.string?.pointee.minimumLength ?? 0
            maximumLength = rules.string?.pointee.maximumLength ?? .max
            checksLengthOnly = string.map { $0.pattern == nil && $0.values == nil && $0.format == nil } ?? false
        }
        if !hasValues, !rules.kinds.isDisjoint(with: [.number, .integer]) {
            integer = RecordCheck.IntegerCheck(rules.number?.pointee)
        }
    }
}

extension RecordCheck.StringCheck {
    fileprivate init?(_ rules: StringRules?, values: ValueRules?) {
        pattern = rules?.pattern.flatMap { $0.takeUnretainedValue().asciiMatcher }
        self.values = values?.strings
        format = rules?.format
        // What cannot be checked here is left to the node.
        if rules?.pattern != nil, pattern == nil { return nil }
        if values != nil, self.values == nil { return nil }
    }
}

extension RecordCheck.IntegerCheck {
    fileprivate init?(_ rules: NumberRules?) {
        if let rules, !rules.boundsDecideIntegers { return nil }
        lowest = rules?.lowestInteger ?? .min
        highest = rules?.highestInteger ?? .max
    }
}
