/// A connected part of a topology: what one task runs. Repartition topics are where parts meet.
public struct Subtopology: Sendable {
    public let index: Int
    /// Positions in `Topology.nodes`, every node after those that feed it.
    public let nodes: [Int]
    /// The topics that its sources read, by their real names.
    public let sourceTopics: [String]
    public let stores: [StoreDefinition]
}

extension Topology {
    /// The parts, numbered in the order in which the topology declares them.
    public var subtopologies: [Subtopology] {
        var part = Array(nodes.indices)
        func root(_ node: Int) -> Int {
            var node = node
            while part[node] != node { node = part[node] }
            return node
        }
        for (node, definition) in nodes.enumerated() {
            for edge in definition.inputs { part[root(node)] = root(edge.node) }
        }
        var order: [Int] = []
        var members: [Int: [Int]] = [:]
        for node in nodes.indices {
            let root = root(node)
            if members[root] == nil { order.append(root) }
            members[root, default: []].append(node)
        }
        return order.enumerated().map { index, root in
            let members = members[root] ?? []
            return Subtopology(
                index: index, nodes: members, sourceTopics: members.flatMap { sourceTopics(of: nodes[$0]) },
                stores: members.flatMap { nodes[$0].stores })
        }
    }

    /// The topics that a node reads.
    func sourceTopics(of node: Node) -> [String] {
        switch node.kind {
        case .source(let topics): topics
        case .repartitionSource(let topic): [repartitionTopic(topic)]
        case .process, .sink, .repartitionSink, .shuffle: []
        }
    }

    /// Every topic that the topology's steps and stores write to.
    var writtenTopics: [String] {
        nodes.flatMap { node in
            let sinks: [String]
            switch node.kind {
            case .sink(let sink): sinks = [sink.topic]
            case .repartitionSink(let topic, _), .shuffle(let topic, _): sinks = [repartitionTopic(topic)]
            case .source, .repartitionSource, .process: sinks = []
            }
            return sinks + node.stores.map(changelogTopic)
        }
    }

    public func repartitionTopic(_ topic: RepartitionTopic) -> String { internalTopic(topic.name, "repartition") }

    /// The topics whose partitions feed a repartition topic: the sources of the sub-topologies that write it.
    func feedingTopics(of topic: RepartitionTopic, _ parts: [Subtopology]) -> [String] {
        parts.filter { part in
            part.nodes.contains { node in
                switch nodes[node].kind {
                case .repartitionSink(let sink, _), .shuffle(let sink, _): sink.name == topic.name
                case .source, .repartitionSource, .process, .sink: false
                }
            }
        }
        .flatMap(\.sourceTopics)
    }

    public func changelogTopic(_ store: StoreDefinition) -> String { internalTopic(store.name, "changelog") }

    /// What is wrong with the declaration, all of it; empty if nothing is.
    public var faults: [String] {
        var faults: [String] = []
        var names: Set<String> = []
        for node in nodes where !names.insert(node.name).inserted { faults.append("two steps are named \(node.name)") }
        var stores: Set<String> = []
        for store in nodes.flatMap(\.stores) where !stores.insert(store.name).inserted {
            faults.append("two stores are named \(store.name)")
        }
        var sources: Set<String> = []
        for topic in nodes.flatMap({ sourceTopics(of: $0) }) where !sources.insert(topic).inserted {
            faults.append("the topic \(topic) has two sources")
        }
        if sources.isEmpty { faults.append("the topology has no source") }
        return faults
    }
}
