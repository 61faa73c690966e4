import EmbeddedBroker
import TestSupport
import XCTest

/// Clients from PyPI. What each does, and expects, is in its script in `Tests/ForeignClients`.
final class PythonClientTests: XCTestCase {
    private func run(_ module: String) throws {
        let python = PythonPeer.interpreter
        guard try ForeignClient.run([python, "-c", "import \(module)"]).status == 0 else {
            try leaveOut(because: "\(python) has no package \(module); see tools/python-peers")
        }
        let broker = try EmbeddedBroker(BrokerConfiguration())
        defer { broker.stop() }
        let ended = try ForeignClient.run(
            [python, ForeignClient.source("with_\(module).py"), broker.bootstrapServers])
        XCTAssertTrue(ended.status == 0 && ended.output.contains("all is well"), ended.output + ended.errors)
    }

    func testConfluentKafka() throws { try run("confluent_kafka") }

    func testKafkaPython() throws { try run("kafka") }
}
