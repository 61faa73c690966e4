import Foundation
import HTTP
import StreamKitService
import XCTest

final class RuntimeSettingsTests: XCTestCase {
    private let laptop = Surroundings(isContainer: false, isTerminal: true)
    private let container = Surroundings(isContainer: true, isTerminal: false)

    private func runtime(
        _ yaml: String, overrides: [String] = [], environment: [String: String] = [:],
        in surroundings: Surroundings? = nil
    ) throws -> RuntimeSettings {
        try read(yaml, overrides: overrides, environment: environment) {
            RuntimeSettings($0, surroundings: surroundings ?? laptop)
        }.settings
    }

    private func runtimeProblems(
        _ yaml: String, overrides: [String] = [], environment: [String: String] = [:]
    ) -> [String] {
        problems(yaml, overrides: overrides, environment: environment) { RuntimeSettings($0, surroundings: laptop) }
    }

    func testDefaultsOnALaptop() throws {
        let settings = try runtime("application: orders")
        XCTAssertEqual(settings.application, "orders")
        XCTAssertNil(settings.instanceID)
        XCTAssertEqual(settings.stateDirectory, ".state/orders")
        XCTAssertEqual(settings.opsAddress.description, "127.0.0.1:0")
        XCTAssertEqual(settings.logLevel, .info)
        XCTAssertEqual(settings.logFormat, .text)
        XCTAssertEqual(settings.kafka.bootstrapServers, "127.0.0.1:9092")
        XCTAssertEqual(settings.kafka.properties, [])
    }

    func testDefaultsInAContainer() throws {
        let settings = try runtime("application: orders", in: container)
        XCTAssertEqual(settings.stateDirectory, "/var/lib/orders")
        XCTAssertEqual(settings.opsAddress.description, "0.0.0.0:8080")
        XCTAssertEqual(settings.logFormat, .json)
    }

    func testTheEnvironmentIsHeard() throws {
        let settings = try runtime(
            "application: orders",
            environment: [
                "INSTANCE_ID": "a-1", "STATE_DIR": "/data", "OPS_ADDRESS": "[::1]:81", "LOG_LEVEL": "debug",
                "LOG_FORMAT": "json", "KAFKA_BOOTSTRAP_SERVERS": "k1:9092,k2:9092",
            ])
        XCTAssertEqual(settings.instanceID, "a-1")
        XCTAssertEqual(settings.stateDirectory, "/data")
        XCTAssertEqual(settings.opsAddress.description, "[::1]:81")
        XCTAssertEqual(settings.logLevel, .debug)
        XCTAssertEqual(settings.logFormat, .json)
        XCTAssertEqual(settings.kafka.bootstrapServers, "k1:9092,k2:9092")
    }

    func testAVariablesNameIsNoKeyOfTheFileEvenWhereTheVariableIsSet() {
        for environment in [[:], ["LOG_FORMAT": "json", "KAFKA_BOOTSTRAP_SERVERS": "k1:9092"]] {
            let problems = runtimeProblems(
                "application: orders\nLOG_FORMAT: text\nKAFKA_BOOTSTRAP_SERVERS: k2:9092\n", environment: environment)
            XCTAssertEqual(
                problems.map { $0.prefix { $0 != ";" } },
                ["s.yaml:2:1: LOG_FORMAT: unknown key", "s.yaml:3:1: KAFKA_BOOTSTRAP_SERVERS: unknown key"],
                "\(problems)")
            for problem in problems {
                XCTAssertEqual(
                    problem.components(separatedBy: "LOG_FORMAT").count, problem.contains(": LOG_FORMAT:") ? 2 : 1)
            }
        }
    }

    func testMalformedVariablesAreErrorsTogetherWithTheFiles() {
        XCTAssertEqual(
            runtimeProblems(
                "application: a/b",
                environment: ["LOG_LEVEL": "warning", "OPS_ADDRESS": "localhost", "INSTANCE_ID": "x y"]),
            [
                "environment: INSTANCE_ID: must be a name for the instance (letters, digits, '.', '_' and '-', at most 100), "
                    + "not \"x y\"",
                "environment: OPS_ADDRESS: must be a numeric address and port, such as 127.0.0.1:8080, not \"localhost\"",
                "environment: LOG_LEVEL: must be debug, info, warn or error, not \"warning\"; did you mean warn?",
                "s.yaml:1:14: application: must be a name for the application (letters, digits, '.', '_' and '-', "
                    + "at most 150), not \"a/b\"",
            ])
    }

    func testKafkaPropertiesOfFileEnvironmentAndCommandLine() throws {
        let yaml = """
            application: a
            kafka:
              linger.ms: 5
              compression: {codec: lz4}
              client.id: from-file
              socket.keepalive.enable: true
            """
        let settings = try runtime(
            yaml, overrides: ["kafka.linger.ms=7", "kafka.batch.size=1000"],
            environment: [
                "KAFKA_CONFIG_LINGER_MS": "6", "KAFKA_CONFIG_CLIENT_ID": "from-env", "KAFKA_CONFIG_EMPTY": "",
            ])
        XCTAssertEqual(
            settings.kafka.properties.map { "\($0) \($0.origin)" },
            [
                "batch.size=1000 --set kafka.batch.size", "client.id=from-env KAFKA_CONFIG_CLIENT_ID",
                "compression.codec=lz4 s.yaml:4:24", "linger.ms=7 --set kafka.linger.ms",
                "socket.keepalive.enable=true s.yaml:6:28",
            ])
    }

    func testSecretsComeFromFilesAndAreNeverShown() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try "s3cret\n".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let reading = try read(
            "application: a\nkafka: {ssl.key.password: s3cret2, ssl.ca.location: /etc/ca.pem}",
            environment: ["KAFKA_CONFIG_SASL_PASSWORD_FILE": file.path]
        ) { RuntimeSettings($0, surroundings: laptop) }
        let properties = reading.settings.kafka.properties
        XCTAssertEqual(properties.first { $0.name == "sasl.password" }?.value, "s3cret")
        XCTAssertEqual(
            properties.map(\.description), ["sasl.password=***", "ssl.ca.location=/etc/ca.pem", "ssl.key.password=***"])
        let shown = reading.effective.map(\.description).joined(separator: "\n")
        XCTAssertFalse(shown.contains("s3cret"), shown)
        XCTAssertTrue(shown.contains("kafka.sasl.password = *** (KAFKA_CONFIG_SASL_PASSWORD_FILE)"), shown)
        XCTAssertTrue(shown.contains("kafka.ssl.ca.location = /etc/ca.pem (s.yaml:2:53)"), shown)
    }

    func testPropertiesOfTheRuntimeAreRefusedByName() {
        let yaml = """
            application: a
            kafka:
              enable.auto.commit: true
              transaction: {timeout: {ms: 5}}
              linger: [1]
              acks:
            """
        XCTAssertEqual(
            runtimeProblems(
                yaml, overrides: ["kafka.group.id=x"],
                environment: [
                    "KAFKA_CONFIG_BOOTSTRAP_SERVERS": "k:1", "KAFKA_CONFIG_SASL_PASSWORD_FILE": "/nonexistent",
                ]),
            [
                "--set kafka.group.id: kafka.group.id: group.id belongs to the runtime; application: names the group",
                "environment: KAFKA_CONFIG_SASL_PASSWORD_FILE: cannot open /nonexistent: No such file or directory",
                "environment: KAFKA_CONFIG_BOOTSTRAP_SERVERS: bootstrap.servers belongs to the runtime; "
                    + "set KAFKA_BOOTSTRAP_SERVERS",
                "s.yaml:3:23: kafka.enable.auto.commit: enable.auto.commit belongs to the runtime; "
                    + "offsets are committed in the transaction (see commit:)",
                "s.yaml:4:31: kafka.transaction.timeout.ms: transaction.timeout.ms belongs to the runtime; "
                    + "set transaction_timeout",
                "s.yaml:5:11: kafka.linger: must be text, not a list; librdkafka separates the parts of a list by commas",
                "s.yaml:6:8: kafka.acks: has no value; write one, or remove the key",
            ])
    }

    func testAPropertySetTwiceIsRefused() {
        XCTAssertEqual(
            runtimeProblems("application: a\nkafka: {linger.ms: 5, linger: {ms: 6}}"),
            ["s.yaml:2:36: kafka.linger.ms: linger.ms is set twice"])
        XCTAssertEqual(
            runtimeProblems(
                "application: a",
                environment: ["KAFKA_CONFIG_SASL_PASSWORD": "1", "KAFKA_CONFIG_SASL_PASSWORD_FILE": "/nonexistent"]),
            ["environment: KAFKA_CONFIG_SASL_PASSWORD_FILE: KAFKA_CONFIG_SASL_PASSWORD is set too; set one of them"])
    }

    func testProcessingSettings() throws {
        let defaults = try read("{}") { ProcessingSettings($0) }.settings
        XCTAssertEqual(defaults.commitInterval, .milliseconds(100))
        XCTAssertEqual(defaults.transactionTimeout, .seconds(15))
        XCTAssertNil(defaults.commitRecordsMax)
        let set = try read(
            "commit: {interval: 10ms, when_drained: 0s, records: 500}\nstore: rocksdb\non_lost_offsets: earliest"
        ) {
            ProcessingSettings($0)
        }.settings
        XCTAssertEqual(set.commitInterval, .milliseconds(10))
        XCTAssertEqual(set.commitWhenDrained, .zero)
        XCTAssertEqual(set.commitRecordsMax, 500)
        XCTAssertEqual(set.store, .rocksdb)
        XCTAssertEqual(set.onLostOffsets, .earliest)
        XCTAssertEqual(
            problems("commit: {interval: 10s}") { ProcessingSettings($0) },
            [
                "s.yaml:1:1: transaction_timeout: must be more than twice commit.interval, or brokers abort what commits late"
            ])
    }
}
