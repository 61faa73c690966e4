import Foundation
import StreamKitService
import XCTest
import aggregator
import anomaly_detector
import cdc_forwarder
import deduplicator
import enricher
import validator

/// The settings are an interface: what a service can be told is written down.
final class DocumentationTests: XCTestCase {
    private let root = OrderServices.folder.deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ name: String) throws -> String {
        try String(contentsOf: root.appending(path: name), encoding: .utf8)
    }

    /// The first words of the rows of a document's part: `key` of "| `key` | ...".
    private func documented(_ text: Substring) -> Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { line in
                line.split(separator: "|")[0].split(separator: "`").filter { $0.contains(where: \.isLetter) }
                    .map { String($0.prefix { $0 != "." }) }
            })
    }

    private func check<Service: StreamService>(_ type: Service.Type) throws {
        let services = try text("docs/SERVICES.md")
        let part = try XCTUnwrap(
            services.components(separatedBy: "\n## ").first { $0.hasPrefix(Service.name + "\n") }, Service.name)
        let readme = try text("README.md")
        let common = try XCTUnwrap(readme.components(separatedBy: "## Settings that all services have").last)
        let shared = documented(common[..<(common.range(of: "\n## ")?.lowerBound ?? common.endIndex)])
            .union(documented(Substring(services.components(separatedBy: "\n## ")[1])))
        let own = documented(Substring(part))
        let keys = Set(
            try OrderServices.configured(type).keys.map { String($0.prefix { $0 != "." && $0 != "[" }) })
        let variables = try XCTUnwrap(keys.filter { $0 == $0.uppercased() })
        XCTAssertTrue(
            keys.subtracting(variables).subtracting(own).subtracting(shared).isEmpty,
            "\(Service.name): not documented: \(keys.subtracting(variables).subtracting(own).subtracting(shared))")
        XCTAssertTrue(own.isSubset(of: keys), "\(Service.name): documented and unknown: \(own.subtracting(keys))")
    }

    func testEverySettingIsDocumented() throws {
        try check(Validator.self)
        try check(Enricher.self)
        try check(Deduplicator.self)
        try check(Aggregator.self)
        try check(AnomalyDetector.self)
        try check(CDCForwarder.self)
    }
}
