import Foundation
import Kafka
import TestSupport
import XCTest

/// One service as a process on an embedded broker, with whatever file a test gives it, and its ops pages.
final class SingleService {
    let broker: EmbeddedBrokerProcess
    let admin: KafkaAdmin
    let folder: URL
    private let writer: RawWriter
    private(set) var process: ChildProcess?

    init() throws {
        broker = try EmbeddedBrokerProcess()
        admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", broker.bootstrapServers)]))
        folder = FileManager.default.temporaryDirectory.appending(path: "service-\(UUID().uuidString.prefix(8))")
        writer = RawWriter(broker.bootstrapServers, [("message.max.bytes", "20000000")])
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { stop() }

    func stop() {
        process?.kill()
        broker.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: Topics

    func createTopics(_ partitions: [String: Int32], _ configuration: [String: String] = [:]) throws {
        let topics = partitions.map { NewTopic($0.key, partitions: $0.value, configuration: configuration) }
        let failures = try patiently { try admin.createTopics(topics, timeout: .seconds(20)) }
        guard failures.isEmpty else { throw HarnessError("\(failures)") }
    }

    func write(_ values: [[UInt8]?], to topic: String, partitions: Int32 = 1, from number: Int = 0) throws {
        let now = Int64(Date().timeIntervalSince1970 * 1000) - 60_000
        try writer.write(
            values.enumerated().map { index, value in
                RawRecord(
                    partition: Int32(number + index) % partitions, key: Array("k\(number + index)".utf8), value: value,
                    timestampMilliseconds: now + Int64(index))
            }, to: topic)
    }

    /// What committed records a topic has once it has `count`.
    func read(_ topic: String, partitions: Int32 = 1, count: Int) throws -> [TopicRecord] {
        try wait("\(topic) to exist") { try admin.topics(timeout: .seconds(20)).keys.contains(topic) }
        let reader = try TopicReader(broker.bootstrapServers, topics: [topic: partitions])
        try wait("\(count) records in \(topic)") {
            try reader.readToEnd()
            return reader.records[topic, default: []].count >= count
        }
        return reader.records[topic] ?? []
    }

    // MARK: The process

    /// Starts a service with the file that is deployed, or with the text of another.
    func start(
        _ service: String, file text: String? = nil, settings: [String] = [], environment: [String: String] = [:]
    ) throws {
        var file = packageFolder.appending(path: "deploy/pipelines/orders/\(service).yaml")
        if let text {
            file = folder.appending(path: "\(service).yaml")
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        var variables = [
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "STATE_DIR": folder.appending(path: "state").path,
            "OPS_ADDRESS": "127.0.0.1:0", "LOG_FORMAT": "json",
        ]
        for name in ["LD_LIBRARY_PATH", "PATH", "HOME"] {
            variables[name] = ProcessInfo.processInfo.environment[name]
        }
        try? FileManager.default.removeItem(at: folder.appending(path: "log"))
        process = try ChildProcess(
            service, executable: try builtProduct(service),
            arguments: ["--config", file.path] + settings.flatMap { ["--set", $0] },
            environment: variables.merging(environment) { $1 }, log: folder.appending(path: "log"))
    }

    /// Its log, line by line.
    var log: [[String: Any]] {
        let data = (try? Data(contentsOf: folder.appending(path: "log"))) ?? Data()
        return data.split(separator: UInt8(ascii: "\n")).compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0))) as? [String: Any]
        }
    }

    func logged(_ message: String) -> [[String: Any]] { log.filter { $0["message"] as? String == message } }

    /// SIGTERM; the exit code, nil if it did not end within ten seconds.
    func terminate() -> Int32? { process?.terminate(within: 10) }

    /// Waits for it to end by itself.
    func end() throws -> String {
        try wait("the service to end") { process?.isRunning == false }
        return process?.unaskedEnd ?? ""
    }

    func wait(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = Date() + 30
        while try !condition() {
            guard Date() < deadline else {
                throw HarnessError("waited in vain for \(what)\n\(process?.lastWords ?? "")")
            }
            usleep(20_000)
        }
    }

    // MARK: The ops pages

    func get(_ path: String) throws -> (status: Int, body: String) {
        try wait("the ops pages") { !logged("started").isEmpty }
        let address = logged("started").first?["ops"] as? String ?? ""
        guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw HarnessError("no port in \(address)")
        }
        let client = try RawClient(port: port)
        client.send("GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        let parts = client.readToEnd().components(separatedBy: "\r\n\r\n")
        let status = parts[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (status ?? 0, parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    /// The sum of a metric's samples that carry all of these labels; nil without any.
    func metric(_ name: String, _ labels: [String: String] = [:]) throws -> Double? {
        let lines = try get("/metrics").body.split(separator: "\n").filter { line in
            (line.hasPrefix(name + "{") || line.hasPrefix(name + " "))
                && labels.allSatisfy { line.contains("\($0.key)=\"\($0.value)\"") }
        }
        let values = lines.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    func waitForMetric(_ name: String, _ labels: [String: String] = [:], is expected: Double) throws {
        var last: Double?
        do {
            try wait("\(name)") {
                last = try metric(name, labels)
                return last == expected
            }
        } catch {
            throw HarnessError(
                "\(name) \(labels) is \(last.map { "\($0)" } ?? "missing") instead of \(expected)\n\(error)")
        }
    }
}
