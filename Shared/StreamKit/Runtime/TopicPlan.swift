/// What topics a topology needs, set against those that there are.
public struct TopicPlan: Sendable {
    /// Inputs, and outputs that are not ours to create, which do not exist (yet).
    public var missing: [String] = []
    public var toCreate: [TopicDefinition] = []
    /// What no waiting mends; each says what to do.
    public var faults: [String] = []

    /// All topics that `init` must be given the partition counts of.
    public static func topics(of topology: Topology, deadLetters: SinkDefinition) -> [String] {
        let sinks = topology.nodes.compactMap { node in
            if case .sink(let sink) = node.kind { sink.topic } else { nil }
        }
        let parts = topology.subtopologies
        return parts.flatMap(\.sourceTopics) + sinks + [deadLetters.topic]
            + parts.flatMap { $0.stores.map(topology.changelogTopic) }
    }

    /// `counts`: the partitions of those topics that exist.
    public init(_ topology: Topology, deadLetters: SinkDefinition, counts: [String: Int32]) {
        let repartitions = topology.nodes.compactMap { node in
            if case .repartitionSource(let topic) = node.kind { topic } else { nil }
        }
        let internalTopics = Set(repartitions.map(topology.repartitionTopic))
        var counts = counts
        let parts = topology.subtopologies
        // Parts whose input is external first: what they read decides how many partitions a repartition topic gets.
        for topic in parts.flatMap(\.sourceTopics) where counts[topic] == nil && !internalTopics.contains(topic) {
            missing.append(topic)
        }
        for topic in repartitions where counts[topology.repartitionTopic(topic)] == nil {
            let name = topology.repartitionTopic(topic)
            guard
                let partitions = topic.partitions
                    ?? topology.feedingTopics(of: topic, parts).compactMap({ counts[$0] }).max()
            else { continue }
            counts[name] = partitions
            toCreate.append(
                TopicDefinition(
                    name: name, partitions: partitions,
                    configuration: ["cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"]))
        }
        for part in parts { check(part, topology, counts) }
        var sinks = topology.nodes.compactMap { node in
            if case .sink(let sink) = node.kind { sink } else { nil }
        }
        sinks.append(deadLetters)
        var seen: Set<String> = []
        for sink in sinks where counts[sink.topic] == nil && seen.insert(sink.topic).inserted {
            if let partitions = sink.partitions {
                toCreate.append(TopicDefinition(name: sink.topic, partitions: partitions))
            } else if !missing.contains(sink.topic) {
                missing.append(sink.topic)
            }
        }
    }

    private mutating func check(_ part: Subtopology, _ topology: Topology, _ counts: [String: Int32]) {
        let known = part.sourceTopics.compactMap { topic in counts[topic].map { (topic, $0) } }
        guard let first = known.first, known.count == part.sourceTopics.count else { return }
        for (topic, count) in known where count != first.1 {
            faults.append(
                "\(first.0) has \(first.1) partitions and \(topic) has \(count): inputs that are read together need equal "
                    + "numbers; repartition one of them")
        }
        for store in part.stores {
            let changelog = topology.changelogTopic(store)
            switch counts[changelog] {
            case nil:
                toCreate.append(
                    TopicDefinition(
                        name: changelog, partitions: first.1, configuration: ["cleanup.policy": "compact"]))
            case first.1?:
                break
            case let count?:
                faults.append(
                    "the changelog \(changelog) has \(count) partitions and its input \(first.0) has \(first.1): "
                        + "give the application another name, or reset it")
            }
        }
    }
}
