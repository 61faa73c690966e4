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
    private let stage: [UInt8]
    private var places: [TopicPartition: (topic: [UInt8], partition: [UInt8])] = [:]
    private var nowMilliseconds: Int64
    /// How many were committed, by type.
    public private(set) var counts: [String: Int] = [:]
    private var pendingCounts: [String: Int] = [:]

    init(
        _ settings: DeadLetterSettings, output: TaskOutput, consumer: any SourceConsumer, clock: any Clock,
        correlation: CorrelationMode
    ) throws(BrokerFailure) {
        self.settings = settings
        self.output = output
        self.consumer = consumer
        self.correlation = correlation
        stage = Array(settings.stage.utf8)
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
        do throws(SendFailure) {
            try output.send(
                to: target, partition: nil, key: origin.key.map(cut), value: value,
                timestampMilliseconds: origin.timestampMilliseconds, headers: headers(refusal, origin, partition),
                spread: origin.offset)
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
        pendingCounts[refusal.type, default: 0] += 1
    }

    func committed() {
        if pendingCounts.isEmpty { return }
        counts.merge(pendingCounts, uniquingKeysWith: +)
        pendingCounts = [:]
    }

    func aborted() { pendingCounts = [:] }

    private func cut(_ key: Bytes) -> Bytes {
        let bytesMax = settings.recordBytesMax / 8
        return key.count > bytesMax ? Bytes(rebasing: key[..<bytesMax]) : key
    }

    private func headers(_ refusal: Refusal, _ origin: Origin, _ partition: TopicPartition) -> [Header] {
        var headers = origin.headers.address == nil ? [] : consumer.headers(of: origin.headers)
        // A dead letter that was put back in and refused again tells its last refusal, not the first.
        headers.removeAll { header in HeaderNames.prefixes.contains { header.name.hasPrefix($0) } }
        let size = headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
        if size > settings.recordBytesMax / 8 { headers = headers.filter { $0.name == CorrelationMode.header } }
        let hasCorrelation = headers.contains { $0.name == CorrelationMode.header }
        switch correlation {
        case .make where !hasCorrelation:
            headers.append(Header(CorrelationMode.header, "\(partition)-\(origin.offset)"))
        case .off: headers.removeAll { $0.name == CorrelationMode.header }
        case .keep, .make: break
        }
        let place = place(of: partition)
        let offset = Array(String(origin.offset).utf8)
        let type = Array(refusal.type.utf8)
        let message = Array(refusal.message.utf8)
        headers.reserveCapacity(headers.count + 2 * HeaderNames.count)
        for names in HeaderNames.families {
            headers.append(Header(names.topic, place.topic))
            headers.append(Header(names.partition, place.partition))
            headers.append(Header(names.offset, offset))
            headers.append(Header(names.stage, stage))
            headers.append(Header(names.exception, type))
            headers.append(Header(names.message, message))
        }
        return headers
    }

    /// Dead letters come in their thousands where a producer has gone wrong: what they share is written once.
    private func place(of partition: TopicPartition) -> (topic: [UInt8], partition: [UInt8]) {
        if let place = places[partition] { return place }
        let place = (Array(partition.topic.utf8), Array(String(partition.partition).utf8))
        places[partition] = place
        return place
    }
}

/// What the headers of a dead letter are called, in the families of Kafka Streams and Kafka Connect.
private struct HeaderNames {
    static let count = 6
    static let prefixes = ["__streams.errors.", "__connect.errors."]
    static let families = [
        HeaderNames(prefixes[0], message: "message"), HeaderNames(prefixes[1], message: "exception.message"),
    ]

    let topic: String
    let partition: String
    let offset: String
    let stage: String
    let exception: String
    let message: String

    private init(_ prefix: String, message: String) {
        topic = prefix + "topic"
        partition = prefix + "partition"
        offset = prefix + "offset"
        stage = prefix + "stage"
        exception = prefix + "exception"
        self.message = prefix + message
    }
}
