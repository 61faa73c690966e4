/// What the records of one transaction amount to for one group and window, on its way through the repartition topic.
struct PartialAggregate {
    static let kind: UInt8 = 0

    var windowStart: Int64
    var source: TopicPartition
    var firstOffset: Int64
    var lastOffset: Int64
    var count: Int64
    var aggregates: Aggregates

    func encode(into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(ShuffleForm.version)
        bytes.append(Self.kind)
        bytes.append(text: source.topic)
        bytes.append(integer: source.partition)
        bytes.append(integer: windowStart)
        bytes.append(integer: firstOffset)
        bytes.append(integer: lastOffset)
        bytes.append(integer: count)
        aggregates.encode(into: &bytes)
    }
}

/// What goes through the repartition topic of an aggregation.
enum ShuffleRecord {
    case partial(PartialAggregate)
    case report(EventTimeReport)

    init(_ bytes: Bytes?, functionCount: Int) throws(ShuffleForm.Failure) {
        let (kind, rest) = try ShuffleForm.open(bytes)
        var reader = rest
        if kind == EventTimeReport.kind {
            self = .report(try EventTimeReport(bytes))
            return
        }
        guard kind == PartialAggregate.kind, let topic = reader.text(), let partition = reader.int32(),
            let start = reader.int64(), let first = reader.int64(), let last = reader.int64(),
            let count = reader.int64(), let aggregates = Aggregates(&reader, count: functionCount)
        else { throw .malformed }
        self = .partial(
            PartialAggregate(
                windowStart: start, source: TopicPartition(topic, partition), firstOffset: first, lastOffset: last,
                count: count, aggregates: aggregates))
    }
}
