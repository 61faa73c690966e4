import EmbeddedBroker
import Foundation
import Kafka
import enum StreamKit.Murmur2
import XCTest

final class TopicsAndTailTests: XCTestCase {
    func testTopicsCountWhatReadersOfCommittedRecordsGet() throws {
        let broker = try broker(["a.orders": 2, "a.other": 1, "b": 1])
        let producer = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(producer.begin(), .completed)
        for number in 0..<5 { try producer.send("a.orders", "k", Array("\(number)".utf8), partition: 1) }
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(producer.begin(), .completed)
        // An open transaction: nobody can read these.
        for number in 0..<7 { try producer.send("a.orders", "k", Array("\(number)".utf8), partition: 1) }
        producer.flush()
        let json = try Streamctl.run("topics", "--prefix", "a.", "--output", "json", servers: broker.bootstrapServers)
        XCTAssertEqual(json.code, 0, json.error)
        XCTAssertEqual(
            json.lines,
            [
                #"{"topic":"a.orders","partitions":2,"replication":1,"records":6,"cleanup_policy":"delete","retention_ms":604800000}"#,
                #"{"topic":"a.other","partitions":1,"replication":1,"records":0,"cleanup_policy":"delete","retention_ms":604800000}"#,
            ])
        let text = try Streamctl.run("topics", servers: broker.bootstrapServers)
        XCTAssertEqual(
            text.lines.map { $0.split(separator: " ").joined(separator: " ") },
            [
                "TOPIC PARTITIONS REPLICATION RECORDS CLEANUP RETENTION", "a.orders 2 1 6 delete 7d",
                "a.other 1 1 0 delete 7d", "b 1 1 0 delete 7d",
            ])
        _ = producer.abort()
    }

    func testTailShowsCommittedRecordsWithAllTheyHave() throws {
        let broker = try broker(["t": 2])
        let producer = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(producer.begin(), .completed)
        try producer.send(
            "t", "key", Array(#"{"é":"\n"}"#.utf8), partition: 1, timestamp: 1_768_318_245_123,
            headers: [("correlation-id", Array("c 1".utf8)), ("none", nil)])
        try producer.send("t", nil, nil, partition: 1, timestamp: 1)
        try producer.send("t", "", [0xFF, 0x1B, 0x0A, 0x41], partition: 1, timestamp: 1)
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(producer.begin(), .completed)
        try producer.send("t", "aborted", Array("x".utf8), partition: 1)
        XCTAssertEqual(producer.abort(), .completed)
        let text = try Streamctl.run("tail", "t", servers: broker.bootstrapServers)
        XCTAssertEqual(text.code, 0, text.error)
        XCTAssertEqual(
            text.lines,
            [
                #"t-1@0 2026-01-13T15:30:45.123Z key [correlation-id=c 1, none=null] {"é":"\n"}"#,
                "t-1@1 1970-01-01T00:00:00.001Z null null",
                #"t-1@2 1970-01-01T00:00:00.001Z  \xff\x1b\nA"#,
            ])
        let json = try Streamctl.run("tail", "t", "--output", "json", servers: broker.bootstrapServers)
        XCTAssertEqual(
            json.lines,
            [
                #"{"topic":"t","partition":1,"offset":0,"timestamp":"2026-01-13T15:30:45.123Z","key":"key","headers":"#
                    + #"[{"name":"correlation-id","value":"c 1"},{"name":"none","value":null}],"value":"{\"é\":\"\\n\"}"}"#,
                #"{"topic":"t","partition":1,"offset":1,"timestamp":"1970-01-01T00:00:00.001Z","key":null,"headers":[],"value":null}"#,
                #"{"topic":"t","partition":1,"offset":2,"timestamp":"1970-01-01T00:00:00.001Z","key":"","headers":[],"#
                    + #""value":"/xsKQQ==","value_encoding":"base64"}"#,
            ])
    }

    func testTailBeginsAndEndsWhereItIsTold() throws {
        let broker = try broker(["t": 2])
        let lines = (0..<10).map { "k\t\($0)\n" }.joined()
        let written = try Streamctl.run("produce", "t", servers: broker.bootstrapServers, input: lines)
        XCTAssertEqual(written.code, 0, written.error)
        func values(_ arguments: String...) throws -> [String] {
            let result = try Streamctl.run(
                ["tail", "t", "--output", "json"] + arguments, servers: broker.bootstrapServers)
            XCTAssertEqual(result.code, 0, result.error)
            return try result.lines.map { try json($0)["value"] as? String ?? "" }
        }
        let partition =
            try json(
                XCTUnwrap(
                    try Streamctl.run("tail", "t", "--count", "1", "--output", "json", servers: broker.bootstrapServers)
                        .lines.first))["partition"] as? Int
        XCTAssertEqual(try values(), (0..<10).map { "\($0)" })
        XCTAssertEqual(try values("--count", "3"), ["0", "1", "2"])
        XCTAssertEqual(try values("--from", "8"), ["8", "9"])
        // The end is behind the transaction's marker.
        XCTAssertEqual(try values("--from", "-3"), ["8", "9"])
        XCTAssertEqual(try values("--from", "end"), [])
        XCTAssertEqual(try values("--partition", "\(1 - (partition ?? 0))"), [])
    }

    func testTailFollowsWhatComes() throws {
        let broker = try broker(["t": 1])
        let tail = try Streamctl(["tail", "t", "--follow", "--from", "start"], servers: broker.bootstrapServers)
        for number in 1...3 {
            _ = try Streamctl.run("produce", "t", servers: broker.bootstrapServers, input: "key\tvalue \(number)\n")
            XCTAssertNotNil(tail.line(with: "value \(number)"))
        }
        tail.signal(SIGINT)
        XCTAssertEqual(try tail.end().code, -SIGINT)
    }

    func testProduceCreatesTopicsAndChoosesPartitionsByKey() throws {
        let broker = try broker([:])
        let input = "a\t1\nb\t2\n\tno key\nno tab\na\t\n"
        let result = try Streamctl.run(
            "produce", "new", "--create", "8", servers: broker.bootstrapServers, input: input)
        XCTAssertEqual(result.code, 0, result.error)
        let tail = try Streamctl.run("tail", "new", "--output", "json", servers: broker.bootstrapServers)
        let records = try tail.lines.map(json)
        XCTAssertEqual(
            Set(records.map { "\($0["key"] as? String ?? "null")=\($0["value"] as? String ?? "null")" }),
            ["a=1", "b=2", "null=no key", "null=no tab", "a=null"])
        for record in records {
            guard let key = record["key"] as? String else { continue }
            let partition = Array(key.utf8).withUnsafeBytes { Murmur2.partition(of: $0, among: 8) }
            XCTAssertEqual(record["partition"] as? Int, Int(partition))
        }
        let unknown = try Streamctl.run("produce", "missing", servers: broker.bootstrapServers, input: "x\n")
        XCTAssertEqual(unknown.code, 1)
        XCTAssertEqual(
            unknown.error, "streamctl produce: there is no topic missing; --create PARTITIONS makes it\n")
    }

    func testWhatIsNotThereIsNamed() throws {
        let broker = try broker(["t": 1])
        let topic = try Streamctl.run("tail", "nowhere", servers: broker.bootstrapServers)
        XCTAssertEqual(topic.code, 1)
        XCTAssertEqual(topic.error, "streamctl tail: there is no topic nowhere\n")
        let partition = try Streamctl.run("tail", "t", "--partition", "4", servers: broker.bootstrapServers)
        XCTAssertEqual(partition.code, 1)
        XCTAssertEqual(partition.error, "streamctl tail: t has no partition 4, but 1\n")
    }

    func testSummaryCountsByTheValuesOfAField() throws {
        let broker = try broker(["dlq": 1, "raw": 1])
        let letters = """
            {"error_type":"LATE","error_message":"by 3 s"}
            {"error_type":"LATE","error_message":"by 5 s"}
            {"error_type":"MALFORMED_JSON","error_message":"at byte 3"}
            no json

            """
        _ = try Streamctl.run("produce", "dlq", servers: broker.bootstrapServers, input: letters)
        let result = try Streamctl.run(
            "summary", "raw", "dlq:error_type:error_message", servers: broker.bootstrapServers)
        XCTAssertEqual(result.code, 0, result.error)
        XCTAssertEqual(
            result.lines,
            [
                "raw          0", "dlq          4", "    LATE                  2  by 5 s",
                "    (none)                1  no json", "    MALFORMED_JSON        1  at byte 3",
            ])
    }

    func testDeadLettersAreListedAndCounted() throws {
        let broker = try broker(["dlq": 1])
        let producer = try TransactionalProducer.make(broker.bootstrapServers)
        XCTAssertEqual(producer.begin(), .completed)
        for (number, reason) in ["LATE", "DUPLICATE", "LATE"].enumerated() {
            let value =
                #"{"original_message":"x","error_type":"\#(reason)","error_message":"no \#(number)\n","#
                + #""error_timestamp":"2026-01-13T15:30:46.234Z"}"#
            try producer.send(
                "dlq", "k\(number)", Array(value.utf8),
                headers: [
                    ("__streams.errors.topic", Array("in".utf8)), ("__streams.errors.partition", Array("3".utf8)),
                    ("__streams.errors.offset", Array("\(number)".utf8)),
                    ("__streams.errors.stage", Array("app".utf8)),
                ])
        }
        XCTAssertEqual(producer.commit(), .completed)
        let list = try Streamctl.run("dlq", "list", "dlq", "--reason", "LATE", servers: broker.bootstrapServers)
        XCTAssertEqual(
            list.lines,
            [
                #"2026-01-13T15:30:46.234Z app LATE in-3@0 k0 no 0\n"#,
                #"2026-01-13T15:30:46.234Z app LATE in-3@2 k2 no 2\n"#,
            ])
        let counts = try Streamctl.run("dlq", "count", "dlq", "--output", "json", servers: broker.bootstrapServers)
        XCTAssertEqual(
            counts.lines,
            [
                #"{"stage":"app","reason":"LATE","count":2,"latest":"no 2\\n"}"#,
                #"{"stage":"app","reason":"DUPLICATE","count":1,"latest":"no 1\\n"}"#,
            ])
    }
}
