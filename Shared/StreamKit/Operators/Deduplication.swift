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
    /// One entry as it is stored.
    private let single = UnsafeMutableRawPointer.allocate(byteCount: SeenEntries.entryBytes, alignment: 8)
    private let message = OutputBuffer()
    private var places: [Int: Place] = [:]
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

    deinit { single.deallocate() }

    public override func process(_ record: Record) throws(StreamFault) {
        do { try reader.read(record, into: row) } catch { throw .refused(error) }
        let eventTime = row.eventTimeMilliseconds
        // As of before this record; a duplicate moves the watermark too, since it was read.
        let watermark = context.time.leastWatermarkMilliseconds
        let sighting = SeenEntries.Entry(
            eventTimeMilliseconds: eventTime, offset: record.origin.offset, source: context.time.currentSourceNumber)
        let isOld = isExpired(eventTime, watermark)
        var first: SeenEntries.Entry?
        try store.update(row.key) { seen in
            guard let seen else {
                if isOld { return nil }
                sighting.write(to: single)
                return Bytes(start: single, count: SeenEntries.entryBytes)
            }
            entries.removeAll()
            for entry in SeenEntries(seen) where !isExpired(entry.eventTimeMilliseconds, watermark) {
                let distance = entry.eventTimeMilliseconds.subtractingReportingOverflow(eventTime)
                if !distance.overflow, distance.partialValue.magnitude <= UInt64(retentionMilliseconds) {
                    first = entry
                    return nil
                }
                append(entry)
            }
            if isOld { return nil }
            append(sighting)
            return entries.bytes
        }
        context.time.observe(eventTimeMilliseconds: eventTime)
        if let first { throw .refused(duplicate(of: first)) }
        if isOld { passedUnknownOld.count() }
        try forward(record)
    }

    private func append(_ entry: SeenEntries.Entry) {
        entry.write(to: single)
        entries.append(Bytes(start: single, count: SeenEntries.entryBytes))
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
        let place = place(number: entry.source)
        message.removeAll()
        message.append(row.key)
        place.words.withBytes { message.append($0) }
        message.append(entry.offset)
        message.append(", of " as StaticString)
        message.append(Instant(millisecondsSinceEpoch: entry.eventTimeMilliseconds))
        return Refusal(
            "DUPLICATE", String(decoding: message.bytes, as: UTF8.self),
            details: [
                ("first_topic", place.topic), ("first_partition", place.partition),
                ("first_offset", String(entry.offset)),
            ])
    }

    /// What refusals say of a source partition. Duplicates come in their thousands: it is written once.
    private struct Place {
        let of: TopicPartition
        let words: [UInt8]
        let topic: String
        let partition: String
    }

    private func place(number: Int) -> Place {
        let partition = context.time.partition(number: number)
        if let place = places[number], place.of == partition { return place }
        let output = OutputBuffer()
        output.appendQuoted(partition.topic)
        let place = Place(
            of: partition,
            words: Array(
                (" was seen within \(retentionMilliseconds / 1000) s: first in \(partition.topic) partition "
                    + "\(partition.partition) offset ").utf8),
            topic: String(decoding: output.bytes, as: UTF8.self), partition: "\(partition.partition)")
        places[number] = place
        return place
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

        /// The event time, then the offset with the source's number in its uppermost byte.
        @inline(__always)
        func write(to target: UnsafeMutableRawPointer) {
            let place = offset & 0x00ff_ffff_ffff_ffff | Int64(source & 0x7f) << 56
            target.storeBytes(of: eventTimeMilliseconds.littleEndian, as: Int64.self)
            target.storeBytes(of: place.littleEndian, toByteOffset: 8, as: Int64.self)
        }
    }

    private let bytes: Bytes
    static let entryBytes = 16

    init(_ bytes: Bytes) { self.bytes = bytes }

    /// The event time of the sighting that is over last.
    var latestMilliseconds: Int64 {
        // Nearly always there is one.
        if bytes.count == Self.entryBytes { return Int64(littleEndian: bytes.loadUnaligned(as: Int64.self)) }
        var latest = Int64.min
        for entry in self where entry.eventTimeMilliseconds > latest { latest = entry.eventTimeMilliseconds }
        return latest
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
