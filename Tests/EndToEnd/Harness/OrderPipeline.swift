import Foundation
import Kafka
import enum StreamKit.Murmur2
import XCTest

/// The services of the order pipeline as processes, on topics of their own, with the very files that people run.
final class OrderPipeline {
    static let services = ["validator", "enricher", "deduplicator", "aggregator", "anomaly-detector"]
    static let forwarder = "cdc-forwarder"

    let broker: any Broker
    let prefix: String
    let partitions: Int32
    let changeTopic: String
    private let folder: URL
    /// After a failure: logs and state stay, for whoever looks into it.
    private var keepsFolder = false
    private let admin: KafkaAdmin
    private let settings: [String]
    private(set) var running: [String: ChildProcess] = [:]
    private var nextTimestamp = Int64(Date().timeIntervalSince1970 * 1_000) - 3_600_000
    private let writer: RawWriter

    /// - Parameters:
    ///   - settings: `--set` of every service.
    ///   - processedBytesMax: the largest record that the topic of processed orders takes.
    init(
        on broker: any Broker, partitions: Int32 = 4, settings: [String] = [], processedBytesMax: Int? = nil
    ) throws {
        self.broker = broker
        self.partitions = partitions
        self.settings = settings + ["session_timeout=3s", "transaction_timeout=6s"]
        let name = UUID().uuidString.prefix(8).lowercased()
        prefix = "e2e-\(name)"
        changeTopic = "\(prefix).changes"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("pipeline-\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        admin = try KafkaAdmin(KafkaConfiguration([("bootstrap.servers", broker.bootstrapServers)]))
        writer = RawWriter(broker.bootstrapServers)
        var topics = (PipelineTopic.allCases.map { "\(prefix).\($0.rawValue)" } + [changeTopic]).map {
            NewTopic($0, partitions: partitions)
        }
        if let processedBytesMax {
            let name = "\(prefix).processed"
            topics.removeAll { $0.name == name }
            topics.append(
                NewTopic(name, partitions: partitions, configuration: ["max.message.bytes": "\(processedBytesMax)"]))
        }
        let deadline = Date() + 60
        while true {
            let failures = try? admin.createTopics(topics, timeout: .seconds(30))
            if let failures, failures.values.allSatisfy({ $0.code == .topicAlreadyExists }) { break }
            guard Date() < deadline else { throw HarnessError("topics cannot be created: \(failures ?? [:])") }
            usleep(100_000)
        }
    }

    deinit { stop() }

    func stop() {
        for process in running.values { process.kill() }
        running.removeAll()
        if keepsFolder { return }
        try? FileManager.default.removeItem(at: folder)
    }

    func keepFolder() -> String {
        keepsFolder = true
        return folder.path
    }

    func topic(_ topic: PipelineTopic) -> String { "\(prefix).\(topic.rawValue)" }
    func application(_ service: String) -> String { "\(prefix)-\(service)" }
    func stateFolder(_ service: String, instance: String) -> URL {
        folder.appendingPathComponent("state-\(service)-\(instance)")
    }

    // MARK: Processes

    /// Starts an instance of a service, or starts it again.
    ///
    /// - Parameters:
    ///   - isStatic: with an INSTANCE_ID: its restart does not rebalance. Otherwise a dynamic member.
    ///   - label: what the harness knows it by, where that is not the instance.
    func start(
        _ service: String, instance: String = "1", isStatic: Bool = true, settings extra: [String] = [],
        as label: String? = nil
    ) throws {
        let label = label ?? instance
        var environment = [
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "TOPIC_PREFIX": prefix, "APPLICATION_PREFIX": prefix,
            "STATE_DIR": stateFolder(service, instance: label).path, "OPS_ADDRESS": "127.0.0.1:0",
            "LOG_FORMAT": "text", "LOG_LEVEL": "info", "CDC_TOPIC": changeTopic,
        ]
        for name in ["LD_LIBRARY_PATH", "PATH", "HOME"] {
            environment[name] = ProcessInfo.processInfo.environment[name]
        }
        if isStatic { environment["INSTANCE_ID"] = instance }
        let file = packageFolder.appendingPathComponent("deploy/pipelines/orders/\(service).yaml")
        let name = "\(service)-\(label)"
        if let end = running[name]?.unaskedEnd { throw HarnessError(end) }
        running[name] = try ChildProcess(
            name, executable: try builtProduct(service),
            arguments: ["--config", file.path] + (settings + extra).flatMap { ["--set", $0] },
            environment: environment, log: folder.appendingPathComponent("\(name).log"))
    }

    /// Takes out an instance that ended by itself, as a test expected, and tells how it did.
    func forgetEnded(_ service: String) throws -> String {
        for (name, process) in running where name.hasPrefix(service) {
            guard let end = process.unaskedEnd else { continue }
            running[name] = nil
            return end
        }
        throw HarnessError("no instance of \(service) has ended")
    }

    func process(_ service: String, instance: String = "1") throws -> ChildProcess {
        guard let process = running["\(service)-\(instance)"] else {
            throw HarnessError("\(service) instance \(instance) was not started")
        }
        return process
    }

    func kill(_ service: String, instance: String = "1") throws { try process(service, instance: instance).kill() }

    /// SIGTERM: it drains, commits, leaves the group, and ends with 0.
    func terminate(_ service: String, instance: String = "1") throws {
        let process = try process(service, instance: instance)
        if let end = process.unaskedEnd { throw HarnessError(end) }
        let code = process.terminate()
        running["\(service)-\(instance)"] = nil
        if code != 0 && !process.wasTerminatedTooEarly {
            throw HarnessError(
                "\(process.name) ended with \(code.map(String.init) ?? "a signal"):\n\(process.lastWords)")
        }
    }

    /// Nothing may have ended by itself: services outlive whatever happens to others.
    func checkRunning() throws {
        for process in running.values {
            if let end = process.unaskedEnd { throw HarnessError(end) }
        }
    }

    // MARK: Records

    /// Writes the next records of a generator to the topic of raw orders.
    func load(_ count: Int, of generator: inout OrderGenerator) throws {
        try write(generator.records(count, firstTimestamp: nextTimestamp), to: topic(.raw))
    }

    /// Writes orders that close all windows before them.
    func close(_ generator: inout OrderGenerator) throws {
        try write(generator.closing(firstTimestamp: nextTimestamp), to: topic(.raw))
    }

    /// Writes values that no generator makes.
    func load(values: [(key: [UInt8]?, value: [UInt8]?)]) throws {
        for (index, record) in values.enumerated() {
            let raw = RawRecord(
                partition: Int32(index) % partitions, key: record.key, value: record.value,
                timestampMilliseconds: nextTimestamp)
            try write([raw], to: topic(.raw))
        }
    }

    func load(_ records: [RawRecord], to topic: PipelineTopic) throws { try write(records, to: self.topic(topic)) }

    private func write(_ records: [RawRecord], to topic: String) throws {
        nextTimestamp += Int64(records.count)
        try writer.write(records, to: topic)
    }

    /// Writes a file of the sample: key, tab, value; empty is none.
    func loadSample(_ file: String, to topic: String) throws {
        let url = packageFolder.appendingPathComponent("deploy/sample/\(file)")
        let records = try [UInt8](Data(contentsOf: url)).split(separator: UInt8(ascii: "\n")).enumerated().map {
            index, line in
            let parts = line.split(separator: UInt8(ascii: "\t"), maxSplits: 1, omittingEmptySubsequences: false)
            func field(_ index: Int) -> [UInt8]? {
                index < parts.count && !parts[index].isEmpty ? [UInt8](parts[index]) : nil
            }
            let key = field(0)
            return RawRecord(
                partition: key.map { bytes in bytes.withUnsafeBytes { Murmur2.partition(of: $0, among: partitions) } }
                    ?? 0,
                key: key, value: field(1), timestampMilliseconds: nextTimestamp + Int64(index))
        }
        try write(records, to: topic)
    }

    // MARK: The end

    /// Waits until every stage has read, and committed, all that the stage before it wrote; answers what the topics hold then.
    ///
    /// - Parameter forwards: the cdc-forwarder runs too.
    func drain(forwards: Bool = false, within seconds: Double = 120) throws -> PipelineContents {
        let internalTopics = try patiently { try admin.topics(timeout: .seconds(20)) }.filter {
            $0.key.hasPrefix(prefix) && $0.key.hasSuffix("-repartition")
        }.mapValues { Int32($0.partitions.count) }
        let names = PipelineTopic.allCases.map(topic) + [changeTopic]
        let topics = Dictionary(uniqueKeysWithValues: names.map { ($0, partitions) })
        let reader = try TopicReader(
            broker.bootstrapServers, topics: topics.merging(internalTopics) { first, _ in first })
        var stages: [(service: String, inputs: [String])] = forwards ? [(Self.forwarder, [changeTopic])] : []
        stages += [
            ("validator", [topic(.raw)]), ("enricher", [topic(.validated)]), ("deduplicator", [topic(.enriched)]),
        ]
        for service in ["aggregator", "anomaly-detector"] {
            let own = internalTopics.keys.filter { $0.hasPrefix(application(service)) }
            stages += [(service, [topic(.processed)]), (service, Array(own))]
        }
        let deadline = Date() + seconds
        var waiting = ""
        for stage in stages {
            while true {
                try checkRunning()
                try reader.readToEnd()
                waiting = try lag(stage.service, stage.inputs, reader)
                if waiting.isEmpty { break }
                if Date() > deadline { throw HarnessError("\(waiting)\n\(logs(of: stage.service))") }
                usleep(100_000)
            }
        }
        try waitUntilNothingIsOpen(Array(topics.merging(internalTopics) { first, _ in first }), deadline)
        try reader.readToEnd()
        var contents = PipelineContents(prefix: prefix)
        for topic in PipelineTopic.allCases { contents[topic] = reader.records[self.topic(topic)] ?? [] }
        contents.changes = reader.records[changeTopic] ?? []
        contents.changeTopic = changeTopic
        return contents
    }

    /// Waits until a service has committed all that a topic holds, which ends with a transaction's marker.
    func waitUntilCommitted(_ service: String, _ topic: PipelineTopic, within seconds: Double) throws {
        let inputs = (0..<partitions).map { TopicPartition(self.topic(topic), $0) }
        let deadline = Date() + seconds
        while true {
            let ends = try patiently { try admin.offsets(.latest, of: inputs, timeout: .seconds(20)) }
            let committed = try? admin.committedOffsets(
                of: application(service), inputs, requireStable: true, timeout: .seconds(20))
            if let committed, ends.allSatisfy({ $0.value == 0 || (committed[$0.key]?.offset ?? 0) >= $0.value - 1 }) {
                return
            }
            try checkRunning()
            guard Date() < deadline else { throw HarnessError("not committed: \(ends)\n\(logs(of: service))") }
            usleep(2_000)
        }
    }

    /// What a service has not committed yet; empty where it has all.
    private func lag(_ service: String, _ inputs: [String], _ reader: TopicReader) throws -> String {
        let wanted = reader.lastOffsets.filter { inputs.contains($0.key.topic) }
        let group = application(service)
        guard !wanted.isEmpty else { return "" }
        guard
            let committed = try? admin.committedOffsets(
                of: group, Array(wanted.keys), requireStable: true, timeout: .seconds(20))
        else { return "\(group) has offsets pending" }
        let behind = wanted.filter { (committed[$0.key]?.offset ?? 0) <= $0.value }
        return behind.isEmpty
            ? "" : "\(group) has not committed \(behind.map { "\($0.key) offset \($0.value)" }.sorted().prefix(4))"
    }

    /// Every transaction has ended: readers of committed records come as far as those of all.
    private func waitUntilNothingIsOpen(_ topics: [(key: String, value: Int32)], _ deadline: Date) throws {
        let all = topics.flatMap { topic, count in (0..<count).map { TopicPartition(topic, $0) } }
        while true {
            let stable = try patiently { try admin.offsets(.latestCommitted, of: all, timeout: .seconds(20)) }
            let ends = try patiently { try admin.offsets(.latest, of: all, timeout: .seconds(20)) }
            let open = all.filter { stable[$0] != ends[$0] }
            if open.isEmpty { return }
            guard Date() < deadline else { throw HarnessError("transactions stay open: \(open)") }
            usleep(100_000)
        }
    }

    func logs(of service: String) -> String {
        running.filter { $0.key.hasPrefix(service) }.map { "--- \($0.key)\n\($0.value.lastWords)" }.joined(
            separator: "\n")
    }
}
