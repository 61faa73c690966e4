import Foundation
import Kafka
import TestSupport
import XCTest

/// A Kafka that asks for SASL over TLS, as those in production do: a service's settings, and a secret in a file.
final class SecuredKafkaTests: XCTestCase {
    private var folder = URL(fileURLWithPath: "/")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("secured-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDown() { try? FileManager.default.removeItem(at: folder) }

    /// Over TLS by a password alone, which every librdkafka can.
    func testRecordsGoThroughByPlain() throws { try goThrough("PLAIN", library: nil) }

    /// librdkafka before 2.6.1 cannot do it with Kafka 4: `LIBRDKAFKA`, a folder, brings a newer one where that is installed.
    func testRecordsGoThroughByScram() throws {
        let newer = ProcessInfo.processInfo.environment["LIBRDKAFKA"].flatMap { $0.isEmpty ? nil : $0 }
        if newer == nil && !KafkaLibrary.canScramWithKafka4 {
            let text =
                "LEFT OUT: SCRAM with Kafka 4 needs librdkafka 2.6.1, this is \(KafkaLibrary.version): set LIBRDKAFKA"
            say(text)
            throw XCTSkip(text)
        }
        try goThrough("SCRAM-SHA-512", library: newer)
    }

    private func goThrough(_ mechanism: String, library: String?) throws {
        let listener = try TestKafkaSecureListener()
        let kafka = try TestKafka.dedicated(nodes: 1, listener: listener)
        defer { kafka.stop() }
        let admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", kafka.bootstrapServers)]))
        let topics = ["raw", "validated", "dlq"].map { NewTopic("secured.\($0)", partitions: 1) }
        XCTAssertEqual(try admin.createTopics(topics, timeout: .seconds(30)), [:])
        let wrong = "wrong-\(UUID().uuidString)"
        let refused = try startValidator(listener, mechanism, password: wrong, library: library)
        let validator = try startValidator(listener, mechanism, password: listener.password, library: library)

        var generator = OrderGenerator(seed: 1)
        generator.partitions = 1
        let records = generator.records(500, firstTimestamp: 1_700_000_000_000)
        try RawWriter(kafka.bootstrapServers).write(records, to: "secured.raw")
        let reader = try TopicReader(kafka.bootstrapServers, topics: ["secured.validated": 1, "secured.dlq": 1])
        try wait(for: "500 records:\n\(validator.lastWords)") {
            try reader.readToEnd()
            return reader.records.values.reduce(0) { $0 + $1.count } >= 500
        }
        XCTAssertGreaterThan(reader.records["secured.validated"]?.count ?? 0, 400)
        XCTAssertGreaterThan(reader.records["secured.dlq"]?.count ?? 0, 5)
        XCTAssertEqual(validator.terminate(), 0, validator.lastWords)

        // With the wrong one it tries for half a minute, in case that brokers are only starting, and then says why.
        try wait(for: "the end of the service:\n\(refused.lastWords)") { !refused.isRunning }
        XCTAssertTrue(refused.unaskedEnd?.contains("exit code 1") ?? false, refused.lastWords)
        XCTAssertTrue(refused.lastWords.contains("cannot start"), refused.lastWords)
        XCTAssertTrue(refused.lastWords.contains("_AUTHENTICATION"), refused.lastWords)

        for (process, password) in [(refused, wrong), (validator, listener.password)] {
            let said = try String(contentsOf: process.log, encoding: .utf8)
            XCTAssertFalse(said.contains(password), said)
        }
    }

    func testCheckingTheSettingsShowsNoPassword() throws {
        let log = folder.appendingPathComponent("check.log")
        let settings = try settingsFile("PLAIN", user: "orders", certificateAuthority: "/authority.pem")
        let secret = try secretFile("a-secret")
        let check = try ChildProcess(
            "validator", executable: try builtProduct("validator"), arguments: ["--config", settings, "--check"],
            environment: ["KAFKA_CONFIG_SASL_PASSWORD_FILE": secret, "KAFKA_CONFIG_SSL_KEY_PASSWORD": "a-secret"],
            log: log)
        try wait(for: "the check's end") { !check.isRunning }
        let said = try String(contentsOf: log, encoding: .utf8)
        XCTAssertTrue(said.contains("is valid") && said.contains("sasl.password"), said)
        XCTAssertFalse(said.contains("a-secret"), said)
    }

    private func startValidator(
        _ listener: TestKafkaSecureListener, _ mechanism: String, password: String, library: String?
    ) throws -> ChildProcess {
        let name = "validator-\(UUID().uuidString)"
        return try ChildProcess(
            name, executable: try builtProduct("validator"),
            arguments: [
                "--config",
                try settingsFile(
                    mechanism, user: listener.user, certificateAuthority: listener.certificateAuthority),
            ],
            environment: [
                "KAFKA_BOOTSTRAP_SERVERS": listener.bootstrapServers, "TOPIC_PREFIX": "secured",
                "APPLICATION_PREFIX": "secured", "STATE_DIR": folder.appendingPathComponent(name).path,
                "OPS_ADDRESS": "127.0.0.1:0", "LOG_FORMAT": "text", "LOG_LEVEL": "debug",
                "KAFKA_CONFIG_SASL_PASSWORD_FILE": try secretFile(password),
                "LD_LIBRARY_PATH": library ?? ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "",
            ], log: folder.appendingPathComponent("\(name).log"))
    }

    /// The order pipeline's own file, with a `kafka:` block.
    private func settingsFile(_ mechanism: String, user: String, certificateAuthority: String) throws -> String {
        let pipeline = packageFolder.appendingPathComponent("deploy/pipelines/orders")
        let schema = folder.appendingPathComponent("order.schema.json")
        if !FileManager.default.fileExists(atPath: schema.path) {
            try FileManager.default.copyItem(at: pipeline.appendingPathComponent("order.schema.json"), to: schema)
        }
        let file = folder.appendingPathComponent("validator.yaml")
        let text = try String(contentsOf: pipeline.appendingPathComponent("validator.yaml"), encoding: .utf8)
        try """
        \(text)
        kafka:
          security.protocol: SASL_SSL
          sasl: {mechanism: \(mechanism), username: \(user)}
          ssl.ca.location: \(certificateAuthority)

        """.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// With the line break that editors leave at the end.
    private func secretFile(_ password: String) throws -> String {
        let file = folder.appendingPathComponent("password-\(UUID().uuidString)")
        try "\(password)\n".write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    private func wait(for what: @autoclosure () -> String, _ isDone: () throws -> Bool) throws {
        let deadline = Date() + 60
        while try !isDone() {
            if Date() > deadline { throw HarnessError("waited 60 s for \(what())") }
            usleep(50_000)
        }
    }
}
