import EmbeddedBroker
import Foundation
import XCTest

/// Clients that no one here wrote. They need kcat on the path, and `KAFKA_HOME`: a folder with Apache Kafka's `libs/`.
final class ForeignClientTests: XCTestCase {
    private var broker: EmbeddedBroker!

    override func setUpWithError() throws {
        var configuration = BrokerConfiguration()
        configuration.topics = [.init(name: "t", partitions: 3)]
        broker = try EmbeddedBroker(configuration)
    }

    override func tearDown() { broker.stop() }

    private struct Ended {
        var status: Int32
        var output: String
        var lines: [Substring] { output.split(separator: "\n") }
    }

    /// Runs a program to its end, with a minute for it.
    private func run(_ arguments: [String], input: String = "") throws -> Ended {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "60"] + arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = FileHandle.nullDevice
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        stdin.fileHandleForWriting.closeFile()
        let output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, output: output)
    }

    private func skipLoudly(_ what: String) throws -> Never {
        FileHandle.standardError.write(Data("LEFT OUT: \(name): \(what)\n".utf8))
        throw XCTSkip(what)
    }

    // MARK: - librdkafka, through kcat

    private func kcat(_ arguments: [String], input: String = "") throws -> Ended {
        guard try run(["sh", "-c", "command -v kcat"]).status == 0 else { try skipLoudly("kcat is not installed") }
        return try run(["kcat", "-q", "-b", broker.bootstrapServers] + arguments, input: input)
    }

    private func values(_ range: ClosedRange<Int>) -> String { range.map { "\($0)\n" }.joined() }

    private func consumed(_ isolation: String) throws -> Set<Int> {
        let read = try kcat(["-C", "-t", "t", "-o", "beginning", "-e", "-X", "isolation.level=\(isolation)"])
        XCTAssertEqual(read.status, 0)
        XCTAssertEqual(Set(read.lines).count, read.lines.count, "nothing twice")
        return Set(read.lines.compactMap { Int($0) })
    }

    func testKcatProducesAndConsumesEveryCompression() throws {
        for (index, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].enumerated() {
            let first = index * 100 + 1
            XCTAssertEqual(
                try kcat(["-P", "-t", "t", "-z", codec], input: values(first...first + 99)).status, 0, codec)
        }
        XCTAssertEqual(try consumed("read_committed"), Set(1...500))
    }

    func testKcatProducesInTransactions() throws {
        XCTAssertEqual(
            try kcat(["-P", "-t", "t", "-X", "transactional.id=kcat"], input: values(1...1_000)).status, 0)
        XCTAssertEqual(try consumed("read_committed"), Set(1...1_000))
    }

    func testKcatConsumesAsAGroupFromWhereItStopped() throws {
        let arguments = ["-G", "g", "-e", "-X", "auto.offset.reset=earliest", "t"]
        XCTAssertEqual(try kcat(["-P", "-t", "t"], input: values(1...100)).status, 0)
        XCTAssertEqual(Set(try kcat(arguments).lines.compactMap { Int($0) }), Set(1...100))
        XCTAssertEqual(try kcat(["-P", "-t", "t"], input: values(101...150)).status, 0)
        XCTAssertEqual(Set(try kcat(arguments).lines.compactMap { Int($0) }), Set(101...150))
    }

    // MARK: - Apache Kafka's own tools and Java clients

    private func tool(_ mainClass: String, _ arguments: [String]) throws -> Ended {
        guard let home = ProcessInfo.processInfo.environment["KAFKA_HOME"] else {
            try skipLoudly("KAFKA_HOME names no folder with Apache Kafka's libs/")
        }
        let java = [
            "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", "\(home)/libs/*",
            "org.apache.kafka.tools.\(mainClass)",
        ]
        let ended = try run(java + arguments)
        XCTAssertEqual(ended.status, 0, "\(mainClass) \(arguments): \(ended.output)")
        return ended
    }

    func testJavaClientsTopicsAndTransactions() throws {
        let server = ["--bootstrap-server", broker.bootstrapServers]
        _ = try tool("TopicCommand", server + ["--create", "--topic", "java", "--partitions", "2"])
        let described = try tool("TopicCommand", server + ["--describe", "--topic", "java"]).output
        XCTAssertTrue(described.contains("PartitionCount: 2"), described)
        _ = try tool(
            "ProducerPerformance",
            [
                "--topic", "java", "--num-records", "5000", "--record-size", "200", "--throughput", "-1",
                "--transactional-id", "perf", "--transaction-duration-ms", "50", "--command-property",
                "bootstrap.servers=\(broker.bootstrapServers)",
            ])
        let read = try tool(
            "consumer.ConsoleConsumer",
            server + [
                "--topic", "java", "--from-beginning", "--max-messages", "5000", "--isolation-level", "read_committed",
                "--group", "java", "--timeout-ms", "30000",
            ])
        XCTAssertEqual(read.lines.filter { $0.utf8.count == 200 }.count, 5_000)
        let lag = try tool("consumer.group.ConsumerGroupCommand", server + ["--describe", "--group", "java"]).output
        XCTAssertTrue(lag.contains("java"), lag)
        let transactions = try tool("TransactionsCommand", server + ["list"]).output
        XCTAssertTrue(transactions.contains("CompleteCommit"), transactions)
    }

    func testJavaVerifiableProducerAndConsumer() throws {
        let server = ["--bootstrap-server", broker.bootstrapServers, "--topic", "t", "--max-messages", "1000"]
        let produced = try tool("VerifiableProducer", server).output
        XCTAssertTrue(produced.contains("\"acked\":1000"), produced.suffix(300).description)
        let consumed = try tool("VerifiableConsumer", server + ["--group-id", "v", "--reset-policy", "earliest"]).output
        XCTAssertTrue(consumed.contains("offsets_committed"), consumed.suffix(300).description)
    }
}
