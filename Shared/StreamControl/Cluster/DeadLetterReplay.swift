internal import Glibc
internal import JSON
internal import Kafka
internal import enum StreamKit.Murmur2

/// What `streamctl dlq replay` is asked for.
public struct ReplayRequest: Sendable {
    /// The topic of dead letters.
    public let topic: String
    /// Empty: all.
    public var reasons: Set<String> = []
    public var stages: Set<String> = []
    /// Where the records go; nil: each to where it came from.
    public var target: String?
    /// A record that was put back so often already stays where it is.
    public var timesMax = 3

    public init(topic: String) { self.topic = topic }
}

/// What a replay puts back, and what it does not.
public struct ReplayTally: Equatable, Sendable {
    struct Row: Hashable {
        let kind: DeadLetterKind
        let target: String
    }

    var replayed: [Row: Int] = [:]
    var leftOut: [String: Int] = [:]

    public var count: Int { replayed.values.reduce(0, +) }

    public var text: String {
        var table = TextTable([.left("STAGE"), .left("REASON"), .left("TO"), .right("COUNT")])
        let rows = replayed.sorted { ($0.key.kind, $0.key.target) < ($1.key.kind, $1.key.target) }
        for (row, count) in rows { table.add([row.kind.stage, row.kind.reason, row.target, "\(count)"]) }
        return table.text
    }

    /// A line for each reason why letters are not put back.
    public var leftOutLines: [String] {
        leftOut.sorted { $0.key < $1.key }.map { "left out, \($0.key): \($0.value)" }
    }
}

/// Puts the records that dead letters hold back to where they came from, each once, however often it is run or broken off:
/// the records and how far they were put back are committed in one transaction.
public final class DeadLetterReplay {
    private static let transactionRecords = 1_000

    private let connection: ClusterConnection
    private let request: ReplayRequest
    private let admin: KafkaAdmin
    private let letters = DeadLetterReader()
    private let json = JSONRecord(duplicateKeys: .lastWins)
    private var partitionCounts: [String: Int32?] = [:]

    public init(_ connection: ClusterConnection, _ request: ReplayRequest) throws {
        self.connection = connection
        self.request = request
        admin = try connection.admin()
    }

    /// Remembers how far they were put back.
    private var group: String { "streamctl-replay-\(request.topic)" }

    /// Counts what would be put back.
    public func plan() throws -> ReplayTally {
        var tally = ReplayTally()
        let progress = try progress()
        try read(progress) { letter, _ in
            switch letter {
            case .toReplay(_, let row): tally.replayed[row, default: 0] += 1
            case .leftOut(let why): tally.leftOut[why, default: 0] += 1
            }
        }
        return tally
    }

    /// Puts it back.
    public func perform() throws -> ReplayTally {
        // One at a time: a second replay of the same letters fences the first, which then commits nothing.
        let writer = try ReplayWriter(connection, group: group, transactionalID: group)
        var progress = try progress()
        var tally = ReplayTally()
        var changed: Set<TopicPartition> = []
        func commit() throws {
            if changed.isEmpty { return }
            var offsets: [TopicPartition: CommittedOffset] = [:]
            for partition in changed {
                let reached = progress[partition] ?? ReplayProgress()
                offsets[partition] = CommittedOffset(offset: reached.offset, metadata: try reached.metadata())
            }
            try writer.commit(offsets)
            changed.removeAll()
        }
        // As it was at the beginning: offsets only grow.
        try read(progress) { letter, place in
            switch letter {
            case .leftOut(let why): tally.leftOut[why, default: 0] += 1
            case .toReplay(let refused, let row):
                try writer.write(
                    place.record, refused, to: row.target, partition: partition(of: refused, place.record, row))
                tally.replayed[row, default: 0] += 1
                progress[place.partition, default: ReplayProgress()].done(row.kind, at: place.record.offset)
                changed.insert(place.partition)
                if writer.pendingCount >= Self.transactionRecords { try commit() }
            }
        }
        try commit()
        return tally
    }

    // MARK: Reading

    private enum Letter {
        case toReplay(RefusedRecord, ReplayTally.Row)
        case leftOut(String)
    }

    private typealias Place = (record: ConsumedRecord, partition: TopicPartition)

    /// Hands out the letters asked for that were not put back before.
    private func read(
        _ progress: [TopicPartition: ReplayProgress], _ body: (Letter, Place) throws -> Void
    ) throws {
        try TopicReader(connection, ReadRequest(topics: [request.topic])).read(record: { record, partition in
            let kind = letters.read(record).kind
            if !request.reasons.isEmpty, !request.reasons.contains(kind.reason) { return }
            if !request.stages.isEmpty, !request.stages.contains(kind.stage) { return }
            if progress[partition]?.isDone(kind, at: record.offset) ?? false { return }
            try body(letter(record, kind), (record, partition))
        })
    }

    private func letter(_ record: ConsumedRecord, _ kind: DeadLetterKind) throws -> Letter {
        let refused: RefusedRecord
        do throws(RefusedRecord.Obstacle) { refused = try RefusedRecord(record, json) } catch {
            return .leftOut(error.text)
        }
        if refused.replays >= request.timesMax { return .leftOut("put back \(refused.replays) times already") }
        let target = request.target ?? refused.topic
        if target == request.topic { return .leftOut("of the dead letters' own topic") }
        guard try partitionCount(of: target) != nil else { return .leftOut("of \(target), which does not exist") }
        return .toReplay(refused, ReplayTally.Row(kind: kind, target: target))
    }

    private func partitionCount(of topic: String) throws -> Int32? {
        if let known = partitionCounts[topic] { return known }
        let found = try admin.topics([topic], timeout: ClusterConnection.timeout)[topic]
        let count = found.map { Int32(clamping: $0.partitions.count) }
        partitionCounts.updateValue(count, forKey: topic)
        return count
    }

    /// The partition that it came from; in another topic that of its key.
    private func partition(
        of refused: RefusedRecord, _ letter: ConsumedRecord, _ row: ReplayTally.Row
    ) throws -> Int32 {
        let count = max(1, try partitionCount(of: row.target) ?? 1)
        let origin = refused.partition ?? 0
        if row.target == refused.topic, (0..<count).contains(origin) { return origin }
        return letter.key.map { Murmur2.partition(of: $0, among: count) } ?? (origin & .max) % count
    }

    private func progress() throws -> [TopicPartition: ReplayProgress] {
        guard let topic = try admin.topics([request.topic], timeout: ClusterConnection.timeout)[request.topic] else {
            throw ClusterQuestionError("there is no topic \(request.topic)")
        }
        let committed = try admin.committedOffsets(
            of: group, topic.topicPartitions, requireStable: true, timeout: ClusterConnection.timeout)
        return try committed.mapValues { try ReplayProgress($0.metadata) }
    }
}

/// Writes records that are put back, with the offsets that say so.
private final class ReplayWriter {
    private let producer: TransactionalProducer
    private let consumer: KafkaConsumer
    /// Since the last commit.
    private(set) var pendingCount = 0

    init(_ connection: ClusterConnection, group: String, transactionalID: String) throws {
        producer = try connection.producer(transactionalID: transactionalID)
        // It reads nothing: it stands for the group.
        consumer = try connection.consumer(group: group)
        try check(producer.initializeTransactions(timeout: ClusterConnection.timeout))
    }

    func write(
        _ letter: ConsumedRecord, _ refused: RefusedRecord, to topic: String, partition: Int32
    ) throws {
        if pendingCount == 0 { try check(producer.begin()) }
        pendingCount += 1
        let target = try producer.topic(topic)
        do {
            if let value = refused.value {
                try value.withUnsafeBytes { bytes in
                    // An empty array has no address, which would stand for a tombstone.
                    try withUnsafeBytes(of: 0) { empty in
                        let value =
                            bytes.baseAddress == nil ? UnsafeRawBufferPointer(rebasing: empty[..<0]) : bytes
                        try produce(letter, refused, value, target, partition)
                    }
                }
            } else {
                try produce(letter, refused, nil, target, partition)
            }
        } catch let error as ProduceError {
            switch error {
            case .refused(let error): throw error
            case .failed(let outcome): try check(outcome)
            }
        }
    }

    private func produce(
        _ letter: ConsumedRecord, _ refused: RefusedRecord, _ value: UnsafeRawBufferPointer?, _ target: ProducerTopic,
        _ partition: Int32
    ) throws {
        let headers = OutgoingHeaders()
        letter.headers?.forEach { name, value in
            if !RefusedRecord.isOfRefusal(name) { headers.add(String(decoding: name, as: UTF8.self), value) }
        }
        headers.add(RefusedRecord.replaysHeader, "\(refused.replays + 1)")
        try producer.produce(
            to: target, partition: partition, key: letter.key, value: value,
            timestampMilliseconds: letter.timestampMilliseconds, headers: headers)
    }

    func commit(_ offsets: [TopicPartition: CommittedOffset]) throws {
        try check(producer.send(offsets: offsets, of: consumer.groupMetadata()))
        let outcome = producer.commit()
        if let failure = producer.takeDeliveryFailures().first { throw failure.error }
        try check(outcome)
        pendingCount = 0
    }

    private func check(_ outcome: TransactionOutcome) throws {
        if let error = outcome.error { throw error }
    }
}
