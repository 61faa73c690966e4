/// A record as a topic has it.
struct TopicRecord {
    var partition: Int32
    var offset: Int64
    var timestampMilliseconds: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [(name: String, value: String)]

    func header(_ name: String) -> String? { headers.last { $0.name == name }?.value }

    var valueText: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "null" }
    var keyText: String { key.map { String(decoding: $0, as: UTF8.self) } ?? "null" }
    var place: String { "partition \(partition) offset \(offset)" }
}

/// A topic of the order pipeline.
enum PipelineTopic: String, CaseIterable {
    case raw, validated, enriched, processed, aggregations, anomalies, dlq
}

/// All that a run left in its topics, committed, by partition and offset.
struct PipelineContents {
    var prefix: String
    /// What the cdc-forwarder reads, where it takes part.
    var changeTopic = ""
    var changes: [TopicRecord] = []
    private var topics: [PipelineTopic: [TopicRecord]] = [:]

    init(prefix: String) { self.prefix = prefix }

    func name(_ topic: PipelineTopic) -> String { "\(prefix).\(topic.rawValue)" }

    subscript(_ topic: PipelineTopic) -> [TopicRecord] {
        get { topics[topic] ?? [] }
        set { topics[topic] = newValue.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) } }
    }

    func byPartition(_ topic: PipelineTopic) -> [Int32: [TopicRecord]] {
        Dictionary(grouping: self[topic], by: \.partition)
    }
}

/// What is wrong with a run; the first of it in full, the rest counted.
struct Findings {
    private(set) var problems: [String] = []
    private(set) var count = 0
    /// How many there are of each kind: problems that begin alike.
    private var kinds: [Substring: Int] = [:]

    mutating func add(_ problem: String) {
        count += 1
        kinds[problem.prefix(16), default: 0] += 1
        if problems.count < 12 { problems.append(problem.count > 900 ? problem.prefix(900) + "..." : problem) }
    }

    mutating func expect(_ condition: Bool, _ problem: @autoclosure () -> String) {
        if !condition { add(problem()) }
    }

    var text: String {
        problems.joined(separator: "\n")
            + (count > problems.count ? "\n... and \(count - problems.count) more: \(kinds)" : "")
    }
}
