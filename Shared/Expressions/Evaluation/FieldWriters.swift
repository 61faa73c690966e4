public import JSON

/// A field of a JSON object that an expression computes.
public struct WrittenField {
    let expression: Expression
    /// Where the value goes besides, if other expressions read it.
    let slot: VariableSlot?
    /// What stands before the value: `,"name":`.
    let prefix: [UInt8]

    public init(_ expression: Expression, prefix: [UInt8], binding slot: VariableSlot?) {
        self.expression = expression
        self.slot = slot
        self.prefix = prefix
    }
}

/// Appends the values of expressions, each behind its name, by their specialised code alone. One thread's own, as its context is.
public final class FieldWriters {
    /// What appends one field: its name, and its value if there is a quick way to it. False: only the name was appended.
    private final class Writing {
        let append: (EvaluationContext, OutputBuffer) -> Bool

        init(_ field: WrittenField) {
            let name = PinnedText(field.prefix)
            let (text, writer) = (field.expression.text, field.expression.writer)
            if let slot = field.slot {
                append = { context, output in
                    guard let slice = try? text(context) else {
                        output.append(blocks: name.slice.base, count: name.slice.count)
                        return false
                    }
                    // Its owner stays as long as this does.
                    context.setForRecord(slot, slice)
                    output.append(name, slice)
                    return true
                }
            } else if field.expression.isText {
                append = { context, output in
                    guard let slice = try? text(context) else {
                        output.append(blocks: name.slice.base, count: name.slice.count)
                        return false
                    }
                    output.append(name, slice)
                    return true
                }
            } else {
                append = { context, output in
                    output.append(blocks: name.slice.base, count: name.slice.count)
                    return (try? writer(context, output)) != nil
                }
            }
        }
    }

    private let context: EvaluationContext
    private let expressions: [Expression]
    private let owned: [Writing]
    /// The same, to visit them for each record without counting references.
    private let writings: UnsafeMutablePointer<Unmanaged<Writing>>
    private let count: Int
    /// Whether the context has been found to have what the expressions read; then it always has.
    private var isReady = false

    public init(_ fields: [WrittenField], in context: EvaluationContext) {
        self.context = context
        expressions = fields.map(\.expression)
        owned = fields.map { Writing($0) }
        count = fields.count
        writings = .allocate(capacity: max(1, count))
        for (position, writing) in owned.enumerated() { (writings + position).initialize(to: .passUnretained(writing)) }
    }

    deinit {
        context.copyComputedTexts()
        writings.deallocate()
    }

    /// Whether the expressions' code can run in the context. (Of an open record, fields that were never read are not known yet.)
    public func areReady() -> Bool {
        if isReady { return true }
        isReady = expressions.allSatisfy { context.begin($0.needs) }
        return isReady
    }

    /// Appends fields from the one with the number `first` on, until the general evaluator has to tell one's value. Answers its
    /// number; its name has been appended, and its value follows. With the number of all fields as the answer, all are there. To be
    /// called only if they are ready.
    public func append(from first: Int, to output: OutputBuffer) -> Int {
        precondition(isReady && first >= 0, "the fields are not ready")
        let context = context
        context.renewCost()
        var position = first
        while position < count {
            let isWritten = writings[position]._withUnsafeGuaranteedRef { $0.append(context, output) }
            if !isWritten { return position }
            position &+= 1
        }
        return count
    }
}

extension OutputBuffer {
    /// A name and a string.
    @inline(__always)
    fileprivate func append(_ name: PinnedText, _ slice: TextSlice) {
        append(blocks: name.slice.base, count: name.slice.count)
        appendQuoted(slice)
    }
}
