import Foundation
import Kafka
import XCTest

/// What operators see of a service, and what it does when the world is not as it should be.
final class ServiceProcessTests: XCTestCase {
    private func withService(_ body: (SingleService) throws -> Void) throws {
        continueAfterFailure = false
        let service = try SingleService()
        defer { service.stop() }
        try body(service)
    }

    private func order(_ number: Int, _ status: String = "shipped", _ time: String = "2025-01-13T15:00:00Z") -> [UInt8]
    {
        Array(
            (#"{"order_id":"ORD-\#(number)","customer_id":"CUST-US-\#(number % 3)","amount":"10.00","currency":"USD","#
                + #""status":"\#(status)","timestamp":"\#(time)","items_count":1,"region":"us"}"#).utf8)
    }

    // MARK: Metrics

    func testMetricsCountWhatWasReadWrittenAndRefused() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 2])
            try service.write((0..<10).map { order($0) }, to: "ecommerce.orders.raw", partitions: 2)
            try service.write(
                [order(10, "lost"), order(11, "gone"), Array("{".utf8)], to: "ecommerce.orders.raw", partitions: 2)
            try service.start("validator")
            try service.waitForMetric("streamkit_records_read_total", is: 13)
            try service.waitForMetric("streamkit_dead_letters_total", ["reason": "BUSINESS_RULE_VIOLATION"], is: 2)
            try service.waitForMetric("streamkit_dead_letters_total", ["reason": "MALFORMED_JSON"], is: 1)
            try service.waitForMetric("streamkit_records_written_total", is: 13)
            try service.waitForMetric("streamkit_thread_state", ["state": "running", "thread": "0"], is: 1)
            try service.waitForMetric("streamkit_thread_state", is: 1)
            try service.waitForMetric("streamkit_rebalances_total", is: 1)
            // Two transactions of the writer, with a marker each: 7 and 6 records, and what follows the last one is a marker.
            try service.waitForMetric("streamkit_committed_offset", ["partition": "0"], is: 8)
            try service.wait("an end for the lag") { try service.metric("streamkit_lag_records") != nil }
            XCTAssertLessThanOrEqual(try XCTUnwrap(service.metric("streamkit_lag_records")), 2)
            let committed = try XCTUnwrap(service.metric("streamkit_transactions_committed_total"))
            XCTAssertTrue((1...13).contains(committed), "\(committed)")
            XCTAssertEqual(try service.metric("streamkit_transactions_aborted_total"), 0)
            let total = try XCTUnwrap(service.metric("streamkit_commit_seconds_total"))
            let longest = try XCTUnwrap(service.metric("streamkit_commit_seconds_max"))
            XCTAssertTrue(longest > 0 && longest <= total, "\(longest) of \(total)")
            XCTAssertEqual(try service.metric("streamkit_restore_remaining_records"), 0)
            // Nothing is said of single records.
            let lines = service.log.count
            try service.write((20..<220).map { order($0) }, to: "ecommerce.orders.raw", partitions: 2)
            try service.waitForMetric("streamkit_records_read_total", is: 213)
            XCTAssertEqual(service.log.count, lines)
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    func testMetricsTellOfStoresAndWatermarks() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.enriched": 2])
            let now = Int64(Date().timeIntervalSince1970)
            let time = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(now - 3_000)))
            try service.write(
                (0..<40).map { order($0, "shipped", time) } + [order(0, "shipped", time)],
                to: "ecommerce.orders.enriched",
                partitions: 2)
            for store in ["memory", "rocksdb"] {
                let settings = ["store=\(store)", "application=seen-\(store)", "session_timeout=1s"]
                let folder = ["STATE_DIR": service.folder.appending(path: store).path]
                try service.start("deduplicator", settings: settings, environment: folder)
                try service.waitForMetric("streamkit_dead_letters_total", ["reason": "DUPLICATE"], is: 1)
                // RocksDB only estimates.
                let about = 40.0...(store == "memory" ? 40 : 60)
                var entries: Double?
                try service.wait("the store's entries") {
                    entries = try service.metric("streamkit_store_entries", ["store": "seen"])
                    return entries.map { $0 >= 40 } ?? false
                }
                XCTAssertTrue(about.contains(entries ?? 0), "\(entries ?? 0)")
                if store == "memory" {
                    XCTAssertEqual(try service.metric("streamkit_store_entries", ["partition": "1"]), 20)
                }
                XCTAssertGreaterThan(try service.metric("streamkit_store_bytes", ["store": "seen"]) ?? 0, 0)
                let delay = try XCTUnwrap(service.metric("streamkit_watermark_delay_seconds", ["partition": "1"]))
                XCTAssertTrue((2_999...3_100).contains(delay), "\(delay)")
                // Restored, it has the same.
                service.process?.kill()
                try service.start("deduplicator", settings: settings, environment: folder)
                try service.wait("the restored store") {
                    entries = try service.metric("streamkit_store_entries", ["store": "seen"])
                    return entries.map { $0 >= 40 } ?? false
                }
                XCTAssertTrue(about.contains(entries ?? 0), "\(entries ?? 0)")
                try service.waitForMetric("streamkit_thread_state", ["state": "running"], is: 1)
                XCTAssertEqual(try service.metric("streamkit_restore_remaining_records"), 0)
                XCTAssertEqual(service.terminate(), 0)
            }
        }
    }

    func testLagCountsWhatIsCommittedAndNoMore() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 1])
            // What is read is committed only in the end, so that the lag stands still.
            try service.start(
                "validator", settings: ["commit.interval=60s", "commit.when_drained=60s", "transaction_timeout=130s"])
            try service.write((0..<25).map { order($0) }, to: "ecommerce.orders.raw")
            // The marker takes an offset.
            try service.waitForMetric("streamkit_lag_records", is: 26)
            // Of a transaction that is open nobody may read, so nobody is behind.
            let open = try TransactionalProducer(
                KafkaConfiguration(
                    KafkaDefaults.producer() + [
                        ("bootstrap.servers", service.broker.bootstrapServers), ("transactional.id", "open"),
                    ]))
            XCTAssertEqual(open.initializeTransactions(timeout: .seconds(20)), .completed)
            XCTAssertEqual(open.begin(), .completed)
            let topic = try open.topic("ecommerce.orders.raw")
            try withBytes(order(99)) { value in
                try open.produce(to: topic, partition: 0, key: nil, value: value, timestampMilliseconds: nil)
            }
            open.flush()
            let partition = TopicPartition("ecommerce.orders.raw", 0)
            try service.wait("the high watermark") {
                try service.admin.offsets(.latest, of: [partition], timeout: .seconds(10))[partition] == 27
            }
            usleep(2_500_000)
            XCTAssertEqual(try service.metric("streamkit_lag_records"), 26)
            XCTAssertEqual(open.commit(), .completed)
            try service.waitForMetric("streamkit_lag_records", is: 28)
            // Records count as read once they are committed.
            XCTAssertEqual(try service.metric("streamkit_records_read_total"), 0)
            // SIGTERM commits what was read.
            XCTAssertEqual(service.terminate(), 0)
            XCTAssertEqual(try service.read("ecommerce.orders.validated", partitions: 4, count: 26).count, 26)
        }
    }

    // MARK: Ops pages

    func testTheOpsPagesTellTopologyAndHealth() throws {
        try withService { service in
            try service.start("aggregator")
            XCTAssertEqual(try service.get("/health/live").status, 200)
            XCTAssertEqual(try service.get("/health/ready").status, 503)
            let text = try service.get("/topology").body
            XCTAssertTrue(text.contains("ecommerce.orders.processed") && text.contains("windows"), text)
            XCTAssertTrue(text.contains("refused records topics: ecommerce.orders.dlq"), text)
            let mermaid = try service.get("/topology?format=mermaid").body
            XCTAssertTrue(mermaid.hasPrefix("flowchart") || mermaid.hasPrefix("graph"), mermaid)
            let json = try service.get("/topology?format=json").body
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            XCTAssertEqual(object?["application"] as? String, "orders-aggregator", json)
            XCTAssertEqual(try service.get("/topology?format=dot").status, 400)
            // It waits for its input, says so once, and goes on when it is there.
            try service.wait("the word of it") {
                !service.logged("waiting for a topic that does not exist").isEmpty
            }
            usleep(1_000_000)
            XCTAssertEqual(service.logged("waiting for a topic that does not exist").count, 1)
            try service.createTopics(["ecommerce.orders.processed": 3])
            try service.wait("readiness") { try service.get("/health/ready").status == 200 }
            let topics = try service.admin.topics(timeout: .seconds(10)).mapValues(\.partitions.count)
            XCTAssertEqual(topics["orders-aggregator-windows-changelog"], 3)
            XCTAssertEqual(topics["orders-aggregator-windows-repartition"], 3)
            XCTAssertEqual(topics["ecommerce.orders.aggregations"], 4)
            XCTAssertEqual(topics["ecommerce.orders.dlq"], 4)
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    // MARK: Threads

    func testPartitionsAreSharedByThreads() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 4])
            try service.start("validator", settings: ["threads=3"])
            try service.wait("three threads") {
                try service.metric("streamkit_thread_state", ["state": "running"]) == 3
            }
            try service.wait("all four partitions") {
                try service.admin.describeGroup("orders-validator", timeout: .seconds(10)).members.map(
                    \.partitions.count
                )
                .sorted() == [1, 1, 2]
            }
            try service.write((0..<400).map { order($0) }, to: "ecommerce.orders.raw", partitions: 4)
            try service.waitForMetric("streamkit_records_read_total", is: 400)
            for thread in ["0", "1", "2"] {
                XCTAssertGreaterThanOrEqual(
                    try service.metric("streamkit_records_read_total", ["thread": thread]) ?? 0, 100)
            }
            XCTAssertEqual(try service.read("ecommerce.orders.validated", partitions: 4, count: 400).count, 400)
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    // MARK: Membership

    func testADynamicMemberLeavesAndAStaticOneStays() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 1])
            func members() throws -> Int {
                try service.admin.describeGroup("orders-validator", timeout: .seconds(10)).members.count
            }
            try service.start("validator")
            try service.wait("a member") { try members() == 1 }
            XCTAssertEqual(service.terminate(), 0)
            XCTAssertEqual(try members(), 0)
            try service.start("validator", environment: ["INSTANCE_ID": "one"])
            try service.wait("a member") { try members() == 1 }
            XCTAssertEqual(service.terminate(), 0)
            XCTAssertEqual(try members(), 1)
        }
    }

    // MARK: What is refused

    private let copier = """
        application: copier
        input: [one, two]
        output: {topic: out, partitions: 1}
        dead_letters: {topic: dead, partitions: 1}
        """

    func testInputsWithUnequalPartitionCountsAreRefused() throws {
        try withService { service in
            try service.createTopics(["one": 2, "two": 3])
            try service.start("enricher", file: copier)
            let end = try service.end()
            XCTAssertTrue(end.contains("exit code 1"), end)
            XCTAssertTrue(end.contains("one has 2 partitions and two has 3"), end)
            XCTAssertNil(try service.admin.topics(timeout: .seconds(10))["out"])
        }
    }

    func testAKeywordOfTheSchemaWithoutEffectIsWarnedOfOnceAtTheStart() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 1])
            let schema = service.folder.appending(path: "typo.schema.json")
            let text = #"""
                {"properties": {
                  "amount": {"minimun": 5}}}
                """#
            try text.write(to: schema, atomically: true, encoding: .utf8)
            try service.start("validator", settings: ["schema.file=\(schema.path)"])
            try service.wait("the validator to run") { try service.get("/health/ready").status == 200 }
            let warnings = service.logged("doubtful setting")
            XCTAssertEqual(warnings.map { $0["level"] as? String }, ["warn"])
            XCTAssertEqual(warnings.first?["setting"] as? String, "schema")
            XCTAssertEqual(warnings.first?["place"] as? String, "\(schema.path):2:14")
            XCTAssertEqual(
                warnings.first?["reason"] as? String,
                "#/properties/amount/minimun: unknown keyword minimun: it has no effect")
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    func testAChangelogWithOtherPartitionsIsRefused() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.enriched": 2, "orders-deduplicator-seen-changelog": 5])
            try service.start("deduplicator")
            let end = try service.end()
            XCTAssertTrue(end.contains("exit code 1"), end)
            XCTAssertTrue(end.contains("has 5 partitions") && end.contains("has 2"), end)
        }
    }

    func testLostOffsetsStopTheServiceUnlessItIsToldToGoOn() throws {
        try withService { service in
            try service.createTopics(["one": 1])
            let file = copier.replacingOccurrences(of: "[one, two]", with: "one")
            try service.start("enricher", file: file)
            try service.write((0..<5).map { order($0) }, to: "one")
            XCTAssertEqual(try service.read("out", count: 5).count, 5)
            XCTAssertEqual(service.terminate(), 0)
            try service.write((5..<10).map { order($0) }, to: "one", from: 5)
            try service.write((10..<12).map { order($0) }, to: "one", from: 10)
            // 0 to 4 and a marker, 6 to 10 and a marker, 12 and 13: what was not read is deleted with what was.
            XCTAssertEqual(
                try service.admin.deleteRecords(before: [TopicPartition("one", 0): 12], timeout: .seconds(10)), [:])
            try service.start("enricher", file: file)
            let end = try service.end()
            XCTAssertTrue(end.contains("exit code 1"), end)
            XCTAssertTrue(end.contains("on_lost_offsets: earliest"), end)
            XCTAssertTrue(end.contains("holds 12 to 15"), end)
            try service.start("enricher", file: file, settings: ["on_lost_offsets=earliest"])
            let records = try service.read("out", count: 7)
            XCTAssertEqual(records.suffix(2).map(\.value), [order(10), order(11)])
            XCTAssertEqual(service.logged("offsets lost; going on with the earliest record").count, 1)
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    func testTheStateFolderBelongsToOneInstance() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 1])
            try service.start("validator")
            try service.wait("readiness") { try service.get("/health/ready").status == 200 }
            let second = try ChildProcess(
                "second", executable: try builtProduct("validator"),
                arguments: ["--config", packageFolder.appending(path: "deploy/pipelines/orders/validator.yaml").path],
                environment: [
                    "KAFKA_BOOTSTRAP_SERVERS": service.broker.bootstrapServers,
                    "STATE_DIR": service.folder.appending(path: "state").path,
                ], log: service.folder.appending(path: "second"))
            try service.wait("the second to end") { !second.isRunning }
            XCTAssertTrue(second.unaskedEnd?.contains("exit code 1") ?? false, second.unaskedEnd ?? "")
            XCTAssertTrue(second.lastWords.contains("\(service.process?.pid ?? 0)"), second.lastWords)
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    // MARK: Poison

    func testTenMegabytesBecomeADeadLetterThatIsCut() throws {
        try withService { service in
            try service.createTopics(["ecommerce.orders.raw": 1], ["max.message.bytes": "20000000"])
            let text = Array(#"{"note":""#.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 10_000_000)
            let noText = [UInt8](repeating: 0xFE, count: 10_000_000)
            try service.write([order(1), text, noText, nil, order(2)], to: "ecommerce.orders.raw")
            try service.start("validator")
            XCTAssertEqual(try service.read("ecommerce.orders.validated", partitions: 4, count: 2).count, 2)
            let letters = try service.read("ecommerce.orders.dlq", partitions: 4, count: 3)
            let objects = try letters.map {
                try XCTUnwrap(JSONSerialization.jsonObject(with: Data($0.value ?? [])) as? [String: Any])
            }
            let cut = objects.filter { $0["original_message_truncated"] as? Bool == true }
            XCTAssertEqual(
                cut.map { $0["original_message_bytes"] as? Int }.sorted { $0 ?? 0 < $1 ?? 0 },
                [text.count, noText.count].sorted())
            XCTAssertEqual(cut.filter { $0["original_message_encoding"] as? String == "base64" }.count, 1)
            XCTAssertEqual(objects.filter { $0["original_message"] is NSNull }.count, 1)
            XCTAssertEqual(service.terminate(), 0)
        }
    }

    // MARK: Reference data

    func testReferenceDataOfATopicIsThereBeforeTheFirstRecordAndChangesWithoutARestart() throws {
        let file = """
            application: shop
            input: in
            output: {topic: out, partitions: 1}
            dead_letters: {topic: dead, partitions: 1}
            record: {region: string}
            reference:
              rates: {topic: rates, type: "map(string, decimal)"}
            fields:
              rate: string(rates[region])
            commit: {interval: 100ms, when_drained: 10ms}
            """
        try withService { service in
            try service.createTopics(["in": 1])
            try service.createTopics(["rates": 3], ["cleanup.policy": "compact"])
            try service.write((0..<3_000).map { Array("0.\($0)".utf8) }, to: "rates", partitions: 3)
            try service.write([Array(#"{"region":"k2999"}"#.utf8)], to: "in")
            try service.start("enricher", file: file)
            XCTAssertEqual(
                try service.read("out", count: 1).map(\.valueText), [#"{"region":"k2999","rate":"0.2999"}"#])
            let before = service.logged("reference topic read").count
            XCTAssertEqual(before, 1)
            try service.write([Array("7.5".utf8)], to: "rates", partitions: 3, from: 2_999)
            var number = 1
            try service.wait("the change") {
                try service.write([Array(#"{"region":"k2999"}"#.utf8)], to: "in", from: number)
                number += 1
                return try service.read("out", count: number).last?.valueText.contains("7.5") ?? false
            }
            XCTAssertEqual(service.terminate(), 0)
        }
    }
}
