/// What becomes of the header `correlation-id`.
public enum CorrelationMode: String, Sendable, CaseIterable {
    /// It stays where it is.
    case keep
    /// It is made from the origin's topic, partition and offset where a record has none, so that a replay gives the same.
    case make
    /// It is left out.
    case off

    public static let header = "correlation-id"
}

/// Writes records to a topic, with the key, value, timestamp and headers that they have.
final class SinkProcessor: Processor {
    private let target: Int32
    private let correlation: CorrelationMode
    private let reader: any SourceConsumer
    private let output: TaskOutput
    /// What a record does not bring itself; used again for the next.
    private let added = HeaderBuffer()
    /// Of a repartition topic whose readers are to know how far event time has come.
    private var reporter: EventTimeReporter?
    private let needsKeys: Bool

    init(
        _ context: ProcessorContext, target: Int32, correlation: CorrelationMode, reader: any SourceConsumer,
        reporter: EventTimeReporter? = nil
    ) {
        self.reporter = reporter
        needsKeys = reporter != nil
        self.target = target
        self.correlation = correlation
        self.reader = reader
        self.output = context.output
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        // Those without are reports.
        if needsKeys, record.key == nil {
            throw .refused(Refusal("KEY_MISSING", "the record has no key to be brought together by"))
        }
        if correlation == .keep {
            try send(record, inherited: record.origin.headers, headers: nil)
        } else {
            let (inherited, headers) = correlated(record.origin)
            try send(record, inherited: inherited, headers: headers)
        }
    }

    override func beforeCommit() throws(StreamFault) { try reporter?.beforeCommit() }

    override func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) { try reporter?.clockAdvanced() }

    override func aborted() { reporter?.aborted() }

    @inline(__always)
    private func send(_ record: Record, inherited: HeaderReference, headers: HeaderBuffer?) throws(StreamFault) {
        do throws(SendFailure) {
            try output.send(
                to: target, partition: nil, key: record.key, value: record.value,
                timestampMilliseconds: record.timestampMilliseconds, inherited: inherited, headers: headers,
                spread: record.origin.offset)
        } catch {
            throw error.fault
        }
    }

    private func correlated(_ origin: Origin) -> (HeaderReference, HeaderBuffer?) {
        let headers = origin.headers.address == nil ? [] : reader.headers(of: origin.headers)
        let has = headers.contains { $0.name == CorrelationMode.header }
        switch correlation {
        case .off where has:
            added.removeAll()
            for header in headers where header.name != CorrelationMode.header { added.append(header) }
            return (.none, added)
        case .make where !has:
            let partition = reader.partition(at: origin.source)
            added.removeAll()
            added.append(Header(CorrelationMode.header, "\(partition)-\(origin.offset)"))
            return (origin.headers, added)
        case .keep, .off, .make: return (origin.headers, nil)
        }
    }
}

extension SendFailure {
    /// What a failed `send` means for the record that was being processed.
    var fault: StreamFault {
        switch self {
        case .refused(let reason): .outputRefused("the output cannot be written: \(reason)")
        case .failed(let failure): .broker(failure)
        }
    }
}
