/// A transaction that was aborted, as read_committed clients need it: they skip the producer's records from `firstOffset`
/// to its abort marker.
struct AbortedTransaction: Equatable {
    let producerID: Int64
    let firstOffset: Int64
    /// Of the abort marker.
    let lastOffset: Int64
}

/// What a partition knows of its producers: their last batches, open transactions, and which transactions were aborted.
struct ProducerTable {
    struct Batch {
        let firstSequence: Int32
        let lastSequence: Int32
        let baseOffset: Int64
    }

    struct Producer {
        var epoch: Int16
        /// The last five batches at most: what a client may have in flight and send again.
        var batches: [Batch] = []
        /// When it last wrote, on the broker's clock: records' own times may lie years back.
        var lastWriteMilliseconds: Int64 = -1
        var coordinatorEpoch: Int32 = -1
        var openTransactionFirstOffset: Int64?
    }

    /// What to do with a batch.
    enum Verdict: Equatable {
        case append
        /// It is already stored: the answer repeats the offset it has.
        case duplicate(baseOffset: Int64)
        case refuse(ErrorCode)
    }

    private static let rememberedBatches = 5

    private(set) var producers: [Int64: Producer] = [:]
    /// Open transactions in the order of their first offsets.
    private var open: [(firstOffset: Int64, producerID: Int64)] = []
    /// In the order of their markers.
    private(set) var aborted: [AbortedTransaction] = []

    /// The first offset of the oldest open transaction.
    var firstUnstableOffset: Int64? { open.first?.firstOffset }

    func verdict(on header: RecordBatchHeader) -> Verdict {
        guard let producer = producers[header.producer.id] else { return .append }
        if header.producer.epoch < producer.epoch { return .refuse(.invalidProducerEpoch) }
        if header.producer.epoch > producer.epoch {
            return header.baseSequence == 0 ? .append : .refuse(.outOfOrderSequenceNumber)
        }
        let repeated = producer.batches.first {
            $0.firstSequence == header.baseSequence && $0.lastSequence == header.lastSequence
        }
        if let repeated { return .duplicate(baseOffset: repeated.baseOffset) }
        if producer.openTransactionFirstOffset != nil && !header.isTransactional {
            return .refuse(.invalidTransactionState)
        }
        let expected = producer.batches.last.map { SequenceNumber.advance($0.lastSequence, by: 1) } ?? 0
        return header.baseSequence == expected ? .append : .refuse(.outOfOrderSequenceNumber)
    }

    /// Takes note of a stored batch of a producer.
    mutating func recordBatch(_ header: RecordBatchHeader, baseOffset: Int64, time: Int64) {
        let id = header.producer.id
        var producer = producers[id] ?? Producer(epoch: header.producer.epoch)
        if producer.epoch != header.producer.epoch {
            producer.epoch = header.producer.epoch
            producer.batches = []
        }
        if producer.batches.count == Self.rememberedBatches { producer.batches.removeFirst() }
        producer.batches.append(
            Batch(
                firstSequence: header.baseSequence, lastSequence: header.lastSequence, baseOffset: baseOffset))
        producer.lastWriteMilliseconds = time
        if header.isTransactional && producer.openTransactionFirstOffset == nil {
            producer.openTransactionFirstOffset = baseOffset
            open.append((baseOffset, id))
        }
        producers[id] = producer
    }

    /// Takes note of a stored marker.
    mutating func recordMarker(
        _ outcome: TransactionOutcome, producer identity: ProducerIdentity, coordinatorEpoch: Int32, offset: Int64,
        time: Int64
    ) {
        var producer = producers[identity.id] ?? Producer(epoch: identity.epoch)
        if identity.epoch > producer.epoch {
            producer.epoch = identity.epoch
            producer.batches = []
        }
        if let firstOffset = producer.openTransactionFirstOffset {
            if outcome == .abort {
                aborted.append(
                    AbortedTransaction(producerID: identity.id, firstOffset: firstOffset, lastOffset: offset))
            }
            open.removeAll { $0.producerID == identity.id }
            producer.openTransactionFirstOffset = nil
        }
        producer.coordinatorEpoch = coordinatorEpoch
        producer.lastWriteMilliseconds = time
        producers[identity.id] = producer
    }

    func hasOpenTransaction(_ producerID: Int64) -> Bool {
        producers[producerID]?.openTransactionFirstOffset != nil
    }

    /// The aborted transactions that overlap the offsets from `start` up to, not including, `end`.
    func aborted(from start: Int64, to end: Int64) -> [AbortedTransaction] {
        var first = 0
        var last = aborted.count
        while first < last {
            let middle = (first + last) / 2
            if aborted[middle].lastOffset < start { first = middle + 1 } else { last = middle }
        }
        return aborted[first...].filter { $0.firstOffset < end }
    }

    /// Forgets aborted transactions that ended before the log starts.
    mutating func forgetAborted(before logStartOffset: Int64) {
        aborted.removeAll { $0.lastOffset < logStartOffset }
    }

    /// Forgets producers without an open transaction that have been silent since `time`.
    mutating func forgetProducers(silentSince time: Int64) {
        producers = producers.filter {
            $0.value.openTransactionFirstOffset != nil || $0.value.lastWriteMilliseconds >= time
        }
    }
}
