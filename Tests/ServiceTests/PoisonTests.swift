import Foundation
import StreamKit
import StreamKitService
import StreamKitTesting
import XCTest
import aggregator
import anomaly_detector
import cdc_forwarder
import deduplicator
import enricher
import validator

/// Whatever comes, no service stops: it becomes a dead letter that fits into a record, and the next record is processed.
final class PoisonTests: XCTestCase {
    private func repeated(_ text: String, _ count: Int) -> [UInt8] { Array(String(repeating: text, count: count).utf8) }

    /// - Parameter large: the size of the largest, in bytes; a record may have a million.
    private func poison(_ large: Int) -> [(name: String, value: [UInt8]?)] {
        [
            ("null", nil), ("empty", []), ("blank", Array("  ".utf8)), ("broken", Array(#"{"order_id":"#.utf8)),
            ("no object", Array("[1,2]".utf8)), ("a number", Array("7".utf8)), ("two values", Array("{} {}".utf8)),
            ("duplicate keys", Array(#"{"order_id":"a","order_id":"b"}"#.utf8)),
            ("escaped duplicate keys", Array(#"{"order_id":"a","order\u005fid":"b"}"#.utf8)),
            ("invalid UTF-8", [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x3A, 0x31, 0x7D]),
            ("invalid UTF-8 in a value", Array(#"{"order_id":""#.utf8) + [0xC0, 0x80] + Array("\"}".utf8)),
            ("a lone surrogate", Array(#"{"order_id":"\ud800"}"#.utf8)), ("NUL", [0]),
            ("a byte order mark", [0xEF, 0xBB, 0xBF] + Array(order().utf8)),
            ("deep lists", repeated("[", 200_000)), ("deep objects", repeated(#"{"a":"#, 200_000)),
            ("deep and whole", repeated("[", 100_000) + repeated("]", 100_000)),
            (
                "a deep member",
                Array(#"{"order_id":"#.utf8) + repeated("[", 5_000) + repeated("]", 5_000) + Array("}".utf8)
            ),
            ("a huge number", Array(#"{"order_id":"a","amount":1"#.utf8) + repeated("0", 100_000) + Array("}".utf8)),
            ("a huge exponent", Array(order(["amount": "1e999999999999"]).utf8)),
            ("a tiny number", Array(order(["amount": "1e-999999999999"]).utf8)),
            ("a long fraction", Array(order(["amount": "0." + String(repeating: "1", count: 50_000)]).utf8)),
            ("a huge count", Array(order(["items_count": "99999999999999999999999999"]).utf8)),
            ("a far year", Array(order(["timestamp": #""9999999999-01-01T00:00:00Z""#]).utf8)),
            ("large text", Array(#"{"note":""#.utf8) + repeated("x", large)),
            ("large quotes", repeated("\"", large)),
            ("large zeros", [UInt8](repeating: 0, count: large)),
            ("large, no text", [UInt8](repeating: 0xFF, count: large)),
            ("large emoji", repeated("\u{1F600}", large / 4)),
        ]
    }

    private func feed<Service: StreamService>(
        _ type: Service.Type, _ topic: String, _ good: [String], large: Int = 1_200_000, passes: Set<String> = []
    ) throws {
        let driver = try OrderServices.driver(type)
        let poison = poison(large)
        let letters = OrderServices.topic("dlq")
        let keys: [[UInt8]?] = [nil, [], [0xFF, 0x00], Array("k".utf8)]
        for (index, poison) in poison.enumerated() where !passes.contains(poison.name) {
            let key = keys[index % keys.count]
            try driver.pipe(topic, key: key, bytes: poison.value)
            let found = driver.take(letters)
            XCTAssertEqual(found.count, 1, "\(Service.name): \(poison.name)")
            guard let letter = found.first else { continue }
            XCTAssertEqual(letter.key, key)
            XCTAssertLessThan(letter.value?.count ?? 0, 1_000_000, poison.name)
            try check(try letter.object(), poison.value, "\(Service.name): \(poison.name)")
        }
        // It goes on.
        for value in good { try driver.pipe(topic, key: "k", value) }
        XCTAssertEqual(driver.take(letters), [])
        XCTAssertEqual(driver.cluster.openTransactions, [])
        XCTAssertEqual(driver.status.snapshot.deadLetters.values.reduce(0, +), poison.count - passes.count)
    }

    /// The original is there whole, or cut with a flag and its full size.
    private func check(_ letter: [String: Any], _ refused: [UInt8]?, _ name: String) throws {
        XCTAssertFalse((letter["error_type"] as? String ?? "").isEmpty, name)
        XCTAssertFalse((letter["error_message"] as? String ?? "").isEmpty, name)
        guard let refused else { return XCTAssertTrue(letter["original_message"] is NSNull, name) }
        let text = try XCTUnwrap(letter["original_message"] as? String, name)
        // Foundation drops a byte order mark.
        let value = refused.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(refused.dropFirst(3)) : refused
        let isText = String(validating: value, as: UTF8.self) != nil
        XCTAssertEqual(letter["original_message_encoding"] as? String, isText ? nil : "base64", name)
        let original = isText ? Array(text.utf8) : try XCTUnwrap(Data(base64Encoded: text).map { [UInt8]($0) }, name)
        if original.count == value.count {
            XCTAssertTrue(original == value, name)
            XCTAssertNil(letter["original_message_truncated"], name)
        } else {
            XCTAssertTrue(original.count > 10_000 && value.starts(with: original), name)
            XCTAssertEqual(letter["original_message_truncated"] as? Bool, true, name)
            XCTAssertEqual(letter["original_message_bytes"] as? Int, value.count, name)
        }
    }

    func testValidator() throws {
        // An integer of at least 1, whatever its size.
        try feed(
            Validator.self, OrderServices.topic("raw"), [order()], large: 10_000_000, passes: ["a huge count"])
    }

    func testEnricher() throws {
        try feed(Enricher.self, OrderServices.topic("validated"), [order()], passes: ["a huge count"])
    }

    func testDeduplicator() throws {
        // It reads the id and the time; amounts are none of its business.
        try feed(
            Deduplicator.self, OrderServices.topic("enriched"), [order()],
            passes: ["a huge exponent", "a tiny number", "a long fraction", "a huge count"])
    }

    func testAggregator() throws {
        try feed(
            Aggregator.self, OrderServices.topic("processed"), [order(["region": #""us""#])],
            passes: ["a huge count"])
    }

    func testAnomalyDetector() throws {
        try feed(AnomalyDetector.self, OrderServices.topic("processed"), [order()], passes: ["a huge count"])
    }

    func testForwarder() throws {
        // A change without a value is a tombstone, which is counted and skipped.
        try feed(CDCForwarder.self, "dbserver1.public.orders", [], passes: ["null"])
    }

    func testForwarderCountsTombstones() throws {
        let driver = try OrderServices.driver(CDCForwarder.self)
        try driver.pipe("dbserver1.public.orders", key: "k", nil)
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
        XCTAssertEqual(driver.counters["skipped_tombstone"], 1)
    }
}
