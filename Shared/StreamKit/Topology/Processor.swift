/// A step of a topology in one task. Subclasses override what they need; everything runs on the task's thread, in the order of
/// the task's records, and nothing here may wait.
open class Processor {
    public final let context: ProcessorContext
    // Not counted for each record; `context.outputs` owns it as long as this lives.
    private final let next: Uncounted<Processor>?

    public init(_ context: ProcessorContext) {
        self.context = context
        next = (context.outputs.first ?? nil).map { Uncounted($0) }
    }

    /// Takes one record. Throwing `.refused` makes the record as it was read a dead letter.
    open func process(_ record: Record) throws(StreamFault) { try forward(record) }

    /// A transaction is about to be committed: what was held back since the last one is to be forwarded now.
    open func beforeCommit() throws(StreamFault) {}

    /// The transaction is committed: what was remembered for the case of an abort can be forgotten.
    open func committed() {}

    /// The transaction is not committed, and its records will come again: fields that it changed must be as before it.
    /// (Stores and watermarks see to that themselves.)
    open func aborted() {}

    /// The task's stores are restored and its watermarks known; records follow.
    open func started() throws(StreamFault) {}

    /// Called about every 100 ms whether or not records come.
    open func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) {}

    /// Hands a record to the next step.
    @inline(__always)
    public final func forward(_ record: Record) throws(StreamFault) {
        try next?.with { (next) throws(StreamFault) in try next.process(record) }
    }

    /// Hands a record to the steps after another output than the first.
    public final func forward(_ record: Record, to output: Int) throws(StreamFault) {
        if output < context.outputs.count, let processor = context.outputs[output] { try processor.process(record) }
    }
}

final class PassProcessor: Processor {}

/// Hands a record to several steps.
final class FanOutProcessor: Processor {
    private let targets: [Processor]

    init(_ context: ProcessorContext, _ targets: [Processor]) {
        self.targets = targets
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        for target in targets { try target.process(record) }
    }
}

final class FilterProcessor: Processor {
    private let isKept: @Sendable (Record) throws(Refusal) -> Bool

    init(_ context: ProcessorContext, _ isKept: @escaping @Sendable (Record) throws(Refusal) -> Bool) {
        self.isKept = isKept
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        let kept: Bool
        do { kept = try isKept(record) } catch { throw .refused(error) }
        if kept { try forward(record) }
    }
}

final class MapValueProcessor: Processor {
    private let transform: @Sendable (Record, inout [UInt8]) throws(Refusal) -> Void
    private var buffer: [UInt8] = []

    init(
        _ context: ProcessorContext, _ transform: @escaping @Sendable (Record, inout [UInt8]) throws(Refusal) -> Void
    ) {
        self.transform = transform
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        buffer.removeAll(keepingCapacity: true)
        do { try transform(record, &buffer) } catch { throw .refused(error) }
        var fault: StreamFault?
        buffer.withUnsafeBytes { bytes in
            var changed = record
            changed.value = bytes
            do throws(StreamFault) { try forward(changed) } catch { fault = error }
        }
        if let fault { throw fault }
    }
}
