public import JSON

/// What a stateful step reads of a record: when it happened, what it belongs to, and numbers. Reused record after record.
public final class EventRow {
    public var eventTimeMilliseconds: Int64 = 0
    /// What the step groups or finds records by; valid as long as the record.
    public var key = Bytes(start: nil, count: 0)
    /// One for each aggregate function (any value for a count); empty where a step needs no numbers. The row's own memory, by its
    /// address: an array would be counted and checked for each record.
    public let operands: UnsafeMutableBufferPointer<Decimal>

    public init(operandCount: Int) {
        operands = .allocate(capacity: operandCount)
        operands.initialize(repeating: .zero)
    }

    deinit { operands.deallocate() }
}

/// Reads the rows of a step out of records. Made anew for each task.
public protocol EventReader: AnyObject {
    func read(_ record: Record, into row: EventRow) throws(Refusal)
}
