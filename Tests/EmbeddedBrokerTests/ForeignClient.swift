import Foundation
import XCTest

/// Programs that no one here wrote.
enum ForeignClient {
    struct Ended {
        var status: Int32
        var output: String
        var errors: String
        var lines: [Substring] { output.split(separator: "\n") }
    }

    /// Runs a program to its end, with two minutes for it.
    static func run(_ arguments: [String], input: String = "") throws -> Ended {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "-k", "5", "120"] + arguments
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent("errors-\(UUID().uuidString)")
        try Data().write(to: errors)
        defer { try? FileManager.default.removeItem(at: errors) }
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        stdin.fileHandleForWriting.closeFile()
        let output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Ended(
            status: process.terminationStatus, output: output,
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }

    static func exists(_ program: String) throws -> Bool {
        try run(["sh", "-c", "command -v \(program)"]).status == 0
    }

    /// A file beside the tests, in `Tests/ForeignClients`.
    static func source(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("ForeignClients").appendingPathComponent(name).path
    }
}

extension XCTestCase {
    func leaveOut(because what: String) throws -> Never {
        FileHandle.standardError.write(Data("LEFT OUT: \(name): \(what)\n".utf8))
        throw XCTSkip(what)
    }

    /// Apache Kafka's jars, as Java names them: `KAFKA_HOME/libs`, and `PEERS/libs` for those that not every installation has.
    func kafkaClassPath() throws -> [String] {
        let environment = ProcessInfo.processInfo.environment
        guard let home = environment["KAFKA_HOME"], !home.isEmpty else {
            try leaveOut(because: "KAFKA_HOME names no folder with Apache Kafka's libs/")
        }
        return [home, environment["PEERS"]].compactMap { $0 }.filter { !$0.isEmpty }.map { "\($0)/libs" }
    }
}
