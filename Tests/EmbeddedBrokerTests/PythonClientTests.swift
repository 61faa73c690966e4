import EmbeddedBroker
import XCTest

/// Clients from PyPI. What each does, and expects, is in its script in `Tests/ForeignClients`.
final class PythonClientTests: XCTestCase {
    private func run(_ module: String) throws {
        guard try ForeignClient.run(["python3", "-c", "import \(module)"]).status == 0 else {
            try leaveOut(because: "python3 has no package \(module)")
        }
        let broker = try EmbeddedBroker(BrokerConfiguration())
        defer { broker.stop() }
        let ended = try ForeignClient.run(
            ["python3", ForeignClient.source("with_\(module).py"), broker.bootstrapServers])
        XCTAssertTrue(ended.status == 0 && ended.output.contains("all is well"), ended.output + ended.errors)
    }

    func testConfluentKafka() throws { try run("confluent_kafka") }

    func testKafkaPython() throws { try run("kafka") }
}
