/// Counts what happens in transactions. What an aborted one had counted comes again, so it is counted with the commit.
public final class TransactionCounter {
    public private(set) var committed = 0
    /// In the open transaction.
    public private(set) var pending = 0

    init() {}

    @inline(__always)
    public func count() { pending &+= 1 }

    func commit() {
        committed &+= pending
        pending = 0
    }

    func abort() { pending = 0 }
}

/// A thread's counters: its own, and those of the topology's steps by name. They outlive the tasks that count, because what
/// people plot must not fall when a partition goes elsewhere.
final class TransactionCounters {
    let recordsRead = TransactionCounter()
    let recordsSent = TransactionCounter()
    private var steps: [String: TransactionCounter] = [:]

    func step(_ name: String) -> TransactionCounter {
        if let counter = steps[name] { return counter }
        let counter = TransactionCounter()
        steps[name] = counter
        return counter
    }

    var committedOfSteps: [String: Int] { steps.mapValues(\.committed) }

    func commit() { forEach { $0.commit() } }

    func abort() { forEach { $0.abort() } }

    private func forEach(_ body: (TransactionCounter) -> Void) {
        body(recordsRead)
        body(recordsSent)
        for counter in steps.values { body(counter) }
    }
}
