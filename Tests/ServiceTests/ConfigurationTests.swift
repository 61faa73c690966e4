import Foundation
import StreamKitService
import XCTest
import YAML
import aggregator
import anomaly_detector
import cdc_forwarder
import deduplicator
import enricher
import validator

/// A broken file never starts a service: everything that is wrong is told at once, each with its line and key.
final class ConfigurationTests: XCTestCase {
    private var folder = URL(fileURLWithPath: "/")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDown() { try? FileManager.default.removeItem(at: folder) }

    /// `line: key` of each problem, in order; those of another file come with its line.
    private func problems<Service: StreamService>(_ type: Service.Type, _ text: String) throws -> [String] {
        let file = folder.appending(path: "service.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        do {
            _ = try ConfiguredService(type, file: file.path)
            return []
        } catch {
            for problem in error.problems { XCTAssertFalse(problem.message.isEmpty) }
            return error.problems.map { "\($0.mark.line): \($0.keyPath)" }
        }
    }

    private let head = """
        application: shop
        input: in
        output: out
        dead_letters: {topic: dead}

        """

    func testWhatAllServicesShare() throws {
        XCTAssertEqual(
            try problems(
                Enricher.self,
                """
                application: "no spaces"
                input: []
                output: {topic: out, partitions: 0}
                dead_letters: {topic: dead, record_bytes_max: 3}
                threads: many
                comit: {interval: 1s}
                commit: {interval: 5}
                store: disk
                correlation: yes
                on_lost_offsets: latest
                kafka: {group.id: mine, no.such.property: 1}
                session_timeout: -1s
                """),
            [
                "1: application", "2: input", "3: output.partitions", "4: dead_letters.record_bytes_max", "5: threads",
                "6: comit", "7: commit.interval", "8: store", "9: correlation", "10: on_lost_offsets",
                "11: kafka.group.id", "11: kafka.no.such.property", "12: session_timeout",
            ])
    }

    func testWhatIsMissing() throws {
        XCTAssertEqual(
            try problems(Enricher.self, "threads: 1\n"),
            ["1: application", "1: input", "1: output", "1: dead_letters.topic"].sorted {
                $0 < $1
            }, "in any order")
    }

    func testValidator() throws {
        try "{\"type\": 7}".write(to: folder.appending(path: "bad.json"), atomically: true, encoding: .utf8)
        XCTAssertEqual(
            try problems(
                Validator.self,
                head + """
                    record: {amount: decimal128, id: string}
                    schema: {file: bad.json}
                    key: idd
                    rules:
                      - field: amount
                        require: decimal(amount) >=
                        message: must be more
                      - require: id
                        message: none
                      - field: id
                        require: id == "x"
                        massage: typo
                    """),
            [
                "1: schema", "5: record.amount", "7: key", "10: rules[0].require", "12: rules[1].field",
                "12: rules[1].require", "14: rules[2].message", "16: rules[2].massage",
            ])
        XCTAssertEqual(try problems(Validator.self, head), ["1: schema"])
    }

    func testEnricher() throws {
        XCTAssertEqual(
            try problems(
                Enricher.self,
                head + """
                    record: {region: string}
                    reference:
                      rates: {file: nowhere.yaml, type: "map(string, decimal)"}
                      other: {topic: t, type: string}
                      both: {topic: t, file: f}
                    fields:
                      tax: rates[region] * true
                      shout: region.upper()
                      next: tax + unknown
                    """),
            ["7: reference.rates.file", "8: reference.other.type", "9: reference.both.file"]
                + ["11: fields.tax", "12: fields.shout", "13: fields.next"])
    }

    func testDeduplicator() throws {
        XCTAssertEqual(
            try problems(Deduplicator.self, head + "record: {id: string}\nkey: [id]\nevent_time: when\nwithin: 0s\n"),
            ["6: key", "7: event_time", "8: within"])
    }

    func testAggregator() throws {
        XCTAssertEqual(
            try problems(
                Aggregator.self,
                head + """
                    record: {region: string, time: string}
                    group_by: {region: region, other: region}
                    event_time: time.parse()
                    window: {tumbling: 5, lateness: 10m}
                    emit: always
                    aggregates:
                      a: {count: true, sum: "1"}
                      b: {median: "1"}
                      c: {sum: region}
                    advance_when_all_idle: maybe
                    """),
            [
                "6: group_by", "7: event_time", "8: window.tumbling", "9: emit", "11: aggregates.a", "12: aggregates.b",
                "12: aggregates.b.median", "13: aggregates.c.sum", "14: advance_when_all_idle",
            ])
    }

    func testAnomalyDetector() throws {
        XCTAssertEqual(
            try problems(
                AnomalyDetector.self,
                head + """
                    record: {id: string, time: string}
                    key: id
                    id: id
                    event_time: timestamp(time)
                    rules:
                      A: {burst: {count: 1, within: 1h}, severity: high}
                      B: {outlier: {deviations: 3}, severity: urgent}
                      C: {severity: low}
                    """),
            ["10: rules.A.burst.count", "11: rules.B.outlier", "11: rules.B.severity", "12: rules.C"])
    }

    func testForwarder() throws {
        XCTAssertEqual(
            try problems(
                CDCForwarder.self,
                head + """
                    source: {format: maxwell, columns: {amount: decimals(2)}}
                    where: op in ["c"
                    fields:
                      id: after.id
                      other: afterwards.id
                    """),
            ["5: source.format", "5: source.columns.amount", "6: where", "9: fields.other"])
    }

    func testWhatIsNoYAML() throws {
        XCTAssertEqual(try problems(Enricher.self, "application: shop\n\tinput: in\n").first?.prefix(1), "2")
        XCTAssertEqual(try problems(Enricher.self, "application: a\napplication: b\n").first?.prefix(1), "2")
        XCTAssertEqual(try problems(Enricher.self, "application: ${NOT_SET}\n").first?.prefix(1), "1")
        XCTAssertEqual(try problems(Enricher.self, "- a\n").first?.prefix(1), "1")
        XCTAssertFalse(try problems(Enricher.self, "").isEmpty)
    }
}
