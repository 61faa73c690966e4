import EmbeddedBroker
import Foundation
import XCTest

/// Apache Kafka's own command-line tools, on its Java clients, from `KAFKA_HOME/libs`.
final class JavaToolTests: XCTestCase {
    private var broker: EmbeddedBroker!
    private var libraries: [String] = []

    override func setUpWithError() throws {
        libraries = try kafkaClassPath()
        var configuration = BrokerConfiguration()
        configuration.topics = [.init(name: "one", partitions: 1), .init(name: "t", partitions: 3)]
        broker = try EmbeddedBroker(configuration)
    }

    override func tearDown() { broker?.stop() }

    /// Runs a tool and answers what it printed.
    private func tool(_ mainClass: String, _ arguments: String, input: String = "") throws -> String {
        let java = [
            "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", libraries.map { "\($0)/*" }.joined(separator: ":"),
            mainClass.hasPrefix("kafka.") ? mainClass : "org.apache.kafka.tools.\(mainClass)",
        ]
        let words = arguments.replacingOccurrences(of: "SERVER", with: "--bootstrap-server \(broker.bootstrapServers)")
            .split(separator: " ").map(String.init)
        let ended = try ForeignClient.run(java + words, input: input)
        XCTAssertEqual(ended.status, 0, "\(mainClass) \(arguments): \(ended.output)\(ended.errors)")
        return ended.output
    }

    private func assert(_ text: String, has parts: String..., line: UInt = #line) {
        for part in parts { XCTAssertTrue(text.contains(part), "\(part) is missing in: \(text)", line: line) }
    }

    func testTopics() throws {
        _ = try tool("TopicCommand", "SERVER --create --topic java --partitions 2 --config retention.ms=1000")
        _ = try tool("TopicCommand", "SERVER --alter --topic java --partitions 4")
        _ = try tool(
            "kafka.admin.ConfigCommand",
            "SERVER --alter --entity-type topics --entity-name java --add-config max.message.bytes=2000")
        assert(
            try tool("TopicCommand", "SERVER --describe --topic java"), has: "PartitionCount: 4", "retention.ms=1000",
            "max.message.bytes=2000", "Partition: 3\tLeader: 1")
        _ = try tool("TopicCommand", "SERVER --delete --topic java")
        XCTAssertEqual(try tool("TopicCommand", "SERVER --list").split(separator: "\n"), ["one", "t"])
        assert(try tool("BrokerApiVersionsCommand", "SERVER"), has: "Fetch(1): 4 to 18 [usable: 18]", "UNSUPPORTED")
    }

    func testConsoleProducerAndConsumerAndGroups() throws {
        let lines = (1...100).map { "k\($0):value \($0)" }
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            _ = try tool(
                "ConsoleProducer",
                "SERVER --topic t --compression-codec \(codec) --reader-property parse.key=true "
                    + "--reader-property key.separator=:", input: lines.joined(separator: "\n") + "\n")
        }
        let read = try tool(
            "consumer.ConsoleConsumer",
            "SERVER --topic t --from-beginning --max-messages 500 --isolation-level read_committed --group java "
                + "--formatter-property print.key=true --formatter-property key.separator=: --timeout-ms 30000")
        XCTAssertEqual(
            read.split(separator: "\n").map(String.init).sorted(),
            (lines + lines + lines + lines + lines).sorted())
        let groups = "consumer.group.ConsumerGroupCommand"
        assert(try tool(groups, "SERVER --describe --group java"), has: "java", "LAG")
        assert(try tool(groups, "SERVER --list --state"), has: "java", "Empty")
        _ = try tool(groups, "SERVER --group java --topic t:0 --reset-offsets --to-offset 1 --execute")
        assert(try tool(groups, "SERVER --describe --group java --offsets"), has: "t               0          1 ")
        assert(try tool(groups, "SERVER --delete-offsets --group java --topic t:0"), has: "Successful")
        assert(try tool(groups, "SERVER --delete --group java"), has: "successful")
        XCTAssertFalse(try tool(groups, "SERVER --list").contains("java"))
    }

    func testTransactions() throws {
        let perf = try tool(
            "ProducerPerformance",
            "--topic t --num-records 5000 --record-size 200 --throughput -1 --transactional-id perf "
                + "--transaction-duration-ms 50 --command-property bootstrap.servers=\(broker.bootstrapServers)")
        assert(perf, has: "5000 records sent")
        assert(try tool("TransactionsCommand", "SERVER list"), has: "perf", "CompleteCommit")

        // One that hangs is seen, and aborted by hand.
        let driver = try RemoteDriver(port: broker.port)
        let producer = try driver.initProducer("hanging").producer
        XCTAssertEqual(try driver.addPartition("t", to: "hanging", producer), 0)
        let batch = Batches.batch([.init("never")], producer: producer, sequence: 0, transactional: true)
        let offset = try driver.produce(batch, to: "t", as: "hanging").baseOffset
        assert(
            try tool("TransactionsCommand", "SERVER describe --transactional-id hanging"), has: "Ongoing", "t-0")
        assert(
            try tool("TransactionsCommand", "SERVER describe-producers --topic t --partition 0"),
            has: "\(producer.id)", "\(offset)")
        XCTAssertEqual(try driver.fetch("t", from: offset).lastStableOffset, offset)
        _ = try tool("TransactionsCommand", "SERVER abort --topic t --partition 0 --start-offset \(offset)")
        XCTAssertEqual(try driver.fetch("t", from: offset).lastStableOffset, offset + 2)
        XCTAssertEqual(try driver.fetch("t", from: offset).aborted?.count, 1)
    }

    func testPerformanceAndVerifiableClientsAndOffsets() throws {
        assert(
            try tool("VerifiableProducer", "SERVER --topic one --max-messages 1000"), has: "\"acked\":1000")
        assert(
            try tool(
                "VerifiableConsumer", "SERVER --topic one --max-messages 1000 --group-id v --reset-policy earliest"),
            has: "offsets_committed")
        let offsets = try tool("GetOffsetShell", "SERVER --topic one --time -1")
        XCTAssertEqual(
            offsets.split(separator: "\n").compactMap { Int($0.split(separator: ":")[2]) }.reduce(0, +), 1_000)
        let request = FileManager.default.temporaryDirectory.appendingPathComponent("delete-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: request) }
        try Data(#"{"partitions": [{"topic": "one", "partition": 0, "offset": 5}], "version": 1}"#.utf8).write(
            to: request)
        assert(
            try tool("DeleteRecordsCommand", "SERVER --offset-json-file \(request.path)"), has: "low_watermark: 5")
        assert(try tool("GetOffsetShell", "SERVER --topic-partitions one:0 --time -2"), has: "one:0:5")
    }
}
