internal import JSON
internal import Kafka

/// A topic at a glance.
public struct TopicSummary: Equatable, Sendable {
    public let name: String
    public let partitions: Int
    /// The replicas of its first partition.
    public let replication: Int
    /// From the first offset to the last stable one, over all partitions: what readers of committed records can get, and the
    /// markers of transactions, which take an offset each.
    public let offsets: Int64
    /// Kafka's `cleanup.policy`: `delete`, `compact` or both.
    public let cleanupPolicy: String
    /// Nil is for ever.
    public let retention: Duration?

    /// The topics whose names begin with the prefix, by name.
    public static func read(_ connection: ClusterConnection, prefix: String = "") throws -> [TopicSummary] {
        let admin = try connection.admin()
        let topics = try admin.topics(timeout: ClusterConnection.timeout).values
            .filter { $0.name.hasPrefix(prefix) && !$0.name.hasPrefix("__") }.sorted { $0.name < $1.name }
        let partitions = topics.flatMap(\.topicPartitions)
        let starts = try admin.offsets(.earliest, of: partitions, timeout: ClusterConnection.timeout)
        let ends = try admin.offsets(.latestCommitted, of: partitions, timeout: ClusterConnection.timeout)
        return try topics.map { topic in
            let configuration = try admin.topicConfiguration(topic.name, timeout: ClusterConnection.timeout)
            let retention = configuration["retention.ms"].flatMap { Int64($0) } ?? -1
            return TopicSummary(
                name: topic.name, partitions: topic.partitions.count,
                replication: topic.partitions.first?.replicas.count ?? 0,
                offsets: topic.topicPartitions.reduce(0) { $0 + max(0, (ends[$1] ?? 0) - (starts[$1] ?? 0)) },
                cleanupPolicy: configuration["cleanup.policy"] ?? "",
                retention: retention < 0 ? nil : .milliseconds(retention))
        }
    }

    public static func text(_ topics: [TopicSummary]) -> String {
        var table = TextTable([
            .left("TOPIC"), .right("PARTITIONS"), .right("REPLICATION"), .right("RECORDS"), .left("CLEANUP"),
            .left("RETENTION"),
        ])
        for topic in topics {
            table.add([
                topic.name, "\(topic.partitions)", "\(topic.replication)", "\(topic.offsets)", topic.cleanupPolicy,
                topic.retentionText,
            ])
        }
        return table.text
    }

    /// One object a line.
    public static func json(_ topics: [TopicSummary]) -> String {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        for topic in topics {
            writer.beginObject()
            writer.key("topic")
            writer.string(topic.name)
            writer.key("partitions")
            writer.integer(Int64(topic.partitions))
            writer.key("replication")
            writer.integer(Int64(topic.replication))
            writer.key("records")
            writer.integer(topic.offsets)
            writer.key("cleanup_policy")
            writer.string(topic.cleanupPolicy)
            writer.key("retention_ms")
            if let retention = topic.retention { writer.integer(retention.wholeMilliseconds) } else { writer.null() }
            writer.endObject()
            output.append(UInt8(ascii: "\n"))
        }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private var retentionText: String {
        // A compacted topic keeps the last record of each key, however old.
        if cleanupPolicy == "compact" { return "last of each key" }
        guard let retention else { return "for ever" }
        let milliseconds = retention.wholeMilliseconds
        let units: [(name: String, milliseconds: Int64)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
        ]
        let unit = units.first { milliseconds >= $0.milliseconds && milliseconds % $0.milliseconds == 0 }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.name)" } ?? "\(milliseconds)ms"
    }
}

extension TopicMetadata {
    var topicPartitions: [TopicPartition] { partitions.map { TopicPartition(name, $0.id) } }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : seconds &+ components.attoseconds / 1_000_000_000_000_000
    }
}
