/// A connection, as the network shell or a simulation numbers it.
public struct ConnectionID: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.rawValue < right.rawValue }
}

/// The time as the core is told it: wall clock for what clients see and what outlives a restart, a steady clock for time-outs.
public struct Moment: Sendable {
    public var wallMilliseconds: Int64
    public var steadyMilliseconds: Int64

    public init(wallMilliseconds: Int64, steadyMilliseconds: Int64) {
        self.wallMilliseconds = wallMilliseconds
        self.steadyMilliseconds = steadyMilliseconds
    }
}

/// Where clients find the broker.
struct BrokerAddress {
    var id: Int32 = 1
    var host: String
    var port: Int32
}

struct TopicPartition: Hashable, Comparable {
    let topic: String
    let partition: Int32

    static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

extension Sequence where Element == TopicPartition {
    /// Sorted, and gathered by topic.
    func byTopic() -> [ByTopic<Int32>] {
        var topics: [ByTopic<Int32>] = []
        for partition in sorted() {
            if topics.last?.name != partition.topic { topics.append(ByTopic(name: partition.topic, partitions: [])) }
            topics[topics.count - 1].partitions.append(partition.partition)
        }
        return topics
    }
}

/// Which request an answer belongs to, for answers that are given later.
struct ReplyHandle {
    let connection: ConnectionID
    let key: APIKey
    let version: Int16
    let correlationID: Int32
}

/// What the core wants done.
public enum BrokerAction {
    /// Send the answer; the next request of the connection may then be handed in.
    case send(ConnectionID, Response)
    /// The request is done without an answer (Produce with acks=0); the next one may be handed in.
    case done(ConnectionID)
    /// Close the connection: what it sent cannot be understood.
    case close(ConnectionID, reason: String)
}
