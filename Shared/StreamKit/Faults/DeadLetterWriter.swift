internal import JSON

/// Writes refused records to the dead-letter topic, in the transaction that consumes them.
///
/// The value says what was refused and why; the headers say where it came from, under the names that Kafka Streams and Kafka
/// Connect use. It fits into a record whatever was refused: the original gets half of the room, key, headers and copied
/// fields an eighth each, and messages are cut. If a dead letter itself cannot be written, the service stops: nothing may be lost silently.
public final class DeadLetterWriter {
    private let settings: DeadLetterSettings
    private let output: TaskOutput
    private let consumer: any SourceConsumer
    private let target: Int32
    private let correlation: CorrelationMode
    private let encoder: DeadLetterEncoder
    private let families = HeaderNames.families
    private let headers = HeaderBuffer()
    /// An offset in digits.
    private let number = OutputBuffer(capacity: 64)
    /// What the dead letters of a partition say of it, and of this stage.
    private var places: [TopicPartition: HeaderBuffer] = [:]
    private var lastPlace: (partition: TopicPartition, headers: HeaderBuffer)?
    private var nowMilliseconds: Int64
    /// How many were committed, by type.
    public private(set) var counts: [String: Int] = [:]
    /// A few types, found by comparing them: a hash for each dead letter costs more.
    private var pendingCounts: [(type: String, count: Int)] = []

    init(
        _ settings: DeadLetterSettings, output: TaskOutput, consumer: any SourceConsumer, clock: any Clock,
        correlation: CorrelationMode
    ) throws(BrokerFailure) {
        self.settings = settings
        self.output = output
        self.consumer = consumer
        self.correlation = correlation
        encoder = DeadLetterEncoder(copiedFields: settings.copiedFields, recordBytesMax: settings.recordBytesMax)
        target = try output.target(settings.sink.topic)
        nowMilliseconds = clock.nowMilliseconds
    }

    func clock(nowMilliseconds: Int64) { self.nowMilliseconds = nowMilliseconds }

    /// `record` as it was read, not as processors changed it, goes with the refusal.
    func write(_ refusal: Refusal, of record: Record, from partition: TopicPartition) throws(StreamFault) {
        let origin = record.origin
        let refusal = Refusal(
            refusal.type, UTF8Text.cut(refusal.message, bytesMax: min(4096, settings.recordBytesMax / 64)),
            details: refusal.details)
        let value = encoder.encode(refusal, original: origin.value, nowMilliseconds: nowMilliseconds)
        setHeaders(refusal, origin, partition)
        do throws(SendFailure) {
            try output.send(
                to: target, partition: nil, key: origin.key.map(cut), value: value,
                timestampMilliseconds: origin.timestampMilliseconds, headers: headers, spread: origin.offset)
        } catch {
            switch error {
            case .failed(let failure): throw .broker(failure)
            case .refused(let reason):
                throw .broker(
                    BrokerFailure(
                        .stop, operation: "write the dead letter of \(partition) offset \(origin.offset)",
                        reason: reason))
            }
        }
        count(refusal.type)
    }

    func committed() {
        for pending in pendingCounts where pending.count > 0 { counts[pending.type, default: 0] += pending.count }
        aborted()
    }

    func aborted() {
        for index in pendingCounts.indices { pendingCounts[index].count = 0 }
    }

    private func count(_ type: String) {
        if let index = pendingCounts.firstIndex(where: { $0.type == type }) {
            pendingCounts[index].count += 1
        } else {
            pendingCounts.append((type, 1))
        }
    }

    private func cut(_ key: Bytes) -> Bytes {
        let bytesMax = settings.recordBytesMax / 8
        return key.count > bytesMax ? Bytes(rebasing: key[..<bytesMax]) : key
    }

    private func setHeaders(_ refusal: Refusal, _ origin: Origin, _ partition: TopicPartition) {
        headers.removeAll()
        if origin.headers.address != nil || correlation == .make { keepHeaders(origin, partition) }
        headers.append(place(of: partition))
        number.removeAll()
        number.append(origin.offset)
        var (type, message) = (refusal.type, refusal.message)
        type.withUTF8 { type in
            message.withUTF8 { message in
                for names in families {
                    names.offset.withBytes { headers.append($0, number.bytes) }
                    names.exception.withBytes { headers.append($0, Bytes(type)) }
                    names.message.withBytes { headers.append($0, Bytes(message)) }
                }
            }
        }
    }

    /// The record's own headers.
    private func keepHeaders(_ origin: Origin, _ partition: TopicPartition) {
        var kept = origin.headers.address == nil ? [] : consumer.headers(of: origin.headers)
        // A dead letter that was put back in and refused again tells its last refusal, not the first.
        kept.removeAll { header in HeaderNames.prefixes.contains { header.name.hasPrefix($0) } }
        let size = kept.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
        if size > settings.recordBytesMax / 8 { kept = kept.filter { $0.name == CorrelationMode.header } }
        let hasCorrelation = kept.contains { $0.name == CorrelationMode.header }
        switch correlation {
        case .make where !hasCorrelation:
            kept.append(Header(CorrelationMode.header, "\(partition)-\(origin.offset)"))
        case .off: kept.removeAll { $0.name == CorrelationMode.header }
        case .keep, .make: break
        }
        for header in kept { headers.append(header) }
    }

    /// Dead letters come in their thousands where a producer has gone wrong: what they share is written once.
    private func place(of partition: TopicPartition) -> HeaderBuffer {
        if let lastPlace, lastPlace.partition == partition { return lastPlace.headers }
        let place = places[partition] ?? HeaderBuffer()
        if place.count == 0 {
            for names in families {
                append(names.topic, partition.topic, to: place)
                append(names.partition, String(partition.partition), to: place)
                append(names.stage, settings.stage, to: place)
            }
            places[partition] = place
        }
        lastPlace = (partition, place)
        return place
    }

    private func append(_ name: [UInt8], _ value: String, to headers: HeaderBuffer) {
        var value = value
        name.withBytes { name in value.withUTF8 { headers.append(name, Bytes($0)) } }
    }
}

/// What the headers of a dead letter are called, in the families of Kafka Streams and Kafka Connect.
private struct HeaderNames {
    static let prefixes = ["__streams.errors.", "__connect.errors."]
    static let families = [
        HeaderNames(prefixes[0], message: "message"), HeaderNames(prefixes[1], message: "exception.message"),
    ]

    let topic: [UInt8]
    let partition: [UInt8]
    let offset: [UInt8]
    let stage: [UInt8]
    let exception: [UInt8]
    let message: [UInt8]

    private init(_ prefix: String, message: String) {
        topic = Array((prefix + "topic").utf8)
        partition = Array((prefix + "partition").utf8)
        offset = Array((prefix + "offset").utf8)
        stage = Array((prefix + "stage").utf8)
        exception = Array((prefix + "exception").utf8)
        self.message = Array((prefix + message).utf8)
    }
}
