import Foundation
import StreamKit
import StreamKitTesting
import XCTest
import aggregator
import anomaly_detector
import cdc_forwarder
import deduplicator
import enricher
import validator

/// What each service writes with the file that is deployed, to the byte.
final class GoldenOutputTests: XCTestCase {
    private let enriched =
        #"{"order_id":"ORD-20250113-001234","customer_id":"CUST-US-001","amount":"149.99","currency":"USD","#
        + #""status":"confirmed","timestamp":"2025-01-13T15:30:45.123Z","items_count":3,"region":"us","tax":"12.00","#
        + #""order_value_category":"medium","merchant_id":"MERCH-US-022","processed_at":"2025-01-13T15:30:46.234Z","#
        + #""processing_duration_ms":1111}"#

    func testValidatorPassesTheBytesKeyedByOrder() throws {
        let driver = try OrderServices.driver(Validator.self)
        let odd = " \t" + order(["note": #""\u00e9\/""#]).replacingOccurrences(of: ",", with: " ,\n") + " "
        try driver.pipe(
            OrderServices.topic("raw"), key: "other", odd, timestampMilliseconds: 77, headers: [Header("h", "1")])
        let record = try XCTUnwrap(driver.take(OrderServices.topic("validated")).first)
        XCTAssertEqual(record.text, odd)
        XCTAssertEqual(record.keyText, "ORD-20250113-001234")
        XCTAssertEqual(record.timestampMilliseconds, 77)
        XCTAssertEqual(record.headers, [Header("h", "1")])
    }

    func testValidatorNamesEveryViolation() throws {
        let driver = try OrderServices.driver(Validator.self)
        let wrong = order([
            "amount": #""0.00""#, "currency": #""XYZ""#, "status": #""lost""#,
        ])
        try driver.pipe(OrderServices.topic("raw"), key: "k", wrong)
        let letter = try XCTUnwrap(driver.take(OrderServices.topic("dlq")).first)
        let quoted = wrong.replacingOccurrences(of: "\"", with: "\\\"")
        XCTAssertEqual(
            letter.text,
            #"{"original_message":"\#(quoted)","error_type":"BUSINESS_RULE_VIOLATION","#
                + #""error_message":"amount: must be from 0.01 to 999,999.99; currency: must be an ISO 4217 code; "#
                + #"status: must be confirmed, pending_payment, shipped, delivered or cancelled","#
                + #""error_timestamp":"2025-01-13T15:30:46.234Z","attempted_order_id":"ORD-20250113-001234"}"#)
        XCTAssertEqual(letter.keyText, "k")
        for (name, value) in [
            "topic": OrderServices.topic("raw"), "partition": "0", "offset": "0", "stage": "validator",
            "exception": "BUSINESS_RULE_VIOLATION",
        ] {
            XCTAssertEqual(letter.header("__streams.errors.\(name)"), value)
            XCTAssertEqual(letter.header("__connect.errors.\(name)"), value)
        }
        XCTAssertTrue(letter.header("__streams.errors.message")?.hasPrefix("amount: must be") ?? false)
    }

    /// What the schema demands of each field: a value that it takes, and values that it does not.
    func testValidatorHoldsEachFieldToItsRule() throws {
        let driver = try OrderServices.driver(Validator.self)
        let good: [(String, String)] = [
            ("amount", "149.99"), ("amount", #""0.01""#), ("amount", #""999999.99""#), ("amount", "1e3"),
            ("timestamp", #""2025-01-13T15:30:45+02:00""#), ("items_count", "1"), ("currency", #""XCG""#),
            ("status", #""pending_payment""#), ("more", "null"),
        ]
        for (field, value) in good {
            try driver.pipe(OrderServices.topic("raw"), order([field: value]))
            XCTAssertEqual(driver.take(OrderServices.topic("validated")).count, 1, "\(field): \(value)")
        }
        let bad: [(String, String?, String)] =
            [
                "order_id", "customer_id", "amount", "currency", "status", "timestamp", "items_count",
            ].flatMap {
                [($0, nil, "SCHEMA_VIOLATION"), ($0, "null", "SCHEMA_VIOLATION"), ($0, "[]", "SCHEMA_VIOLATION")]
            }
            + [
                ("order_id", "7", "SCHEMA_VIOLATION"), ("amount", #""12,5""#, "SCHEMA_VIOLATION"),
                ("amount", #""NaN""#, "SCHEMA_VIOLATION"), ("amount", #""""#, "SCHEMA_VIOLATION"),
                ("amount", #""1000000""#, "BUSINESS_RULE_VIOLATION"), ("amount", "-1", "BUSINESS_RULE_VIOLATION"),
                ("currency", #""usd""#, "BUSINESS_RULE_VIOLATION"), ("status", #""""#, "BUSINESS_RULE_VIOLATION"),
                ("timestamp", #""2025-01-13T15:30:45""#, "SCHEMA_VIOLATION"),
                ("timestamp", #""2025-02-30T15:30:45Z""#, "SCHEMA_VIOLATION"), ("items_count", "0", "SCHEMA_VIOLATION"),
                ("items_count", "1.5", "SCHEMA_VIOLATION"), ("items_count", #""3""#, "SCHEMA_VIOLATION"),
            ]
        for (field, value, type) in bad {
            let changes: [String: String?] = [field: value]
            try driver.pipe(OrderServices.topic("raw"), order(changes))
            let letter = try XCTUnwrap(
                driver.take(OrderServices.topic("dlq")).first, "\(field): \(value ?? "missing") passed")
            let object = try letter.object()
            XCTAssertEqual(object["error_type"] as? String, type, "\(field): \(value ?? "missing")")
            XCTAssertTrue(
                (object["error_message"] as? String)?.contains(field) ?? false, letter.text ?? "")
        }
        XCTAssertEqual(driver.take(OrderServices.topic("validated")), [])
    }

    func testEnricherAddsWithoutReencoding() throws {
        let driver = try OrderServices.driver(Enricher.self)
        try driver.pipe(
            OrderServices.topic("validated"), key: "k", order(), timestampMilliseconds: 5,
            headers: [Header("correlation-id", "c")])
        let record = try XCTUnwrap(driver.take(OrderServices.topic("enriched")).first)
        XCTAssertEqual(record.text, enriched)
        XCTAssertEqual(record.keyText, "k")
        XCTAssertEqual(record.timestampMilliseconds, 5)
        XCTAssertEqual(record.headers, [Header("correlation-id", "c")])
    }

    func testEnricherReplacesWhatIsThereAlready() throws {
        let driver = try OrderServices.driver(Enricher.self)
        try driver.pipe(
            OrderServices.topic("validated"), key: "k", order(["region": #""mars""#, "tax": "null", "other": "1.0"]))
        let text = try XCTUnwrap(driver.take(OrderServices.topic("enriched")).first?.text)
        XCTAssertTrue(text.contains(#""other":1.0"#), text)
        XCTAssertTrue(text.contains(#""region":"us""#) && !text.contains("mars"), text)
        XCTAssertEqual(text.components(separatedBy: "\"tax\":").count, 2, text)
    }

    func testEnricherFollowsTheTables() throws {
        let driver = try OrderServices.driver(Enricher.self)
        let cases:
            [(customer: String, amount: String, region: String, tax: String, category: String, merchant: String)] =
                [
                    ("CUST-US-001", "49.99", "us", "4.00", "small", "MERCH-US-022"),
                    ("CUST-eu-2", "50", "eu", "9.50", "medium", "MERCH-EU-010"),
                    ("CUST-UK-3", "500.00", "uk", "100.00", "medium", "MERCH-UK-949"),
                    ("CUST-CA-4", "500.01", "ca", "25.00", "large", "MERCH-CA-000"),
                    ("CUST-AU-5", "0.25", "au", "0.02", "small", "MERCH-AU-000"),
                    ("CUST-FR-6", "0.50", "ca", "0.02", "small", "MERCH-CA-000"),
                    ("nobody", "0.30", "ca", "0.02", "small", "MERCH-CA-000"),
                    ("é-US", "1000", "us", "80.00", "large", "MERCH-US-000"),
                ]
        for expected in cases {
            let sum = expected.customer.unicodeScalars.reduce(0) { $0 + Int($1.value) } % 100
            let merchant = "MERCH-\(expected.region.uppercased())-0\(sum < 10 ? "0" : "")\(sum)"
            try driver.pipe(
                OrderServices.topic("validated"),
                order(["customer_id": "\"\(expected.customer)\"", "amount": "\"\(expected.amount)\""]))
            let object = try XCTUnwrap(driver.take(OrderServices.topic("enriched")).first).object()
            XCTAssertEqual(object["region"] as? String, expected.region, expected.customer)
            XCTAssertEqual(object["tax"] as? String, expected.tax, expected.customer)
            XCTAssertEqual(object["order_value_category"] as? String, expected.category, expected.customer)
            XCTAssertEqual(object["merchant_id"] as? String, merchant, expected.customer)
        }
    }

    func testDeduplicatorPassesTheFirstAndSaysWhereItWas() throws {
        let driver = try OrderServices.driver(Deduplicator.self, partitions: [OrderServices.topic("enriched"): 2])
        let input = OrderServices.topic("enriched")
        try driver.pipe(input, key: "a", order(["order_id": #""A""#]), partition: 1)
        try driver.pipe(input, key: "b", enriched, partition: 1)
        try driver.pipe(
            input, key: "b", order(["timestamp": #""2025-01-13T17:30:45.123+02:00""#]), partition: 1)
        let passed = driver.take(OrderServices.topic("processed"))
        XCTAssertEqual(passed.map(\.text), [order(["order_id": #""A""#]), enriched])
        let letter = try XCTUnwrap(driver.take(OrderServices.topic("dlq")).first).object()
        XCTAssertEqual(letter["error_type"] as? String, "DUPLICATE")
        XCTAssertEqual(letter["first_topic"] as? String, input)
        XCTAssertEqual(letter["first_partition"] as? Int, 1)
        XCTAssertEqual(letter["first_offset"] as? Int, 1)
        XCTAssertEqual(letter["attempted_order_id"] as? String, "ORD-20250113-001234")
    }

    func testDeduplicatorRemembersADay() throws {
        let driver = try OrderServices.driver(Deduplicator.self)
        let input = OrderServices.topic("enriched")
        func order(_ id: String, _ time: String) -> String {
            ServiceTests.order(["order_id": "\"\(id)\"", "timestamp": "\"\(time)\""])
        }
        try driver.pipe(input, order("A", "2025-01-11T12:00:00Z"))
        XCTAssertEqual(driver.storeBytes("seen").count, 1)
        // A day later to the millisecond is within a day.
        try driver.pipe(input, order("A", "2025-01-12T12:00:00Z"))
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")).count, 1)
        try driver.pipe(input, order("B", "2025-01-12T12:00:00.001Z"))
        try driver.pipe(input, order("A", "2025-01-12T12:00:00.001Z"))
        XCTAssertEqual(driver.take(OrderServices.topic("processed")).count, 3)
        // Older than a day before the watermark, and unknown: it passes, is counted, and leaves nothing.
        try driver.pipe(input, order("C", "2025-01-13T15:00:00Z"))
        try driver.pipe(input, order("D", "2025-01-11T12:00:00Z"))
        try driver.pipe(input, order("D", "2025-01-11T12:00:00Z"))
        XCTAssertEqual(driver.take(OrderServices.topic("processed")).count, 3)
        XCTAssertEqual(driver.counters["passed_unknown_old"], 2)
        XCTAssertEqual(driver.storeBytes("seen").keys.map { String(decoding: $0, as: UTF8.self) }.sorted(), ["C"])
    }

    func testAggregatorWritesEachWindowOnce() throws {
        let driver = try OrderServices.driver(Aggregator.self)
        let input = OrderServices.topic("processed")
        func pipe(_ region: String, _ amount: String, _ time: String) throws {
            try driver.pipe(
                input, order(["region": "\"\(region)\"", "amount": amount, "timestamp": "\"2025-01-13T\(time)Z\""]))
        }
        try pipe("us", #""149.99""#, "15:10:00")
        try pipe("us", "0.015", "15:14:59.999")
        try pipe("eu", #""10""#, "15:12:00")
        try pipe("us", #""5.00""#, "15:15:00")
        try pipe("us", #""100""#, "15:11:00")
        try pipe("eu", "1", "15:24:59.999")
        XCTAssertEqual(driver.take(OrderServices.topic("aggregations")), [])
        try pipe("eu", "1", "15:25:00")
        XCTAssertEqual(
            driver.take(OrderServices.topic("aggregations")).sorted { $0.keyText ?? "" < $1.keyText ?? "" }.map {
                [$0.keyText, $0.text, "\($0.timestampMilliseconds)"]
            },
            [
                [
                    "eu",
                    #"{"region":"eu","total_orders":1,"total_amount":"10.00","avg_order_value":"10.00","max_order_value":"10.00","#
                        + #""window_start":"2025-01-13T15:10:00Z","window_end":"2025-01-13T15:15:00Z","processing_timestamp_ms":1736782246234}"#,
                    "1736781300000",
                ],
                [
                    "us",
                    #"{"region":"us","total_orders":3,"total_amount":"250.00","avg_order_value":"83.34","max_order_value":"149.99","#
                        + #""window_start":"2025-01-13T15:10:00Z","window_end":"2025-01-13T15:15:00Z","processing_timestamp_ms":1736782246234}"#,
                    "1736781300000",
                ],
            ])
        try pipe("us", "1", "15:14:00")
        let letter = try XCTUnwrap(driver.take(OrderServices.topic("dlq")).first).object()
        XCTAssertEqual(letter["error_type"] as? String, "LATE")
        XCTAssertEqual(letter["attempted_order_id"] as? String, "ORD-20250113-001234")
        XCTAssertEqual(driver.take(OrderServices.topic("aggregations")), [])
    }

    func testDetectorTellsWhatIsSuspicious() throws {
        let driver = try OrderServices.driver(AnomalyDetector.self)
        let input = OrderServices.topic("processed")
        func pipe(_ id: String, _ time: String, amount: String = "100") throws {
            try driver.pipe(
                input, order(["order_id": "\"\(id)\"", "amount": amount, "timestamp": "\"2025-01-13T\(time)Z\""]))
        }
        try pipe("one", "12:00:00", amount: "1000.01")
        try pipe("two", "12:04:00", amount: "1000")
        let alerts = driver.take(OrderServices.topic("anomalies"))
        XCTAssertEqual(alerts.map(\.keyText), ["CUST-US-001", "CUST-US-001"])
        XCTAssertEqual(
            alerts.map(\.text),
            [
                #"{"alert_id":"\#(try alerts[0].object()["alert_id"] ?? "")","customer_id":"CUST-US-001","anomaly_type":"LARGE_ORDER","#
                    + #""severity":"medium","description":"an order of 1000.01","detected_at":"2025-01-13T15:30:46.234Z","order_ids":["one"]}"#,
                #"{"alert_id":"\#(try alerts[1].object()["alert_id"] ?? "")","customer_id":"CUST-US-001","anomaly_type":"RAPID_ORDERS","#
                    + #""severity":"low","description":"2 orders within 5 minutes","detected_at":"2025-01-13T15:30:46.234Z","order_ids":["one","two"]}"#,
            ])
        // The same orders give the same alerts, to their ids.
        let again = try OrderServices.driver(AnomalyDetector.self)
        try again.advance(milliseconds: 5_000)
        for record in driver.cluster.records(in: input) { try again.pipe(input, record.text) }
        let repeated = again.take(OrderServices.topic("anomalies"))
        XCTAssertEqual(
            try repeated.map { try $0.object()["alert_id"] as? String },
            try alerts.map { try $0.object()["alert_id"] as? String })
        XCTAssertEqual(Set(try alerts.map { try $0.object()["alert_id"] as? String }).count, 2)
    }

    func testForwarderMapsChangesOntoOrders() throws {
        let driver = try OrderServices.driver(CDCForwarder.self)
        let input = "dbserver1.public.orders"
        func change(_ operation: String) -> String {
            #"{"before":null,"after":{"order_id":"ORD-1","customer_id":7,"amount":"Opc=","currency":"EUR","status":"PAID","#
                + #""created_at":"2025-01-13T10:00:00Z","items_count":2},"source":{"db":"shop","schema":"public","table":"orders"},"#
                + #""op":"\#(operation)","ts_ms":1736762400000}"#
        }
        for operation in ["c", "r", "u", "d"] { try driver.pipe(input, key: "k", change(operation)) }
        try driver.pipe(input, key: "k", nil)
        let expected =
            #"{"order_id":"ORD-1","customer_id":"CUST-US-007","amount":"149.99","currency":"EUR","status":"confirmed","#
            + #""timestamp":"2025-01-13T10:00:00Z","items_count":2}"#
        let records = driver.take(OrderServices.topic("raw"))
        XCTAssertEqual(records.map(\.text), [expected, expected])
        XCTAssertEqual(records.map(\.keyText), ["ORD-1", "ORD-1"])
        XCTAssertEqual(driver.counters["skipped_update"], 1)
        XCTAssertEqual(driver.counters["skipped_delete"], 1)
        XCTAssertEqual(driver.counters["skipped_tombstone"], 1)
        XCTAssertEqual(driver.take(OrderServices.topic("dlq")), [])
    }

    /// What one service writes, the next one reads, down to the aggregates.
    func testAnOrderGoesThroughAllStages() throws {
        let validator = try OrderServices.driver(Validator.self)
        let enricher = try OrderServices.driver(Enricher.self)
        let deduplicator = try OrderServices.driver(Deduplicator.self)
        let aggregator = try OrderServices.driver(Aggregator.self)
        func move(_ topic: String, _ from: TopologyTestDriver, _ to: TopologyTestDriver) throws {
            for record in from.take(OrderServices.topic(topic)) {
                try to.pipe(OrderServices.topic(topic), key: record.key, bytes: record.value)
            }
        }
        for (id, time) in [("1", "10:00:00"), ("1", "10:01:00"), ("2", "10:04:59"), ("3", "15:00:00")] {
            try validator.pipe(
                OrderServices.topic("raw"),
                order(["order_id": "\"\(id)\"", "timestamp": "\"2025-01-13T\(time)Z\""]))
        }
        try move("validated", validator, enricher)
        try move("enriched", enricher, deduplicator)
        try move("processed", deduplicator, aggregator)
        let aggregates = try aggregator.take(OrderServices.topic("aggregations")).map { try $0.object() }
        XCTAssertEqual(aggregates.count, 1)
        XCTAssertEqual(aggregates.first?["total_orders"] as? Int, 2)
        XCTAssertEqual(aggregates.first?["total_amount"] as? String, "299.98")
    }
}
