/// What a service does, declared: where records come from, the steps they go through, where they end.
///
/// A topology is a value without any connection to the outside; `StreamThread` runs it, `describe()` shows it. Every step is
/// named, and stores, changelogs and repartition topics are named after what the topology calls them, never by position, so
/// that adding a step renames nothing.
public struct Topology: Sendable {
    /// The consumer group, and the prefix of the internal topics.
    public let application: String
    public internal(set) var nodes: [Node] = []

    public struct Node: Sendable {
        public let name: String
        public let kind: Kind
        /// Where records come from: a node before this one, and which of its outputs.
        public let inputs: [Edge]
        public let stores: [StoreDefinition]
    }

    public struct Edge: Hashable, Sendable {
        public let node: Int
        public let output: Int
    }

    public enum Kind: Sendable {
        case source(topics: [String])
        /// Reads what a `repartitionSink` of the same name writes.
        case repartitionSource(RepartitionTopic)
        case process(@Sendable (ProcessorContext) -> Processor)
        case sink(SinkDefinition)
        /// With how far event time has come, if that is to be told.
        case repartitionSink(RepartitionTopic, EventTimeReporting?)
        /// Writes records of its own making to a repartition topic.
        case shuffle(RepartitionTopic, @Sendable (ProcessorContext, ShuffleWriter) -> Processor)
    }

    /// Declares a topology: `Topology("orders-validator") { flow in flow.source(...).to(...) }`.
    public init(_ application: String, _ declare: (Flow) -> Void) {
        let flow = Flow(Topology(application: application))
        declare(flow)
        self = flow.topology
    }

    init(application: String) { self.application = application }

    /// The name of an internal topic.
    public func internalTopic(_ name: String, _ suffix: String) -> String { "\(application)-\(name)-\(suffix)" }
}

/// A store of a step, in one partition for each partition of its input.
public struct StoreDefinition: Sendable {
    public let name: String
    /// What the entries mean, with a version: `count/1`. An existing store with another one is refused.
    public let format: String
    /// nil: entries live until they are removed (`KeyValueStore`); otherwise until event time has passed them (`ExpiringStore`).
    public let expiry: StoreExpiry?

    public init(_ name: String, format: String, expiry: StoreExpiry? = nil) {
        self.name = name
        self.format = format
        self.expiry = expiry
    }
}

/// An internal topic that brings together what belongs together, by another key than the input's.
public struct RepartitionTopic: Hashable, Sendable {
    public let name: String
    /// nil: as many as the input has.
    public let partitions: Int32?

    public init(_ name: String, partitions: Int32? = nil) {
        self.name = name
        self.partitions = partitions
    }
}

public struct SinkDefinition: Hashable, Sendable {
    public let topic: String
    /// To be created with so many partitions where it does not exist; nil: wait for somebody to create it.
    public let partitions: Int32?

    public init(_ topic: String, partitions: Int32? = nil) {
        self.topic = topic
        self.partitions = partitions
    }
}

/// The pen that a topology is drawn with.
public final class Flow {
    private(set) var topology: Topology

    init(_ topology: Topology) { self.topology = topology }

    /// Records of these topics; partition 0 of all of them goes to one task, partition 1 to the next, and so on.
    public func source(_ name: String, topics: [String]) -> Stream {
        add(name, .source(topics: topics), inputs: [])
    }

    func add(
        _ name: String, _ kind: Topology.Kind, inputs: [Topology.Edge], stores: [StoreDefinition] = []
    ) -> Stream {
        topology.nodes.append(Topology.Node(name: name, kind: kind, inputs: inputs, stores: stores))
        return Stream(flow: self, edge: Topology.Edge(node: topology.nodes.count - 1, output: 0))
    }
}

/// The records that come out of a step.
public struct Stream {
    let flow: Flow
    let edge: Topology.Edge

    /// A step with a processor of your own, made anew for each task.
    @discardableResult
    public func process(
        _ name: String, stores: [StoreDefinition] = [], _ make: @escaping @Sendable (ProcessorContext) -> Processor
    ) -> Stream {
        flow.add(name, .process(make), inputs: [edge], stores: stores)
    }

    /// Keeps the records that the predicate holds for.
    public func filter(_ name: String, _ isKept: @escaping @Sendable (Record) throws(Refusal) -> Bool) -> Stream {
        process(name) { context in FilterProcessor(context, isKept) }
    }

    /// Replaces the value by what the closure appends to the buffer.
    public func mapValue(
        _ name: String, _ transform: @escaping @Sendable (Record, inout [UInt8]) throws(Refusal) -> Void
    ) -> Stream {
        process(name) { context in MapValueProcessor(context, transform) }
    }

    /// Another output of the same step than the first: `process` of a processor that calls `forward(_:to:)`.
    public func output(_ output: Int) -> Stream {
        Stream(flow: flow, edge: Topology.Edge(node: edge.node, output: output))
    }

    /// Both streams' records.
    public func merge(_ name: String, _ other: Stream) -> Stream {
        flow.add(name, .process { context in PassProcessor(context) }, inputs: [edge, other.edge])
    }

    /// Writes to a topic.
    public func to(_ name: String, _ sink: SinkDefinition) {
        _ = flow.add(name, .sink(sink), inputs: [edge])
    }

    /// Sends the records, by their present keys, through an internal topic; what comes out is a sub-topology of its own.
    public func repartition(_ topic: RepartitionTopic) -> Stream {
        _ = flow.add("\(topic.name)-out", .repartitionSink(topic, nil), inputs: [edge])
        return flow.add("\(topic.name)-in", .repartitionSource(topic), inputs: [])
    }

    /// The same, and tells the steps that follow how far event time has come in all partitions that feed the topic
    /// (`TaskTime.upstreamWatermarkMilliseconds`). A step before this one takes event times (`TaskTime.observe`); records need keys.
    public func repartition(_ topic: RepartitionTopic, reporting: EventTimeReporting) -> Stream {
        _ = flow.add("\(topic.name)-out", .repartitionSink(topic, reporting), inputs: [edge])
        let name = "\(topic.name)-time"
        return flow.add("\(topic.name)-in", .repartitionSource(topic), inputs: [])
            .process(name, stores: [StoreDefinition(name, format: UpstreamTime.storeFormat)]) { context in
                UpstreamTime(context, store: name)
            }
    }
}
