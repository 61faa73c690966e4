public import StreamKit

/// Every call over the runtime's ports, to be counted and to go wrong as a test has written it down.
public enum PortOperation: String, Sendable, CaseIterable {
    case makeConsumer, makeProducer, makeReader, partitionCounts, createTopics, deleteRecords
    case subscribe, poll, assign, unassign, seek, pause, resume, committed, bounds, partitionCount
    case initialize, begin, handle, producerPartitionCount, send, flush, sendOffsets, commit, abort
    case readerAssign, readerBounds, readerPoll
    case openStore, storeCommit, storeRollback
}

/// What is to go wrong, when. One plan stands for one process: its calls are counted together, and once it has crashed, every
/// further call fails without effect, until the process is started again (`restart`).
///
///     let faults = FaultPlan()
///     faults.fail(.commit, call: 2, .after, .recreate)   // committed, but nobody hears of it
///     faults.crash(beforeCall: 57)                       // the power goes off
///
/// Calls are counted from 1. A plan is used by one thread at a time.
public final class FaultPlan: @unchecked Sendable {  // single-threaded, like the cluster that asks it
    public enum Moment: Sendable, CaseIterable {
        /// Before it had any effect.
        case before
        /// After it took effect: its caller sees a failure although it succeeded.
        case after
    }

    private struct Key: Hashable {
        let operation: PortOperation
        let call: Int
        let moment: Moment
    }

    private var failures: [Key: BrokerFailure.Response] = [:]
    private var hooks: [Key: () -> Void] = [:]
    private var refusals: [Int: String] = [:]
    private var callHooks: [Int: (moment: Moment, happens: () -> Void)] = [:]
    private var crashCall: Int?
    private var crashMoment = Moment.before
    private var counts: [PortOperation: Int] = [:]
    /// All calls so far, in their order.
    public private(set) var history: [PortOperation] = []
    public private(set) var isCrashed = false
    /// How many of the planned failures took place.
    public private(set) var firedCount = 0

    public init() {}

    /// How often an operation was called.
    public func count(of operation: PortOperation) -> Int { counts[operation] ?? 0 }

    /// The `call`-th call of the operation fails.
    public func fail(
        _ operation: PortOperation, call: Int, _ moment: Moment, _ response: BrokerFailure.Response
    ) {
        failures[Key(operation: operation, call: call, moment: moment)] = response
    }

    /// Something happens in the outside world just then: another member joins, records are deleted.
    public func at(_ operation: PortOperation, call: Int, _ moment: Moment, _ happens: @escaping () -> Void) {
        hooks[Key(operation: operation, call: call, moment: moment)] = happens
    }

    /// Something happens in the outside world at the `call`-th call of whatever operation.
    public func at(call: Int, _ moment: Moment, _ happens: @escaping () -> Void) { callHooks[call] = (moment, happens) }

    /// The broker refuses the record of the `send`-th send; `flush` tells.
    public func refuse(send: Int, reason: String) { refusals[send] = reason }

    /// The process dies at its `call`-th call of whatever operation.
    public func crash(atCall call: Int, _ moment: Moment = .before) {
        crashCall = call
        crashMoment = moment
    }

    /// The process dies now.
    public func crash() { isCrashed = true }

    /// The process was started again; what else was planned counts from where it stood.
    public func restart() {
        isCrashed = false
        crashCall = nil
    }

    // MARK: For the in-memory ports

    func refusalOfThisSend() -> String? { refusals[count(of: .send)] }

    /// Wraps one call over a port.
    func call<Result>(
        _ operation: PortOperation, _ body: () throws(BrokerFailure) -> Result
    ) throws(BrokerFailure) -> Result {
        try enter(operation)
        let number = count(of: operation)
        let total = history.count
        try happen(operation, number, .before, total)
        let result = try body()
        try happen(operation, number, .after, total)
        return result
    }

    private func enter(_ operation: PortOperation) throws(BrokerFailure) {
        if isCrashed { throw dead(operation) }
        counts[operation, default: 0] += 1
        history.append(operation)
    }

    private func happen(
        _ operation: PortOperation, _ number: Int, _ moment: Moment, _ total: Int
    ) throws(BrokerFailure) {
        let key = Key(operation: operation, call: number, moment: moment)
        if let hook = hooks.removeValue(forKey: key) { hook() }
        if let hook = callHooks[total], hook.moment == moment {
            callHooks[total] = nil
            hook.happens()
        }
        if crashCall == total && crashMoment == moment { isCrashed = true }
        if isCrashed { throw dead(operation) }
        if let response = failures.removeValue(forKey: key) {
            firedCount += 1
            throw BrokerFailure(
                response, operation: operation.rawValue,
                reason: "planned failure \(moment) the effect of call \(number)")
        }
    }

    private func dead(_ operation: PortOperation) -> BrokerFailure {
        BrokerFailure(.stop, operation: operation.rawValue, reason: "the process has crashed")
    }
}
