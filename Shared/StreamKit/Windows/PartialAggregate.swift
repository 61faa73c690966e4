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
        ShuffleForm.begin(Self.kind, of: source, into: &bytes)
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
        var form = try ShuffleForm(bytes)
        if form.kind == EventTimeReport.kind {
            self = .report(try EventTimeReport(bytes))
            return
        }
        guard form.kind == PartialAggregate.kind, let start = form.rest.int64(), let first = form.rest.int64(),
            let last = form.rest.int64(),
            let count = form.rest.int64(), let aggregates = Aggregates(&form.rest, count: functionCount)
        else { throw .malformed }
        self = .partial(
            PartialAggregate(
                windowStart: start, source: form.source, firstOffset: first, lastOffset: last,
                count: count, aggregates: aggregates))
    }
}
