internal import JSON
public import Kafka

/// How far behind a consumer group is: against the last stable offset, which is as far as readers of committed records get.
public struct GroupLag: Equatable, Sendable {
    public struct Partition: Equatable, Sendable {
        public let partition: TopicPartition
        /// Nil: nothing is committed, and the group begins at `start`.
        public let committed: Int64?
        /// The first offset that is still there.
        public let start: Int64
        /// The last stable offset.
        public let end: Int64
        /// Who reads it: its instance id, or its member id; nil if nobody does.
        public let member: String?

        /// How many records are still to be read. Where it is more than ``TailCounter/offsetsMax``, it counts offsets, of which
        /// transactions' markers take some.
        public let lag: Int64
    }

    public let group: String
    public let memberCount: Int
    /// The partitions that it committed an offset of or that a member holds, in order.
    public let partitions: [Partition]

    public var total: Int64 { partitions.reduce(0) { $0 + $1.lag } }

    /// Whether the group is there: it has members or offsets.
    public var exists: Bool { memberCount > 0 || !partitions.isEmpty }

    /// - Parameters:
    ///   - groups: these; nil for all that there are.
    ///   - prefix: with which the names of the groups begin.
    public static func read(
        _ connection: ClusterConnection, groups: [String]? = nil, prefix: String = ""
    ) throws -> [GroupLag] {
        try GroupLagReader(connection).read(groups, prefix: prefix)
    }

    public static func text(_ groups: [GroupLag]) -> String {
        var table = TextTable([
            .left("GROUP"), .left("PARTITION"), .right("COMMITTED"), .right("STABLE END"), .right("LAG"),
            .left("MEMBER"),
        ])
        for group in groups {
            for partition in group.partitions {
                table.add([
                    group.group, partition.partition.description, partition.committed.map { "\($0)" } ?? "-",
                    "\(partition.end)", "\(partition.lag)", partition.member ?? "-",
                ])
            }
            table.add([
                group.group, "total", "", "", "\(group.total)",
                group.memberCount == 1 ? "1 member" : "\(group.memberCount) members",
            ])
        }
        return table.text
    }

    /// One object a line: one for each partition of a group.
    public static func json(_ groups: [GroupLag]) -> String {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        for group in groups {
            for partition in group.partitions {
                writer.beginObject()
                writer.key("group")
                writer.string(group.group)
                writer.key("topic")
                writer.string(partition.partition.topic)
                writer.key("partition")
                writer.integer(Int64(partition.partition.partition))
                writer.key("committed")
                if let committed = partition.committed { writer.integer(committed) } else { writer.null() }
                writer.key("last_stable_offset")
                writer.integer(partition.end)
                writer.key("lag")
                writer.integer(partition.lag)
                writer.key("member")
                if let member = partition.member { writer.string(member) } else { writer.null() }
                writer.endObject()
                output.append(UInt8(ascii: "\n"))
            }
        }
        return String(decoding: output.bytes, as: UTF8.self)
    }
}

/// Asks for the lag of groups, any number of times over one connection.
public final class GroupLagReader {
    private let admin: KafkaAdmin
    private let tails: TailCounter

    public init(_ connection: ClusterConnection) throws {
        admin = try connection.admin()
        tails = TailCounter(connection)
    }

    private struct Known {
        let group: ConsumerGroup
        let committed: [TopicPartition: CommittedOffset]

        var partitions: Set<TopicPartition> { Set(group.heldPartitions.keys).union(committed.keys) }
    }

    public func read(_ names: [String]? = nil, prefix: String = "") throws -> [GroupLag] {
        let timeout = ClusterConnection.timeout
        let groups = try names ?? admin.consumerGroups(timeout: timeout).filter { $0.hasPrefix(prefix) }.sorted()
        let all = try admin.topics(timeout: timeout).values.flatMap(\.topicPartitions)
        var known: [Known] = []
        for name in groups {
            known.append(
                Known(
                    group: try admin.describeGroup(name, timeout: timeout),
                    committed: try admin.committedOffsets(of: name, all, timeout: timeout)))
        }
        // Ends are asked for after what is committed, so that a lag is never shown smaller than it was.
        let there = Set(all)
        let partitions = known.reduce(into: Set()) { $0.formUnion($1.partitions) }.intersection(there).sorted()
        let starts = try admin.offsets(.earliest, of: partitions, timeout: timeout)
        let ends = try admin.offsets(.latestCommitted, of: partitions, timeout: timeout)
        func position(_ partition: TopicPartition, _ known: Known) -> Int64 {
            max(known.committed[partition]?.offset ?? 0, starts[partition] ?? 0)
        }
        var shortTails: [TopicPartition: Int64] = [:]
        for known in known {
            for partition in known.partitions {
                let from = position(partition, known)
                guard let end = ends[partition], from < end, end - from <= TailCounter.offsetsMax else { continue }
                shortTails[partition] = min(shortTails[partition] ?? .max, from)
            }
        }
        let recordOffsets = try tails.recordOffsets(from: shortTails, to: ends)
        return known.map { known in
            let held = known.group.heldPartitions
            let partitions = known.partitions.intersection(there).sorted().map { partition in
                let (from, end) = (position(partition, known), ends[partition] ?? 0)
                let isShort = end - from <= TailCounter.offsetsMax
                let records = recordOffsets[partition].flatMap { offsets in
                    isShort ? Int64(offsets.count { $0 >= from }) : nil
                }
                return GroupLag.Partition(
                    partition: partition, committed: known.committed[partition]?.offset,
                    start: starts[partition] ?? 0, end: end, member: held[partition],
                    lag: records ?? max(0, end - from))
            }
            return GroupLag(
                group: known.group.name, memberCount: known.group.members.count, partitions: partitions)
        }
    }

    /// Waits until every group is there and has nothing left to read, twice in a row with the same ends: a stage may have
    /// handed on to the next while one was asked after the other.
    ///
    /// - Returns: the lag as last seen, and whether it is that.
    public func waitUntilDrained(
        _ names: [String]?, prefix: String, timeout: Duration, pause: () -> Void
    ) throws -> (groups: [GroupLag], isDrained: Bool) {
        let deadline = ContinuousClock.now + timeout
        var before: [GroupLag] = []
        while true {
            let groups = try read(names, prefix: prefix)
            let isQuiet = !groups.isEmpty && groups.allSatisfy { $0.exists && !$0.partitions.isEmpty && $0.total == 0 }
            if isQuiet && groups == before { return (groups, true) }
            if ContinuousClock.now >= deadline { return (groups, false) }
            before = groups
            pause()
        }
    }
}

extension ConsumerGroup {
    /// Who holds which partition.
    var heldPartitions: [TopicPartition: String] {
        var held: [TopicPartition: String] = [:]
        for member in members {
            for partition in member.partitions { held[partition] = member.instanceId ?? member.memberId }
        }
        return held
    }
}
