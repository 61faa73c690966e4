import Foundation
import XCTest

/// The running test once more, in a process of its own, for what a process can do only once: be signalled, be killed.
///
/// A test asks `ChildProcess.isRunning` first and plays the child's part if so.
final class ChildProcess {
    private static let mark = "STREAMKIT_TEST_CHILD"
    private let process = Process()
    private let output = Pipe()
    private var unread: [UInt8] = []

    static var isRunning: Bool { ProcessInfo.processInfo.environment[mark] != nil }

    /// What the parent handed over.
    static var argument: String { ProcessInfo.processInfo.environment[mark] ?? "" }

    /// Tells the parent something, in one line.
    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("child: \(line)\n".utf8))
    }

    /// - Parameter test: the calling test, as `Class/method`.
    init(test: String, argument: String = "-") throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["StreamKitServiceTests.\(test)"]
        process.environment = ProcessInfo.processInfo.environment.merging([Self.mark: argument]) { $1 }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    var processIdentifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// The next line that the child says; `nil` once it has ended.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                if line.hasPrefix("child: ") { return String(line.dropFirst(7)) }
                continue
            }
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { return nil }
            unread += data
        }
    }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// The exit code, or the number of the signal that ended it, negative.
    func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// A folder for one test, gone afterwards.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("streamkit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
