/// What goes through the repartition topic of an aggregation.
///
/// Every value begins with the version of this form, then the kind.
enum ShuffleRecord {
    static let version: UInt8 = 1

    /// What the records of one transaction amount to for one group and window.
    struct Partial {
        var windowStart: Int64
        var source: TopicPartition
        var firstOffset: Int64
        var lastOffset: Int64
        var count: Int64
        var aggregates: Aggregates
    }

    /// How far event time has come in one source partition, sent to every partition of the topic.
    struct Progress: Hashable {
        var source: TopicPartition
        var watermark: Int64
        var isIdle: Bool
    }

    case partial(Partial)
    case progress(Progress)

    enum Failure: Error, Hashable {
        case newerVersion(UInt8)
        case malformed
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(Self.version)
        switch self {
        case .partial(let partial):
            bytes.append(0)
            bytes.append(text: partial.source.topic)
            bytes.append(integer: partial.source.partition)
            bytes.append(integer: partial.windowStart)
            bytes.append(integer: partial.firstOffset)
            bytes.append(integer: partial.lastOffset)
            bytes.append(integer: partial.count)
            partial.aggregates.encode(into: &bytes)
        case .progress(let progress):
            bytes.append(1)
            bytes.append(text: progress.source.topic)
            bytes.append(integer: progress.source.partition)
            bytes.append(integer: progress.watermark)
            bytes.append(progress.isIdle ? 1 : 0)
        }
    }

    init(_ bytes: Bytes?, functionCount: Int) throws(Failure) {
        guard let bytes, let version = bytes.first else { throw .malformed }
        guard version == Self.version else { throw .newerVersion(version) }
        var reader = ByteReader(Bytes(rebasing: bytes[1...]))
        guard let kind = reader.byte(), let topic = reader.text(), let partition = reader.int32() else {
            throw .malformed
        }
        let source = TopicPartition(topic, partition)
        switch kind {
        case 0:
            guard let start = reader.int64(), let first = reader.int64(), let last = reader.int64(),
                let count = reader.int64(), let aggregates = Aggregates(&reader, count: functionCount)
            else { throw .malformed }
            self = .partial(
                Partial(
                    windowStart: start, source: source, firstOffset: first, lastOffset: last, count: count,
                    aggregates: aggregates))
        case 1:
            guard let watermark = reader.int64(), let idle = reader.byte() else { throw .malformed }
            self = .progress(Progress(source: source, watermark: watermark, isIdle: idle == 1))
        default:
            throw .malformed
        }
    }
}
