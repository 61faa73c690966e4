import StreamKit
import StreamKitTesting
import XCTest

final class TopologyTestDriverTests: XCTestCase {
    /// Upper case, without empty values, counted by key.
    private let topology = Topology("app") { flow in
        flow.source("in", topics: ["in"])
            .filter("full") { record throws(Refusal) in
                guard let value = record.value else { throw Refusal("EMPTY", "a tombstone") }
                return !value.isEmpty
            }
            .process("count", stores: [CountingProcessor.store]) { CountingProcessor($0) }
            .mapValue("upper") { record, output in
                for byte in record.value ?? Bytes(start: nil, count: 0) {
                    output.append((97...122).contains(byte) ? byte - 32 : byte)
                }
            }
            .to("out", SinkDefinition("out"))
    }

    func testRecordsInRecordsOut() throws {
        let driver = try TopologyTestDriver(topology, partitions: ["in": 3, "out": 2])
        try driver.pipe("in", key: "a", "one", timestampMilliseconds: 1000, headers: [Header("h", "1")])
        try driver.pipe("in", key: "a", "two", timestampMilliseconds: 999)
        try driver.pipe("in", key: "b", "")
        let records = driver.take("out")
        XCTAssertEqual(records.map(\.text), ["ONE#1", "TWO#2"])
        XCTAssertEqual(records.map(\.keyText), ["a", "a"])
        XCTAssertEqual(records.map(\.timestampMilliseconds), [1000, 999])
        XCTAssertEqual(records[0].header("h"), "1")
        XCTAssertEqual(records[1].headers, [])
        XCTAssertEqual(driver.take("out"), [])
        try driver.pipe("in", key: "a", "three")
        XCTAssertEqual(driver.take("out").map(\.text), ["THREE#3"])
        XCTAssertEqual(driver.store("counts"), ["a": "3"])
    }

    func testBytesThatAreNoText() throws {
        let driver = try TopologyTestDriver(topology)
        try driver.pipe("in", key: [0xFF, 0], bytes: [0xFE])
        let record = try XCTUnwrap(driver.take("out").first)
        XCTAssertEqual(record.key, [0xFF, 0])
        XCTAssertEqual(driver.storeBytes("counts"), [[0xFF, 0]: Array("1".utf8)])
    }

    func testTheClockIsInTheTestsHand() throws {
        let driver = try TopologyTestDriver(topology, nowMilliseconds: 5_000)
        try driver.pipe("in", key: "a", "one")
        XCTAssertEqual(driver.cluster.clock.nowMilliseconds, 5_000)
        XCTAssertEqual(driver.take("out").first?.timestampMilliseconds, 5_000)
        try driver.advance(milliseconds: 250)
        XCTAssertEqual(driver.cluster.clock.nowMilliseconds, 5_250)
    }

    func testARefusedRecordIsADeadLetterThatSaysWhereItWas() throws {
        let driver = try TopologyTestDriver(topology)
        try driver.pipe("in", key: "k", "fine")
        try driver.pipe("in", key: "k", nil, headers: [Header("__streams.errors.topic", "old"), Header("mine", "7")])
        let letter = try XCTUnwrap(driver.take("dead-letters").first)
        XCTAssertEqual(letter.keyText, "k")
        XCTAssertTrue(letter.text?.contains(#""original_message":null,"error_type":"EMPTY""#) ?? false)
        XCTAssertEqual(letter.header("mine"), "7")
        for family in ["__streams.errors.", "__connect.errors."] {
            XCTAssertEqual(letter.header(family + "topic"), "in")
            XCTAssertEqual(letter.header(family + "partition"), "0")
            XCTAssertEqual(letter.header(family + "offset"), "1")
            XCTAssertEqual(letter.header(family + "stage"), "app")
            XCTAssertEqual(letter.header(family + "exception"), "EMPTY")
        }
    }

    func testACorrelationIsKeptMadeOrLeftOut() throws {
        let pass = Topology("app") { flow in flow.source("in", topics: ["in"]).to("out", SinkDefinition("out")) }
        func headers(_ mode: CorrelationMode, _ given: [Header]) throws -> [Header] {
            var plan = ThreadPlan(
                topology: pass, deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "pass"))
            plan.correlation = mode
            let driver = try TopologyTestDriver(plan)
            try driver.pipe("in", key: "k", "v", headers: given)
            return try XCTUnwrap(driver.take("out").first).headers
        }
        let other = Header("other", "x")
        let given = Header("correlation-id", "c-1")
        XCTAssertEqual(try headers(.keep, [given, other]), [given, other])
        XCTAssertEqual(try headers(.keep, []), [])
        XCTAssertEqual(try headers(.make, [other]), [other, Header("correlation-id", "in-0-0")])
        XCTAssertEqual(try headers(.make, [given]), [given])
        XCTAssertEqual(try headers(.off, [given, other]), [other])
        XCTAssertEqual(try headers(.off, []), [])
    }

    func testRecordsWithoutAKeyAreSpreadTheSameWayOnAReplay() throws {
        let pass = Topology("app") { flow in flow.source("in", topics: ["in"]).to("out", SinkDefinition("out")) }
        func partitions() throws -> [Int32] {
            let driver = try TopologyTestDriver(pass, partitions: ["out": 3])
            for number in 0..<6 { try driver.pipe("in", "\(number)") }
            return driver.take("out").sorted { $0.text ?? "" < $1.text ?? "" }.map(\.partition.partition)
        }
        XCTAssertEqual(try partitions(), [0, 1, 2, 0, 1, 2])
        XCTAssertEqual(try partitions(), try partitions())
    }

    func testAnEmptyValueIsNoTombstone() throws {
        let pass = Topology("app") { flow in flow.source("in", topics: ["in"]).to("out", SinkDefinition("out")) }
        let driver = try TopologyTestDriver(pass)
        try driver.pipe("in", key: "", "")
        try driver.pipe("in", key: nil, nil)
        XCTAssertEqual(driver.take("out").map(\.value), [[], nil])
        XCTAssertEqual(driver.cluster.records(in: "out").map(\.key), [[], nil])
    }

    func testARestartKeepsWhatWasCommitted() throws {
        for kind in InMemoryStores.Kind.allCases {
            for losesDisk in [false, true] {
                let plan = ThreadPlan(
                    topology: topology, deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "app"))
                let driver = try TopologyTestDriver(plan, stores: kind)
                try driver.pipe("in", key: "a", "one")
                try driver.restart(losingDisk: losesDisk)
                XCTAssertEqual(driver.store("counts"), ["a": "1"])
                try driver.pipe("in", key: "a", "two")
                XCTAssertEqual(driver.take("out").map(\.text), ["ONE#1", "TWO#2"])
            }
        }
    }

    func testRecordsGoThroughRepartitionTopics() throws {
        let shuffled = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("rekey") { RekeyProcessor($0) }
                .repartition(RepartitionTopic("by-value"))
                .process("count", stores: [CountingProcessor.store]) { CountingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        let driver = try TopologyTestDriver(shuffled, partitions: ["in": 4])
        for number in 0..<8 { try driver.pipe("in", key: "\(number)", "same") }
        XCTAssertEqual(driver.take("out").map(\.text), (1...8).map { "same#\($0)" })
        XCTAssertEqual(driver.store("counts"), ["same": "8"])
    }

    func testWhatTheStepsCountIsSeenAtOnce() throws {
        let counted = Topology("app") { flow in
            flow.source("in", topics: ["in"]).process("seen") { SeenProcessor($0) }.to("out", SinkDefinition("out"))
        }
        let driver = try TopologyTestDriver(counted, partitions: ["in": 2])
        for number in 0..<5 { try driver.pipe("in", key: "\(number)", "x") }
        XCTAssertEqual(driver.counters, ["seen": 5])
    }

    func testTopicsThatDoNotFitAreRefused() {
        let joined = Topology("app") { flow in
            flow.source("in", topics: ["a", "b"]).to("out", SinkDefinition("out"))
        }
        XCTAssertThrowsError(try TopologyTestDriver(joined, partitions: ["a": 2, "b": 3])) { error in
            XCTAssertTrue("\((error as? StreamFault)?.text ?? "")".contains("need equal"), "\(error)")
        }
    }
}

private final class RekeyProcessor: Processor {
    override func process(_ record: Record) throws(StreamFault) {
        var changed = record
        changed.key = record.value
        try forward(changed)
    }
}

private final class SeenProcessor: Processor {
    override func process(_ record: Record) throws(StreamFault) {
        context.counter("seen").count()
        try forward(record)
    }
}
