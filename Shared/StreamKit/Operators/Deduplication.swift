import JSON

/// Lets the first record of a key pass and refuses those whose event time is within `retention` of one seen.
///
/// An entry is over when its partition's watermark is `retention` past it. A record older than that whose key is
/// unknown passes, and is counted: nobody can tell whether it came before.
public final class Deduplication: Processor {
    private let retentionMilliseconds: Int64
    private let reader: any EventReader
    private let store: ExpiringStore
    private let row = EventRow(operandCount: 0)
    private let entries = OutputBuffer(capacity: SeenEntries.entryBytes)
    private let passedUnknownOld: TransactionCounter
    private var sweepCursor = SweepCursor()
    private var isSweeping = false
    /// The watermark when the last sweep began.
    private var sweptAt = TaskTime.none

    /// A sweep begins when the watermark has come on by this part of the retention, and goes on a piece at each commit.
    private static let sweepsPerRetention: Int64 = 16
    private static let sweepEntriesPerCommit = 20_000

    init(_ context: ProcessorContext, retentionMilliseconds: Int64, store: String, reader: any EventReader) {
        self.retentionMilliseconds = retentionMilliseconds
        self.reader = reader
        self.store = context.expiringStore(store)
        passedUnknownOld = context.counter("passed_unknown_old")
        super.init(context)
    }

    public override func process(_ record: Record) throws(StreamFault) {
        do { try reader.read(record, into: row) } catch { throw .refused(error) }
        let eventTime = row.eventTimeMilliseconds
        // As of before this record; a duplicate moves the watermark too, since it was read.
        let watermark = context.time.leastWatermarkMilliseconds
        let seen = try store.get(row.key)
        context.time.observe(eventTimeMilliseconds: eventTime)
        entries.removeAll()
        if let seen {
            for entry in SeenEntries(seen) where !isExpired(entry.eventTimeMilliseconds, watermark) {
                let distance = entry.eventTimeMilliseconds.subtractingReportingOverflow(eventTime)
                if !distance.overflow, distance.partialValue.magnitude <= UInt64(retentionMilliseconds) {
                    throw .refused(duplicate(of: entry))
                }
                SeenEntries.append(entry, to: entries)
            }
        }
        if isExpired(eventTime, watermark) {
            passedUnknownOld.count()
        } else {
            SeenEntries.append(
                SeenEntries.Entry(
                    eventTimeMilliseconds: eventTime, offset: record.origin.offset,
                    source: context.time.currentSourceNumber), to: entries)
            try store.put(row.key, entries.bytes)
        }
        try forward(record)
    }

    public override func beforeCommit() throws(StreamFault) {
        let watermark = context.time.leastWatermarkMilliseconds
        guard watermark != TaskTime.none else { return }
        if !isSweeping {
            let step = max(1, retentionMilliseconds / Self.sweepsPerRetention)
            guard sweptAt == TaskTime.none || watermark >= sweptAt &+ step else { return }
            isSweeping = true
            sweptAt = watermark
        }
        if try store.sweep(&sweepCursor, limit: Self.sweepEntriesPerCommit) { isSweeping = false }
    }

    private func isExpired(_ eventTime: Int64, _ watermark: Int64) -> Bool {
        eventTime.addingClamped(retentionMilliseconds) <= watermark
    }

    private func duplicate(of entry: SeenEntries.Entry) -> Refusal {
        let partition = context.time.partition(number: entry.source)
        let key = String(decoding: row.key, as: UTF8.self)
        let first = Instant(millisecondsSinceEpoch: entry.eventTimeMilliseconds)
        return Refusal(
            "DUPLICATE",
            "\(key) was seen within \(retentionMilliseconds / 1000) s: first in \(partition.topic) partition "
                + "\(partition.partition) offset \(entry.offset), of \(first)",
            details: [
                ("first_topic", Self.quoted(partition.topic)), ("first_partition", "\(partition.partition)"),
                ("first_offset", "\(entry.offset)"),
            ])
    }

    private static func quoted(_ text: String) -> String {
        let output = OutputBuffer()
        output.appendQuoted(text)
        return String(decoding: output.bytes, as: UTF8.self)
    }
}

extension Stream {
    /// Refuses repeated keys as `DUPLICATE`; see `Deduplication`. `name` names the store.
    public func deduplicate(
        _ name: String, within span: Duration,
        reader: @escaping @Sendable (ProcessorContext) -> any EventReader
    ) -> Stream {
        let retentionMilliseconds = span.wholeMilliseconds
        // A value that replaces another keeps what of it is not over, so that it never expires sooner.
        let expiry = StoreExpiry(spanMilliseconds: retentionMilliseconds) {
            SeenEntries($0).latestMilliseconds.addingClamped(retentionMilliseconds)
        }
        let definition = StoreDefinition(
            name, format: "deduplication/2 \(retentionMilliseconds)ms", expiry: expiry)
        return process(name, stores: [definition]) { context in
            Deduplication(
                context, retentionMilliseconds: retentionMilliseconds, store: name, reader: reader(context))
        }
    }
}

/// The value of a key: where and when it was seen. Nearly always one entry; a second one only where two event times of a key
/// are further apart than the retention and the watermark has passed neither (one of them ahead of the clock).
struct SeenEntries: Sequence {
    struct Entry {
        let eventTimeMilliseconds: Int64
        let offset: Int64
        /// The task's number of the source partition.
        let source: Int
    }

    private let bytes: Bytes
    static let entryBytes = 16

    init(_ bytes: Bytes) { self.bytes = bytes }

    /// The event time of the sighting that is over last.
    var latestMilliseconds: Int64 {
        var latest = Int64.min
        for entry in self where entry.eventTimeMilliseconds > latest { latest = entry.eventTimeMilliseconds }
        return latest
    }

    /// The event time, then the offset with the source's number in its uppermost byte.
    static func append(_ entry: Entry, to buffer: OutputBuffer) {
        var words = (
            entry.eventTimeMilliseconds.littleEndian,
            (entry.offset & 0x00ff_ffff_ffff_ffff | Int64(entry.source & 0x7f) << 56).littleEndian
        )
        withUnsafeBytes(of: &words) { buffer.append($0) }
    }

    func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    struct Iterator: IteratorProtocol {
        fileprivate let bytes: Bytes
        private var position = 0

        fileprivate init(bytes: Bytes) { self.bytes = bytes }

        mutating func next() -> Entry? {
            guard position + SeenEntries.entryBytes <= bytes.count else { return nil }
            defer { position += SeenEntries.entryBytes }
            let time = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self))
            let place = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: Int64.self))
            return Entry(
                eventTimeMilliseconds: time, offset: place & 0x00ff_ffff_ffff_ffff, source: Int(place >> 56 & 0x7f))
        }
    }
}
