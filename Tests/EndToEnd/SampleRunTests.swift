import Foundation
import XCTest

/// What `make run` does once everything is built.
final class SampleRunTests: XCTestCase {
    func testTheSampleComesOutWhereNobodyWatches() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sample-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var environment = [
            "BIN_DIR": try builtProduct("streamctl").deletingLastPathComponent().path, "TMPDIR": folder.path,
        ]
        for name in ["LD_LIBRARY_PATH", "PATH", "HOME"] {
            environment[name] = ProcessInfo.processInfo.environment[name]
        }
        let log = folder.appending(path: "output")
        let run = try ChildProcess(
            "run-sample", executable: packageFolder.appending(path: "tools/run-sample"), arguments: [],
            environment: environment, log: log)
        let deadline = Date() + 120
        while run.isRunning {
            XCTAssertLessThan(Date(), deadline, run.lastWords)
            usleep(50_000)
        }
        let output = try String(contentsOf: log, encoding: .utf8)
        XCTAssertTrue(run.unaskedEnd?.contains("exit code 0") ?? false, output)
        for part in [
            "ecommerce.orders.raw", "ecommerce.orders.processed", "DUPLICATE", "LATE", "MALFORMED_JSON",
            "RAPID_ORDERS", "STATISTICAL_OUTLIER", "orders-aggregator", "total",
        ] {
            XCTAssertTrue(output.contains(part), "no \(part) in\n\(output)")
        }
        // Nothing is left behind.
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["output"])
    }
}
