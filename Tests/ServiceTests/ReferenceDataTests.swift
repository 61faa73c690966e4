import Foundation
import StreamKit
import StreamKitService
import StreamKitTesting
import XCTest
import enricher

/// Reference data: there before the first record, and up to date without a restart.
final class ReferenceDataTests: XCTestCase {
    private final class Lines: @unchecked Sendable {
        private let lock = NSLock()
        private var kept: [String] = []
        var all: [String] { lock.withLock { kept } }
        func append(_ line: [UInt8]) { lock.withLock { kept.append(String(decoding: line, as: UTF8.self)) } }
    }

    private var folder = URL(fileURLWithPath: "/")
    private let lines = Lines()

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "reference-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDown() { try? FileManager.default.removeItem(at: folder) }

    private lazy var logger = Logger(level: .info, format: .json, writer: LogWriter { [lines] in lines.append($0) })

    private func enricher(_ reference: String) throws -> ConfiguredService<Enricher> {
        let file = folder.appending(path: "enricher.yaml")
        try """
        application: shop
        input: in
        output: out
        dead_letters: {topic: dead}
        record: {region: string}
        reference:
          rates: \(reference)
        fields:
          rate: string(rates[region])
        """.write(to: file, atomically: true, encoding: .utf8)
        return try ConfiguredService(Enricher.self, file: file.path)
    }

    private func rates(_ driver: TopologyTestDriver, _ regions: String...) throws -> [String] {
        for region in regions { try driver.pipe("in", #"{"region":"\#(region)"}"#) }
        let rates = try driver.take("out").map { try $0.object()["rate"] as? String ?? "-" }
        return rates + driver.take("dead").map { _ in "refused" }
    }

    func testACompactedTopicIsReadToItsEndBeforeTheFirstRecord() throws {
        let service = try enricher(#"{topic: rates, type: "map(string, decimal)"}"#)
        let driver = try TopologyTestDriver(service.plan, partitions: ["rates": 3])
        let watch = try XCTUnwrap(service.service.makeWatch())()
        for number in 0..<5_000 { driver.cluster.append(to: "rates", key: "r\(number)", "0.\(number)") }
        driver.cluster.append(to: "rates", key: "r7", "\"9.99\"")
        driver.cluster.append(to: "rates", key: "r8", nil)
        var looks = 0
        while !watch.look(driver.client, logger) {
            looks += 1
            XCTAssertLessThan(looks, 10_000)
        }
        XCTAssertEqual(try rates(driver, "r7", "r4999", "r8"), ["9.99", "0.4999", "refused"])
        XCTAssertTrue(lines.all.contains { $0.contains("reference topic read") && $0.contains("4999") }, "\(lines.all)")
    }

    func testWithoutItsTopicNothingIsReady() throws {
        let service = try enricher(#"{topic: rates, type: "map(string, decimal)"}"#)
        let driver = try TopologyTestDriver(service.plan)
        let watch = try XCTUnwrap(service.service.makeWatch())()
        for _ in 0..<3 { XCTAssertFalse(watch.look(driver.client, logger)) }
        XCTAssertEqual(lines.all.filter { $0.contains("waiting for a reference topic") }.count, 1)
        driver.cluster.createTopic("rates")
        // An empty topic is read at once.
        XCTAssertTrue((0..<10).contains { _ in watch.look(driver.client, logger) })
    }

    func testChangesOfATopicAreTakenUpWithoutARestart() throws {
        let service = try enricher(#"{topic: rates, type: "map(string, decimal)"}"#)
        let driver = try TopologyTestDriver(service.plan, partitions: ["rates": 2])
        let watch = try XCTUnwrap(service.service.makeWatch())()
        driver.cluster.append(to: "rates", key: "us", "0.08")
        XCTAssertTrue((0..<100).contains { _ in watch.look(driver.client, logger) })
        XCTAssertEqual(try rates(driver, "us", "eu"), ["0.08", "refused"])
        driver.cluster.append(to: "rates", key: "us", "0.09")
        driver.cluster.append(to: "rates", key: "eu", "0.19")
        _ = watch.look(driver.client, logger)
        try driver.advance(milliseconds: 1)
        XCTAssertEqual(try rates(driver, "us", "eu"), ["0.09", "0.19"])
        // What cannot be read changes nothing, and is told with its place.
        driver.cluster.append(to: "rates", key: "us", "much")
        driver.cluster.append(to: "rates", key: "eu", nil)
        _ = watch.look(driver.client, logger)
        try driver.advance(milliseconds: 1)
        XCTAssertEqual(try rates(driver, "us", "eu"), ["0.09", "refused"])
        XCTAssertTrue(
            lines.all.contains { $0.contains("reference record not usable") && $0.contains("rates-") }, "\(lines.all)")
    }

    func testAFileIsReadAnewWhenItChanges() throws {
        let file = folder.appending(path: "rates.yaml")
        try "us: \"0.08\"\n".write(to: file, atomically: true, encoding: .utf8)
        let service = try enricher(#"{file: rates.yaml, type: "map(string, decimal)"}"#)
        let driver = try TopologyTestDriver(service.plan)
        let watch = try XCTUnwrap(service.service.makeWatch())()
        XCTAssertTrue(watch.look(driver.client, logger))
        XCTAssertEqual(try rates(driver, "us"), ["0.08"])
        try "us: \"0.0825\"\neu: \"0.19\"\n".write(to: file, atomically: true, encoding: .utf8)
        XCTAssertTrue(watch.look(driver.client, logger))
        try driver.advance(milliseconds: 1)
        XCTAssertEqual(try rates(driver, "us", "eu"), ["0.0825", "0.19"])
        // A broken file changes nothing; a good one after it does.
        try "us: [\n".write(to: file, atomically: true, encoding: .utf8)
        XCTAssertTrue(watch.look(driver.client, logger))
        try driver.advance(milliseconds: 1)
        XCTAssertEqual(try rates(driver, "us", "eu"), ["0.0825", "0.19"])
        XCTAssertTrue(
            lines.all.contains { $0.contains("reference data not usable") && $0.contains("rates.yaml:") },
            "\(lines.all)")
        try FileManager.default.removeItem(at: file)
        XCTAssertTrue(watch.look(driver.client, logger))
        try "us: \"0.1\"\n".write(to: file, atomically: true, encoding: .utf8)
        XCTAssertTrue(watch.look(driver.client, logger))
        try driver.advance(milliseconds: 1)
        XCTAssertEqual(try rates(driver, "us"), ["0.1"])
    }
}
