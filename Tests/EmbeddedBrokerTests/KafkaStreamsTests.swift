import EmbeddedBroker
import Foundation
import TestSupport
import XCTest

/// A Kafka Streams application in exactly-once mode (`Tests/ForeignClients/ExactlyOnceCounts.java`), killed once, on a broker
/// that is killed once too: it counts every record once.
///
/// Needs a JDK, and the jar of Kafka Streams in `KAFKA_HOME/libs` or `PEERS/libs`.
final class KafkaStreamsTests: XCTestCase {
    private static let records = 3_000
    private static let values = 7

    func testExactlyOnceApplicationKilledOnAKilledBroker() throws {
        let libraries = try kafkaClassPath()
        let jars = libraries.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
        guard jars.contains(where: { $0.hasPrefix("kafka-streams-") }) else {
            try leaveOut(because: "no kafka-streams-*.jar in \(libraries.joined(separator: ", "))")
        }
        guard try ForeignClient.exists("javac") else { try leaveOut(because: "there is no javac: install a JDK") }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("streams-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let classPath = libraries.map { "\($0)/*" }.joined(separator: ":")
        let compiled = try ForeignClient.run(
            ["javac", "-cp", classPath, "-d", folder.path, ForeignClient.source("ExactlyOnceCounts.java")])
        XCTAssertEqual(compiled.status, 0, compiled.errors)

        let port = try XCTUnwrap(try freePorts(1).first)
        func startBroker() throws -> Program {
            let broker = try Program([
                "--port", "\(port)", "--data", folder.appendingPathComponent("data").path, "--topic", "in:1",
                "--topic", "out:1",
            ])
            XCTAssertEqual(try broker.port(), port)
            return broker
        }
        func startApplication() throws -> Process {
            let application = Process()
            application.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            application.arguments = [
                "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", "\(folder.path):\(classPath)",
                "ExactlyOnceCounts", "127.0.0.1:\(port)", folder.appendingPathComponent("state").path,
            ]
            application.standardOutput = FileHandle.nullDevice
            application.standardError = FileHandle.nullDevice
            try application.run()
            return application
        }
        func end(_ application: Process) {
            if application.isRunning { kill(application.processIdentifier, SIGKILL) }
            application.waitUntilExit()
        }

        var broker = try startBroker()
        var application = try startApplication()
        defer { end(application) }
        try produce(0..<Self.records / 3, port)
        try awaitCommitted(1, port, application)
        _ = broker.end(SIGKILL)
        broker = try startBroker()
        try produce(Self.records / 3..<Self.records * 2 / 3, port)
        try awaitCommitted(Self.records / 3 + 1, port, application)
        end(application)
        application = try startApplication()
        try produce(Self.records * 2 / 3..<Self.records, port)
        try awaitCommitted(Self.records, port, application)

        let expected = (1...Self.records / Self.values + 1).flatMap { count in
            (0..<Self.values).map { "v\($0) \(count)" }
        }
        var counts: [Substring: Int] = [:]
        let written = try committed(port)
        for line in written {
            let (value, count) = (line.prefix { $0 != " " }, Int(line.drop { $0 != " " }.dropFirst()))
            counts[value, default: 0] += 1
            XCTAssertEqual(count, counts[value], "\(value) is counted one by one")
        }
        XCTAssertEqual(written.count, Self.records)
        XCTAssertEqual(Set(written), Set(expected.prefix(Self.records)))
        _ = broker.end(SIGTERM)
    }

    private func produce(_ numbers: Range<Int>, _ port: UInt16) throws {
        let driver = try RemoteDriver(port: port)
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 20) {
            let records = (start..<min(start + 20, numbers.upperBound)).map { Batches.Record("v\($0 % Self.values)") }
            let batch = Batches.batch(records, baseTimestamp: Int64(Date().timeIntervalSince1970 * 1_000))
            XCTAssertEqual(try driver.produce(batch, to: "in").error, 0)
        }
    }

    /// What readers of committed records see in `out`.
    private func committed(_ port: UInt16) throws -> [String] {
        let driver = try RemoteDriver(port: port)
        var batches: [Batches.DecodedBatch] = []
        while true {
            let fetched = try driver.fetch("out", from: batches.last.map { $0.lastOffset + 1 } ?? 0)
            let more = Batches.decode(fetched.records)
            if more.isEmpty { return Batches.committed(batches).flatMap(\.records).compactMap(\.value) }
            batches += more
        }
    }

    private func awaitCommitted(_ count: Int, _ port: UInt16, _ application: Process) throws {
        let deadline = Date() + 90
        while try committed(port).count < count {
            guard Date() < deadline, application.isRunning else {
                return XCTFail("\(try committed(port).count) of \(count) counts; is running: \(application.isRunning)")
            }
            usleep(100_000)
        }
    }
}
