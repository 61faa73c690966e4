import Foundation
import XCTest

/// The oracle and the generator, held against one another without services or a broker: a perfect pipeline, played by the test, has
/// no findings, and each single fault has.
final class OracleTests: XCTestCase {
    private func played(_ count: Int = 1_500, seed: UInt64 = 7, partitions: Int32 = 1) -> PipelineContents {
        var generator = OrderGenerator(seed: seed)
        generator.partitions = partitions
        var records = generator.records(count, firstTimestamp: 1_700_000_000_000)
        records += generator.closing(firstTimestamp: 1_700_000_000_000 + Int64(count))
        return PerfectPipeline(partitions: partitions).run(records)
    }

    private func findings(_ contents: PipelineContents, sequential: Bool = true) -> (Findings, PipelineOracle.Tally) {
        var oracle = PipelineOracle(contents, options: .init(isSequential: sequential))
        oracle.check()
        return (oracle.findings, oracle.tally)
    }

    func testSameSeedGivesTheSameRecords() {
        var (first, second, other) = (OrderGenerator(seed: 3), OrderGenerator(seed: 3), OrderGenerator(seed: 4))
        let records = first.records(500, firstTimestamp: 1).map(\.value)
        XCTAssertEqual(records, second.records(500, firstTimestamp: 1).map(\.value))
        XCTAssertNotEqual(records, other.records(500, firstTimestamp: 1).map(\.value))
    }

    func testPerfectPipelineHasNoFindings() {
        for seed in 1...4 as ClosedRange<UInt64> {
            let (findings, tally) = findings(played(seed: seed))
            XCTAssertEqual(findings.count, 0, "seed \(seed): \(findings.text)")
            XCTAssertGreaterThan(tally.processed, 1_200)
            XCTAssertGreaterThan(tally.windows, 100)
        }
    }

    func testGeneratorMakesEveryKindOfLetterAndAlert() {
        let (findings, tally) = findings(played(5_000))
        XCTAssertEqual(findings.count, 0, findings.text)
        XCTAssertEqual(
            Set(tally.lettersByType.keys),
            ["MALFORMED_JSON", "SCHEMA_VIOLATION", "BUSINESS_RULE_VIOLATION", "DUPLICATE", "LATE"])
        XCTAssertEqual(
            Set(tally.alertsByType.keys),
            ["ORDER_SPIKE", "RAPID_ORDERS", "HIGH_ORDER_VOLUME", "LARGE_ORDER", "STATISTICAL_OUTLIER"])
    }

    /// Each line is a fault that a pipeline could have; none may go unnoticed.
    func testEachFaultIsFound() {
        let perfect = played()
        let faults: [(String, (inout PipelineContents) -> Void)] = [
            ("a lost order", { $0[.processed].remove(at: 40) }),
            ("a lost raw record's letter", { $0[.dlq].remove(at: 0) }),
            ("an order twice", { $0[.processed].append($0[.processed][40]) }),
            ("a letter twice", { $0[.dlq].append($0[.dlq][3]) }),
            ("an order from nowhere", { $0[.processed][9].timestampMilliseconds = 5 }),
            (
                "another order",
                { contents in
                    var records = contents[.enriched]
                    let offset = records[5].offset
                    records[5].offset = records[6].offset
                    records[6].offset = offset
                    contents[.enriched] = records
                }
            ),
            ("another amount", { Self.replace("amount", "1.00", in: &$0[.validated][8]) }),
            ("another region", { Self.replace("region", "zz", in: &$0[.enriched][8]) }),
            (
                "a lost header",
                { contents in
                    let index = contents[.processed].firstIndex { !$0.headers.isEmpty } ?? 0
                    contents[.processed][index].headers = []
                }
            ),
            ("another key", { $0[.validated][2].key = [1] }),
            ("a lost window", { $0[.aggregations].remove(at: 12) }),
            ("a window twice", { $0[.aggregations].append($0[.aggregations][12]) }),
            ("a cent", { Self.replace("total_amount", "0.01", in: &$0[.aggregations][20]) }),
            ("an average", { Self.replace("avg_order_value", "0.01", in: &$0[.aggregations][20]) }),
            ("a lost alert", { $0[.anomalies].remove(at: 0) }),
            ("an alert twice", { $0[.anomalies].append($0[.anomalies][0]) }),
            ("a severity", { Self.replace("severity", "dire", in: &$0[.anomalies][1]) }),
            ("an error type", { Self.replace("error_type", "OTHER", in: &$0[.dlq][1]) }),
            (
                "an error's origin",
                { contents in
                    contents[.dlq][1].headers.append(("__streams.errors.offset", "999999"))
                }
            ),
        ]
        for (name, spoil) in faults {
            var contents = perfect
            spoil(&contents)
            XCTAssertGreaterThan(findings(contents).0.count, 0, "\(name) was not noticed")
        }
    }

    private static func replace(_ field: String, _ text: String, in record: inout TopicRecord) {
        let pattern = "\"\(field)\":(\"[^\"]*\"|[0-9.]+)"
        let changed = record.valueText.replacingOccurrences(
            of: pattern, with: "\"\(field)\":\"\(text)\"", options: .regularExpression)
        XCTAssertNotEqual(changed, record.valueText, field)
        record.value = [UInt8](changed.utf8)
    }

    func testSeveralPartitionsArePlayedToo() {
        let (findings, tally) = findings(played(3_000, partitions: 3), sequential: false)
        XCTAssertEqual(findings.count, 0, findings.text)
        XCTAssertGreaterThan(tally.windows, 100)
    }

    func testCivilClock() {
        XCTAssertEqual(CivilClock.text(1_736_782_245_123), "2025-01-13T15:30:45.123Z")
        XCTAssertEqual(CivilClock.text(1_736_782_245_123, offsetMinutes: -300), "2025-01-13T10:30:45.123-05:00")
        for milliseconds in [0, -1, 951_782_400_000, 1_736_782_245_123, 4_070_908_800_000, -62_135_596_800_000]
            as [Int64]
        {
            XCTAssertEqual(CivilClock.milliseconds(CivilClock.text(milliseconds, offsetMinutes: 330)), milliseconds)
        }
        for text in [
            "", "2025-02-29T00:00:00Z", "2025-01-13T24:00:00Z", "2025-01-13T15:30:45", "2025-01-13T15:30:45.Z",
        ] {
            XCTAssertNil(CivilClock.milliseconds(text), text)
        }
    }

    func testStrictJSON() {
        func read(_ text: String) -> StrictJSON? { StrictJSON([UInt8](text.utf8)) }
        XCTAssertEqual(
            read(#" {"a":[1.5e3,"\u00e9\ud83d\ude00\n",null,true]} "#)?["a"],
            .array([.number("1.5e3"), .string("é😀\n"), .null, .bool(true)]))
        for text in [
            "", "{", #"{"a":1,"a":2}"#, "[1,]", "01", "1.", "nul", #""\x""#, "\"\u{1}\"", "1 2", #""\ud800""#, "+1",
            "[1 2]",
        ] {
            XCTAssertNil(read(text), text)
        }
        XCTAssertNil(StrictJSON([0x22, 0xE9, 0x22]))
        XCTAssertNil(StrictJSON([UInt8](repeating: UInt8(ascii: "["), count: 5_000)))
    }
}
