import Foundation
import XCTest

/// An independent implementation, a Python package, to compare with. `tools/python-peers` installs them; `PYTHON` names another
/// interpreter that has them.
public struct PythonPeer {
    private let package: String

    /// Throws `XCTSkip`, and says so loudly, where the package is not there.
    public init(_ package: String, imported module: String) throws {
        self.package = package
        if try Self.run(["-c", "import \(module)"], input: "") == nil {
            let notice =
                "LEFT OUT: the comparison with Python's \(package) (\(Self.interpreter) cannot import \(module); see tools/python-peers)\n"
            FileHandle.standardError.write(Data(notice.utf8))
            throw XCTSkip(notice)
        }
    }

    /// What the program answers to the lines, a line each.
    public func answers(_ program: String, to lines: [String]) throws -> [Substring] {
        let output = try Self.run(["-c", program], input: lines.map { $0 + "\n" }.joined())
        return try XCTUnwrap(output, "\(package): the program failed").split(separator: "\n")
    }

    /// The one that `PYTHON` names, else that of `tools/python-peers`, else the system's.
    public static var interpreter: String {
        if let named = ProcessInfo.processInfo.environment["PYTHON"] { return named }
        // Tests run in the package's folder.
        let own = FileManager.default.currentDirectoryPath + "/.build/python/bin/python3"
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }

    /// What python prints; nil where it fails or is not there.
    private static func run(_ arguments: [String], input: String) throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [interpreter] + arguments
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("questions-\(UUID().uuidString)")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
    }
}
