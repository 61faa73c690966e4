import Foundation
import Kafka
import TestSupport
import XCTest

/// A broker that tests may kill and start again on what it had written.
protocol Broker: AnyObject {
    var bootstrapServers: String { get }
    func kill()
    func restart() throws
    func stop()
    /// What the broker itself did wrong, so that nobody's results can be right; nil if nothing is known.
    var ownFault: String? { get }
}

extension Broker {
    var ownFault: String? { nil }
}

/// A real Apache Kafka.
final class RealBroker: Broker {
    private let kafka: TestKafka
    private let node: Int

    /// - Parameter isToBeKilled: a single node is prepared for it.
    init(nodes: Int = 1, isToBeKilled: Bool = false, _ test: String = #function) throws {
        kafka = try TestKafka.dedicated(nodes: nodes, isToBeKilled: isToBeKilled, test)
        node = nodes
    }

    var bootstrapServers: String { kafka.bootstrapServers }
    func kill() { kafka.kill(node) }
    func restart() throws { try kafka.restart(node) }
    func stop() { kafka.stop() }

    var ownFault: String? {
        kafka.hasSkippedMarkers
            ? "Apache Kafka skipped transaction markers after it was killed (its log: \"these partitions are likely deleted\")"
            : nil
    }
}

/// The project's own broker, as the process that people run.
final class EmbeddedBrokerProcess: Broker {
    private let port: UInt16
    private let folder: URL
    private var process: ChildProcess?

    init() throws {
        guard let port = try freePorts(1).first else { throw HarnessError("no free port") }
        self.port = port
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("broker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try restart()
    }

    deinit { stop() }

    var bootstrapServers: String { "127.0.0.1:\(port)" }

    func kill() { process?.kill() }

    func restart() throws {
        let settings = ["group.min.session.timeout.ms=1000", "group.initial.rebalance.delay.ms=0"]
        process = try ChildProcess(
            "embedded-broker", executable: try builtProduct("embedded-broker"),
            arguments: ["--port", "\(port)", "--data", folder.appendingPathComponent("data").path]
                + settings.flatMap { ["--set", $0] },
            environment: [:], log: folder.appendingPathComponent("log"))
    }

    func stop() {
        process?.kill()
        try? FileManager.default.removeItem(at: folder)
    }
}

/// An executable of this package, from the folder where the tests were built.
func builtProduct(_ name: String) throws -> URL {
    let folder = Bundle.main.executableURL?.deletingLastPathComponent() ?? URL(fileURLWithPath: ".")
    let candidates = [folder, Bundle(for: ChildProcess.self).bundleURL.deletingLastPathComponent()]
    for folder in candidates {
        let product = folder.appendingPathComponent(name)
        if FileManager.default.isExecutableFile(atPath: product.path) { return product }
    }
    throw HarnessError("\(name) was not built into \(candidates.map(\.path)); run swift build first")
}

/// The folder of this package.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
