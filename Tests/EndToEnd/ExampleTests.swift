import Foundation
import Kafka
import XCTest

/// The service that the README shows whole.
final class ExampleTests: XCTestCase {
    func testReadmeShowsTheExampleAsItIs() throws {
        let readme = try String(contentsOf: packageFolder.appending(path: "README.md"), encoding: .utf8)
        for file in ["LargeOrders.swift", "large-orders.yaml"] {
            let text = try String(
                contentsOf: packageFolder.appending(path: "Examples/large-orders/\(file)"), encoding: .utf8)
            XCTAssertTrue(readme.contains(text), "README.md shows another \(file) than Examples/large-orders has")
            XCTAssertLessThan(text.split(separator: "\n", omittingEmptySubsequences: false).count, 40)
        }
    }

    func testExampleRuns() throws {
        continueAfterFailure = false
        let broker = try EmbeddedBrokerProcess()
        defer { broker.stop() }
        let admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", broker.bootstrapServers)]))
        let refusals = try admin.createTopics([NewTopic("orders", partitions: 1)], timeout: .seconds(20))
        XCTAssertTrue(refusals.isEmpty, "\(refusals)")
        let values = [
            #"{"amount":99.99}"#, #"{"amount":100.00,"id":1}"#, #"{"amount":"12"}"#, #"{"amount":5000,"id":2}"#,
        ]
        try RawWriter(broker.bootstrapServers).write(
            values.enumerated().map { number, value in
                RawRecord(partition: 0, key: nil, value: Array(value.utf8), timestampMilliseconds: Int64(number + 1))
            }, to: "orders")

        let folder = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let service = try ChildProcess(
            "large-orders", executable: try builtProduct("large-orders"),
            arguments: ["--config", packageFolder.appending(path: "Examples/large-orders/large-orders.yaml").path],
            environment: [
                "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "STATE_DIR": folder.appending(path: "state").path,
                "OPS_ADDRESS": "127.0.0.1:0",
            ], log: folder.appending(path: "log"))
        defer { service.kill() }

        let deadline = Date() + 60
        while try !Set(["large-orders", "orders-dlq"]).isSubset(of: admin.topics(timeout: .seconds(20)).keys) {
            XCTAssertLessThan(Date(), deadline, service.lastWords)
        }
        let reader = try TopicReader(broker.bootstrapServers, topics: ["large-orders": 1, "orders-dlq": 1])
        while reader.records["large-orders", default: []].count < 2 || reader.records["orders-dlq", default: []].isEmpty
        {
            XCTAssertLessThan(Date(), deadline, service.lastWords)
            try reader.readToEnd()
        }
        XCTAssertEqual(reader.records["large-orders"]?.map(\.valueText), [values[1], values[3]])
        XCTAssertEqual(reader.records["orders-dlq"]?.count, 1)
        XCTAssertEqual(reader.records["orders-dlq"]?.first?.header("__streams.errors.offset"), "2")
        XCTAssertEqual(service.terminate(), 0, service.lastWords)
    }
}
