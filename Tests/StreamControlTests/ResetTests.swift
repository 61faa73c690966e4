import EmbeddedBroker
import Foundation
import Kafka
import XCTest

final class ResetTests: XCTestCase {
    private func admin(_ broker: EmbeddedBroker) throws -> KafkaAdmin {
        try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", broker.bootstrapServers)]))
    }

    private func commit(_ broker: EmbeddedBroker, _ group: String, _ offsets: [TopicPartition: Int64]) throws {
        XCTAssertEqual(
            try admin(broker).setCommittedOffsets(
                of: group, offsets.mapValues { CommittedOffset(offset: $0, metadata: "watermark") },
                timeout: .seconds(10)), [:])
    }

    private func committed(_ broker: EmbeddedBroker, _ group: String, _ topics: [String]) throws -> [String: Int64] {
        let found = try admin(broker).committedOffsets(
            of: group, topics.map { TopicPartition($0, 0) }, timeout: .seconds(10))
        return Dictionary(uniqueKeysWithValues: found.map { ($0.key.topic, $0.value.offset) })
    }

    private func topics(_ broker: EmbeddedBroker) throws -> Set<String> {
        Set(try admin(broker).topics(timeout: .seconds(10)).keys.filter { !$0.hasPrefix("__") })
    }

    private let names = ["in", "app-store-changelog", "app-by-key-repartition", "app-two-store-changelog", "app-data"]

    private func preparedBroker() throws -> EmbeddedBroker {
        let broker = try broker(Dictionary(uniqueKeysWithValues: names.map { ($0, 1) }))
        try commit(broker, "app", [TopicPartition("in", 0): 0, TopicPartition("app-by-key-repartition", 0): 0])
        try commit(broker, "app-two", [TopicPartition("in", 0): 0])
        return broker
    }

    private func state() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("pipeline/app-1/identity", "version 1\napplication app\ninstance 0123\n")
        try folder.write("pipeline/app-1/stores/0/data", "x")
        try folder.write("pipeline/app-two-1/identity", "version 1\napplication app-two\ninstance 0124\n")
        return folder
    }

    private let plan = [
        "delete the group app with all its offsets", "delete the topic app-by-key-repartition",
        "delete the topic app-store-changelog",
    ]

    func testResetDeletesOffsetsInternalTopicsAndLocalState() throws {
        let (broker, state) = (try preparedBroker(), try state())
        let result = try Streamctl.run(
            "reset", "app", "--yes", "--state-dir", state.path, servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(
            result.lines,
            plan + [
                "remove the folder \(state.path)/pipeline/app-1",
                "leave app-two-store-changelog alone: it belongs to another application",
            ])
        XCTAssertEqual(try topics(broker), ["in", "app-two-store-changelog", "app-data"])
        XCTAssertEqual(try committed(broker, "app", ["in"]), [:])
        XCTAssertEqual(try committed(broker, "app-two", ["in"]), ["in": 0])
        XCTAssertFalse(state.exists("pipeline/app-1"))
        XCTAssertTrue(state.exists("pipeline/app-two-1/identity"))
        let again = try Streamctl.run(
            "reset", "app", "--yes", "--state-dir", state.path, servers: broker.bootstrapServers)
        XCTAssertEqual(again.code, 0)
    }

    func testDryRunChangesNothing() throws {
        let (broker, state) = (try preparedBroker(), try state())
        let result = try Streamctl.run(
            "reset", "app", "--dry-run", "--state-dir", state.path, servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(Array(result.lines.prefix(3)), plan)
        XCTAssertEqual(try topics(broker), Set(names))
        XCTAssertEqual(try committed(broker, "app", ["in"]), ["in": 0])
        XCTAssertTrue(state.exists("pipeline/app-1/stores/0/data"))
    }

    func testResetToTheLatestSkipsWhatIsThere() throws {
        let (broker, state) = (try preparedBroker(), try TemporaryFolder())
        _ = try Streamctl.run("produce", "in", servers: broker.bootstrapServers, input: "a\nb\n")
        let result = try Streamctl.run(
            "reset", "app", "--to", "latest", "--yes", "--state-dir", state.path, servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 0, result.error)
        // Two records and the marker of their transaction.
        XCTAssertEqual(try committed(broker, "app", ["in"]), ["in": 3])
        XCTAssertEqual(try topics(broker), ["in", "app-two-store-changelog", "app-data"])
    }

    func testOnlyTheInputsNamedAreReadAnew() throws {
        let broker = try broker(["one": 1, "two": 1])
        try commit(broker, "app", [TopicPartition("one", 0): 5, TopicPartition("two", 0): 6])
        let result = try Streamctl.run("reset", "app", "--input", "two", "--yes", servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(try committed(broker, "app", ["one", "two"]), ["one": 5])
        let unknown = try Streamctl.run("reset", "app", "--input", "no", "--yes", servers: broker.bootstrapServers)
        XCTAssertEqual(unknown.code, 1)
        XCTAssertEqual(unknown.error, "streamctl reset: there is no topic no\n")
    }

    func testResetIsRefusedWhileMembersLive() throws {
        let broker = try preparedBroker()
        let consumer = try KafkaConsumer(
            KafkaConfiguration(
                KafkaDefaults.consumer() + [
                    ("bootstrap.servers", broker.bootstrapServers), ("group.id", "app"),
                    ("group.instance.id", "validator-1"),
                ]))
        try consumer.subscribe(to: ["in"])
        try eventually("an assignment") {
            _ = try consumer.poll(timeout: .milliseconds(50))
            return try !consumer.assignment().isEmpty
        }
        let result = try Streamctl.run("reset", "app", "--yes", servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 1)
        XCTAssertTrue(result.error.contains("app has a live member: validator-1"), result.error)
        XCTAssertEqual(try topics(broker), Set(names))
        XCTAssertEqual(try committed(broker, "app", ["in"]), ["in": 0])
        try consumer.close(timeout: .seconds(5))
    }

    func testWithoutATerminalItTakesAYes() throws {
        let broker = try preparedBroker()
        let result = try Streamctl.run("reset", "app", servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 64)
        XCTAssertTrue(result.error.contains("--yes"), result.error)
        XCTAssertEqual(try topics(broker), Set(names))
    }
}
