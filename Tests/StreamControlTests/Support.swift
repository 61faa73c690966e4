import EmbeddedBroker
import Foundation
import Kafka
import XCTest

/// The program under test, as a process: beside the tests' own executable.
final class Streamctl {
    struct Result {
        let code: Int32
        let output: String
        let error: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    let process = Process()
    private let output = Pipe()
    private let error = Pipe()
    private var unread: [UInt8] = []

    static var folder: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    /// - Parameter input: what it reads from standard input; nothing if nil.
    init(_ arguments: [String], servers: String? = nil, environment: [String: String] = [:], input: Data? = nil) throws
    {
        process.executableURL = Self.folder.appendingPathComponent("streamctl")
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KAFKA_") }
        variables["KAFKA_BOOTSTRAP_SERVERS"] = servers
        process.environment = variables.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = error
        let source = input == nil ? nil : Pipe()
        process.standardInput = source ?? FileHandle.nullDevice
        try process.run()
        // A test that waits for what never comes ends too.
        let processID = process.processIdentifier
        nonisolated(unsafe) let watchdog = DispatchWorkItem { kill(processID, SIGKILL) }
        process.terminationHandler = { _ in watchdog.cancel() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watchdog)
        if let source, let input {
            try? source.fileHandleForWriting.write(contentsOf: input)
            try source.fileHandleForWriting.close()
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// Runs it to its end.
    static func run(
        _ arguments: String..., servers: String? = nil, environment: [String: String] = [:], input: String? = nil
    ) throws -> Result {
        try run(arguments, servers: servers, environment: environment, input: input.map { Data($0.utf8) })
    }

    static func run(
        _ arguments: [String], servers: String? = nil, environment: [String: String] = [:], input: Data? = nil
    ) throws -> Result {
        try Streamctl(arguments, servers: servers, environment: environment, input: input).end()
    }

    /// What it says until its end. Answers in tests are shorter than a pipe holds.
    func end() throws -> Result {
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        let complaint = try error.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Result(
            code: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: unread + said, as: UTF8.self), error: String(decoding: complaint, as: UTF8.self))
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// The next line that contains the text; nil if it ends before.
    func line(with text: String) -> String? {
        while let line = nextLine() {
            if line.contains(text) { return line }
        }
        return nil
    }

    private func nextLine() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return line
            }
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { return nil }
            unread += data
        }
    }
}

/// A folder for one test, gone afterwards.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("streamctl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }

    func writeScript(_ name: String, _ body: String) throws {
        let file = try write(name, "#!/bin/bash\n" + body)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}

func broker(_ topics: [String: Int]) throws -> EmbeddedBroker {
    var configuration = BrokerConfiguration()
    configuration.topics = topics.map { BrokerConfiguration.Topic(name: $0.key, partitions: $0.value) }
    return try EmbeddedBroker(configuration)
}

/// Polls a condition, at most 30 s.
func eventually(_ what: String, _ condition: () throws -> Bool) rethrows {
    let deadline = Date() + 30
    while try !condition() {
        guard Date() < deadline else { return XCTFail("did not come true: \(what)") }
        usleep(10_000)
    }
}

func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 || errno == EPERM }

/// A value of a JSON object in a line of output.
func json(_ line: String) throws -> NSDictionary {
    try XCTUnwrap(JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary, line)
}

extension TransactionalProducer {
    static func make(_ servers: String) throws -> TransactionalProducer {
        let producer = try TransactionalProducer(
            KafkaConfiguration(
                KafkaDefaults.producer() + [("bootstrap.servers", servers), ("transactional.id", UUID().uuidString)]))
        XCTAssertEqual(producer.initializeTransactions(timeout: .seconds(30)), .completed)
        return producer
    }

    func send(
        _ topic: String, _ key: String?, _ value: [UInt8]?, partition: Int32 = 0, timestamp: Int64? = nil,
        headers: [(name: String, value: [UInt8]?)] = []
    ) throws {
        let topic = try self.topic(topic)
        try withBytes(key.map { Array($0.utf8) }) { key in
            try withBytes(value) { value in
                let outgoing = OutgoingHeaders()
                for (name, value) in headers { withBytes(value) { outgoing.add(name, $0) } }
                try produce(
                    to: topic, partition: partition, key: key, value: value, timestampMilliseconds: timestamp,
                    headers: outgoing)
            }
        }
    }
}

private func withBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Result) rethrows -> Result
{
    guard let bytes else { return try body(nil) }
    return try bytes.withUnsafeBytes { try body($0) }
}
