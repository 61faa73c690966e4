import Foundation
import Metrics
import StreamKitService
import XCTest

final class MetricsDocumentationTests: XCTestCase {
    func testEveryMetricIsDocumentedAsItIs() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../docs/METRICS.md")
        let documentation = try String(contentsOf: file, encoding: .utf8)
        let rows = documentation.split(separator: "\n").filter { $0.hasPrefix("| `streamkit_") }.map(String.init)
        let expected = RuntimeMetrics.catalog.map { metric in
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |"
        }
        XCTAssertEqual(rows, expected)
    }
}
