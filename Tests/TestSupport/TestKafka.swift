import Foundation
import XCTest

/// A real Apache Kafka (KRaft, each node broker and controller) on free ports of 127.0.0.1, started from
/// `KAFKA_HOME/libs`. Its nodes and files go when it is stopped or when the test process ends, however that happens.
public final class TestKafka {
    public let bootstrapServers: String
    private let nodes: [TestKafkaNode]

    /// - Parameters:
    ///   - nodes: 1 or 3; with three, everything is replicated thrice and needs two in-sync replicas.
    ///   - settings: broker properties on top of the defaults for tests.
    public init(nodes count: Int = 1, settings: [String: String] = [:]) throws {
        guard let home = Self.home else { throw TestKafkaError("KAFKA_HOME is not set") }
        let ports = try freePorts(2 * count)
        let (brokers, controllers) = (ports.prefix(count), ports.suffix(count))
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("kafka-\(UUID().uuidString)")
        let voters = zip(1..., controllers).map { "\($0)@127.0.0.1:\($1)" }.joined(separator: ",")
        nodes = zip(1..., zip(brokers, controllers)).map { id, ports in
            TestKafkaNode(
                id: id, port: ports.0, home: home, folder: root.appendingPathComponent("node-\(id)"),
                properties: Self.properties(id: id, ports.0, ports.1, voters, count).merging(settings) { $1 })
        }
        bootstrapServers = brokers.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        try nodes.map { try $0.startFormatting() }.forEach { try $0() }
        for node in nodes { try node.launch() }
        for node in nodes { try node.waitUntilReady() }
    }

    deinit { stop() }

    /// Node numbers begin at 1.
    /// Whether a node completed a transaction without writing its markers.
    ///
    /// Apache Kafka 4.3.1 does that when it is killed and started again: while it knows no leaders yet, it takes the partitions of a
    /// transaction that was being ended for deleted ones. What was committed then stays invisible, and what was aborted becomes
    /// visible with the producer's next commit: no client can be right after that.
    public var hasSkippedMarkers: Bool {
        nodes.contains { $0.hasLogged("these partitions are likely deleted") }
    }

    public func kill(_ node: Int) { nodes[node - 1].kill() }

    /// Starts a node that was killed, on its old log.
    public func restart(_ node: Int) throws {
        try nodes[node - 1].launch()
        try nodes[node - 1].waitUntilReady()
    }

    /// SIGSTOP: a node that hangs.
    public func pause(_ node: Int) { nodes[node - 1].signal(SIGSTOP) }

    public func resume(_ node: Int) { nodes[node - 1].signal(SIGCONT) }

    public func stop() {
        for node in nodes { node.remove() }
    }

    /// A folder with Apache Kafka's `libs/`.
    public static var home: String? {
        ProcessInfo.processInfo.environment["KAFKA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func properties(
        id: Int, _ broker: UInt16, _ controller: UInt16, _ voters: String, _ count: Int
    ) -> [String: String] {
        let replicas = "\(min(3, count))"
        let inSync = count >= 3 ? "2" : "1"
        return [
            "process.roles": "broker,controller",
            "node.id": "\(id)",
            "controller.quorum.voters": voters,
            "listeners": "PLAINTEXT://127.0.0.1:\(broker),CONTROLLER://127.0.0.1:\(controller)",
            "advertised.listeners": "PLAINTEXT://127.0.0.1:\(broker)",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "auto.create.topics.enable": "false",
            "default.replication.factor": replicas,
            "min.insync.replicas": inSync,
            // Tests write records of years ago; retention would delete them half a minute after the broker's start.
            "log.retention.ms": "-1",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": inSync,
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
            "num.network.threads": "2",
            "num.io.threads": "2",
        ]
    }
}

extension TestKafka {
    /// The cluster of one node that the tests of this process share: kept for good, it ends with the process.
    private static let common = Result {
        let cluster = try TestKafka()
        _ = Unmanaged.passRetained(cluster)
        return cluster.bootstrapServers
    }

    /// Bootstrap servers of the shared cluster; without `KAFKA_HOME` the test is left out, and says so.
    public static func sharedBootstrapServers(_ test: String = #function) throws -> String {
        try skipWithoutHome(test)
        return try common.get()
    }

    /// A cluster of the test's own, which it stops; without `KAFKA_HOME` the test is left out, and says so.
    public static func dedicated(
        nodes: Int, settings: [String: String] = [:], _ test: String = #function
    ) throws -> TestKafka {
        try skipWithoutHome(test)
        return try TestKafka(nodes: nodes, settings: settings)
    }

    private static func skipWithoutHome(_ test: String) throws {
        if home != nil { return }
        let text = "LEFT OUT: \(test) needs a real Kafka: set KAFKA_HOME to a folder with Apache Kafka's libs/"
        FileHandle.standardError.write(Data((text + "\n").utf8))
        throw XCTSkip(text)
    }
}

public struct TestKafkaError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Ports that nobody listens on, asked of the kernel all at once so that none comes twice.
public func freePorts(_ count: Int) throws -> [UInt16] {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    return try (0..<count).map { _ in
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw TestKafkaError("no socket: errno \(errno)") }
        sockets.append(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw TestKafkaError("no free port: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }
}
