import Foundation
import XCTest

/// A real Apache Kafka (KRaft) on free ports of 127.0.0.1, started from `KAFKA_HOME/libs`. Its nodes and files go when it is
/// stopped or when the test process ends, however that happens.
public final class TestKafka {
    public let bootstrapServers: String
    /// The brokers, the first of them number 1.
    private let nodes: [TestKafkaNode]
    /// Where it is a process of its own.
    private let controller: TestKafkaNode?
    private let root: URL

    /// - Parameters:
    ///   - nodes: 1 or 3; with three, everything is replicated thrice and needs two in-sync replicas.
    ///   - isToBeKilled: a single broker gets a controller of its own, as in production; see ``hasSkippedMarkers``.
    ///   - listener: one more way in, beside the plain one.
    ///   - settings: broker properties on top of the defaults for tests.
    public init(
        nodes count: Int = 1, isToBeKilled: Bool = false, listener: TestKafkaSecureListener? = nil,
        settings: [String: String] = [:]
    ) throws {
        guard let home = Self.home else { throw TestKafkaError("KAFKA_HOME is not set") }
        let ports = try freePorts(2 * count)
        let (brokers, controllers) = (ports.prefix(count), ports.suffix(count))
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("kafka-\(UUID().uuidString)")
        self.root = root
        let isSplit = isToBeKilled && count == 1
        let controllerId = 100
        let voters = zip(1..., controllers).map { "\(isSplit ? controllerId : $0)@127.0.0.1:\($1)" }
            .joined(separator: ",")
        var common = Self.common(voters, count).merging(settings) { $1 }
        if let listener { common.merge(try listener.properties(folder: root)) { $1 } }
        nodes = zip(1..., zip(brokers, controllers)).map { id, ports in
            TestKafkaNode(
                id: id, home: home, folder: root.appendingPathComponent("node-\(id)"),
                properties: common.merging(
                    Self.broker(id: id, ports.0, controller: isSplit ? nil : ports.1, listener)
                ) { $1 },
                formatArguments: listener?.formatArguments ?? [])
        }
        controller =
            isSplit
            ? controllers.first.map { port in
                TestKafkaNode(
                    id: controllerId, home: home, folder: root.appendingPathComponent("controller"),
                    properties: common.merging(Self.controller(id: controllerId, port)) { $1 })
            } : nil
        bootstrapServers = brokers.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        let all = nodes + (controller.map { [$0] } ?? [])
        try all.map { try $0.startFormatting() }.forEach { try $0() }
        for node in all.reversed() { try node.launch() }
        for node in all { try node.waitUntilReady() }
    }

    deinit { stop() }

    /// Whether a node completed a transaction without writing its markers.
    ///
    /// Apache Kafka 4.3.1 does that when its only node, broker and controller in one, is killed and started again: it still takes
    /// itself for the leader of the log of transactions, and ends those that were being ended, when the controller has just
    /// left all partitions without a leader; and those it takes for deleted. What was committed then stays invisible, and what
    /// was aborted becomes visible with the producer's next commit: no client can be right after that. With a controller that
    /// goes on meanwhile it is rare, but was seen.
    public var hasSkippedMarkers: Bool {
        nodes.contains { $0.hasLogged("these partitions are likely deleted") }
    }

    /// SIGKILL of a broker. Node numbers begin at 1.
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
        controller?.remove()
        try? FileManager.default.removeItem(at: root)
    }

    /// A folder with Apache Kafka's `libs/`.
    public static var home: String? {
        ProcessInfo.processInfo.environment["KAFKA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// - Parameter controller: the port of the controller in the same process.
    private static func broker(
        id: Int, _ port: UInt16, controller: UInt16?, _ secure: TestKafkaSecureListener?
    ) -> [String: String] {
        let advertised =
            ["PLAINTEXT://127.0.0.1:\(port)"] + (secure.map { ["\($0.name)://127.0.0.1:\($0.port)"] } ?? [])
        return [
            "process.roles": controller == nil ? "broker" : "broker,controller",
            "node.id": "\(id)",
            "listeners": (advertised + (controller.map { ["CONTROLLER://127.0.0.1:\($0)"] } ?? []))
                .joined(separator: ","),
            "advertised.listeners": advertised.joined(separator: ","),
            "inter.broker.listener.name": "PLAINTEXT",
        ]
    }

    private static func controller(id: Int, _ port: UInt16) -> [String: String] {
        ["process.roles": "controller", "node.id": "\(id)", "listeners": "CONTROLLER://127.0.0.1:\(port)"]
    }

    private static func common(_ voters: String, _ count: Int) -> [String: String] {
        let replicas = "\(min(3, count))"
        let inSync = count >= 3 ? "2" : "1"
        return [
            "controller.quorum.voters": voters,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
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
        nodes: Int, isToBeKilled: Bool = false, listener: TestKafkaSecureListener? = nil,
        settings: [String: String] = [:], _ test: String = #function
    ) throws -> TestKafka {
        try skipWithoutHome(test)
        return try TestKafka(nodes: nodes, isToBeKilled: isToBeKilled, listener: listener, settings: settings)
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
