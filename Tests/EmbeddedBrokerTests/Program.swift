import Foundation
import XCTest

/// `embedded-broker` as a user starts it; it ends with this object.
final class Program {
    /// Built beside the tests.
    private static var executable: URL { Bundle.main.bundleURL.appendingPathComponent("embedded-broker") }

    let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    init(_ arguments: [String]) throws {
        process.executableURL = Self.executable
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    deinit { signal(SIGKILL) }

    /// Nothing once it has ended: its id may then be another's.
    func signal(_ signal: Int32) { if process.isRunning { kill(process.processIdentifier, signal) } }

    /// The port in the line that tells that it listens.
    func port() throws -> UInt16 {
        var line = ""
        while !line.hasSuffix("\n") {
            let byte = output.fileHandleForReading.readData(ofLength: 1)
            if byte.isEmpty { break }
            line += String(decoding: byte, as: UTF8.self)
        }
        let prefix = "listening on 127.0.0.1:"
        XCTAssertTrue(line.hasPrefix(prefix), line)
        return try XCTUnwrap(UInt16(line.dropFirst(prefix.count).dropLast()))
    }

    func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = try XCTUnwrap(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try XCTUnwrap(Int(line.split(whereSeparator: { !$0.isNumber })[0])) * 1_024
    }

    func end(_ signal: Int32) -> Int32 {
        self.signal(signal)
        process.waitUntilExit()
        return process.terminationStatus
    }

    func finish() -> (status: Int32, output: String, errors: String) {
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, complaints)
    }
}
