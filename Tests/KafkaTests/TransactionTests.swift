import Kafka
import TestSupport
import XCTest

final class TransactionTests: XCTestCase {
    func testCommittedRecordsAreReadAsTheyWereWritten() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        try producer.produce(topic, "k", "v", timestamp: 1_700_000_000_123)
        try producer.produce(topic, nil, "", timestamp: 5)
        try producer.produce(topic, "", nil, timestamp: 6)
        let headers = [("a", "1"), ("a", "2"), ("empty", ""), ("null", nil)]
        try producer.produce(topic, nil, "with headers", timestamp: 7, headers: headers)
        XCTAssertEqual(producer.commit(), .completed)

        let received = try readAll(servers, topic)
        XCTAssertEqual(
            received,
            [
                Received(partition: 0, offset: 0, key: "k", value: "v", timestamp: 1_700_000_000_123),
                Received(partition: 0, offset: 1, key: nil, value: "", timestamp: 5),
                Received(partition: 0, offset: 2, key: "", value: nil, timestamp: 6),
                Received(
                    partition: 0, offset: 3, key: nil, value: "with headers", timestamp: 7,
                    headers: ["a=1", "a=2", "empty=", "null=null"]),
            ])
    }

    func testHeadersAreCopiedFromAConsumedRecordAndAddedTo() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let (source, target) = (try createTopic(servers), try createTopic(servers))
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        try producer.produce(source, nil, "v", headers: [("kept", "1"), ("dropped", "1")])
        XCTAssertEqual(producer.commit(), .completed)

        let consumer = try KafkaConsumer(consumerConfiguration(servers))
        try consumer.assign([TopicPartition(source, 0): .beginning])
        XCTAssertEqual(producer.begin(), .completed)
        let output = try producer.topic(target)
        var copied = 0
        while copied == 0 {
            let batch = try consumer.poll(timeout: .milliseconds(100))
            for index in 0..<batch.count {
                guard let record = batch.record(at: index) else { continue }
                let inherited = try XCTUnwrap(record.headers)
                XCTAssertEqual(text(inherited.last("kept")), "1")
                XCTAssertNil(inherited.last("absent"))
                let headers = OutgoingHeaders(copying: inherited)
                headers.remove("dropped")
                headers.add("added", "2")
                try producer.produce(
                    to: output, partition: 0, key: record.key, value: record.value,
                    timestampMilliseconds: record.timestampMilliseconds, headers: headers)
                // Headers that were taken from a record are still the record's: a second output may take them, too.
                for _ in 0..<2 {
                    try producer.produce(
                        to: output, partition: 0, key: record.key, value: record.value,
                        timestampMilliseconds: record.timestampMilliseconds,
                        headers: OutgoingHeaders(taking: inherited))
                    XCTAssertEqual(text(inherited.last("kept")), "1")
                }
                copied += 1
            }
        }
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(
            try readAll(servers, target).map(\.headers),
            [["kept=1", "added=2"], ["kept=1", "dropped=1"], ["kept=1", "dropped=1"]])
    }

    func testAbortedAndOpenTransactionsAreHiddenFromReadersOfCommittedRecords() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let producer = try makeProducer(servers)
        for (value, isCommitted) in [("one", true), ("two", false), ("three", true)] {
            XCTAssertEqual(producer.begin(), .completed)
            try producer.produce(topic, nil, value)
            producer.flush()
            XCTAssertEqual(isCommitted ? producer.commit() : producer.abort(), .completed)
        }
        XCTAssertEqual(producer.begin(), .completed)
        try producer.produce(topic, nil, "open")
        producer.flush()

        let partition = TopicPartition(topic, 0)
        let admin = try makeAdmin(servers)
        let deadline = ContinuousClock.now + .seconds(30)
        var stable: [TopicPartition: Int64] = [:]
        while stable != [partition: 6] && ContinuousClock.now < deadline {
            stable = try admin.offsets(.latestCommitted, of: [partition], timeout: .seconds(10))
        }
        XCTAssertEqual(try readAll(servers, topic, settled: false).map(\.value), ["one", "three"])
        XCTAssertEqual(
            try readAll(servers, topic, isolation: "read_uncommitted", settled: false).map(\.value),
            ["one", "two", "three", "open"])
        let end = try admin.offsets(.latest, of: [partition], timeout: .seconds(10))
        XCTAssertEqual(stable, [partition: 6])
        XCTAssertEqual(end, [partition: 7])
        XCTAssertEqual(producer.abort(), .completed)
    }

    func testAbortDropsWhatIsStillQueued() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let producer = try makeProducer(servers, id: unique("abort"), [("linger.ms", "5000")])
        XCTAssertEqual(producer.begin(), .completed)
        for _ in 0..<1_000 { try producer.produce(topic, nil, "queued") }
        XCTAssertEqual(producer.abort(), .completed)
        XCTAssertEqual(producer.takeDeliveryFailures(), [])
        XCTAssertEqual(producer.begin(), .completed)
        try producer.produce(topic, nil, "next")
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(try readAll(servers, topic).map(\.value), ["next"])
    }

    func testSecondProducerOfAnIdFencesTheFirst() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let id = unique("fenced")
        let zombie = try makeProducer(servers, id: id)
        XCTAssertEqual(zombie.begin(), .completed)
        try zombie.produce(topic, nil, "zombie")
        zombie.flush()

        let successor = try makeProducer(servers, id: id)
        XCTAssertEqual(successor.begin(), .completed)
        try successor.produce(topic, nil, "successor")
        XCTAssertEqual(successor.commit(), .completed)

        guard case .fatal(let error) = zombie.commit() else { return XCTFail("the zombie was not fenced") }
        XCTAssertTrue(error.isFatal)
        XCTAssertNotNil(zombie.fatalError)
        XCTAssertEqual(try readAll(servers, topic).map(\.value), ["successor"])
    }

    func testOffsetsAndTheirMetadataJoinTheTransaction() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 2)
        let group = unique("group")
        let consumer = try KafkaConsumer(consumerConfiguration(servers, [("group.id", group)]))
        let partitions = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
        let committed = [partitions[0]: CommittedOffset(offset: 42, metadata: "watermark=1700000000123 \"é\"")]
        let producer = try makeProducer(servers)

        XCTAssertEqual(try consumer.committed(partitions, timeout: .seconds(10)), [:])
        XCTAssertEqual(producer.begin(), .completed)
        XCTAssertEqual(producer.send(offsets: committed, of: try consumer.groupMetadata()), .completed)
        XCTAssertEqual(producer.abort(), .completed)
        XCTAssertEqual(try consumer.committed(partitions, timeout: .seconds(10)), [:])

        XCTAssertEqual(producer.begin(), .completed)
        XCTAssertEqual(producer.send(offsets: committed, of: try consumer.groupMetadata()), .completed)
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(try consumer.committed(partitions, timeout: .seconds(10)), committed)
        let admin = try makeAdmin(servers)
        XCTAssertEqual(try admin.committedOffsets(of: group, partitions, timeout: .seconds(10)), committed)
    }

    func testRecordThatTheClientCannotSendIsRefusedAlone() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        XCTAssertThrowsError(try producer.produce(topic, nil, String(repeating: "x", count: 2_000_000))) { error in
            guard case .refused(let reason) = error as? ProduceError else { return XCTFail("\(error)") }
            XCTAssertEqual(reason.code, .messageTooLarge)
        }
        try producer.produce(topic, nil, "small")
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(try readAll(servers, topic).map(\.value), ["small"])
    }

    /// Records wait for their request to be full, and no longer than for the queue to be.
    func testFullQueueLeavesBeforeItsRequestsAreFull() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let properties = [
            ("bootstrap.servers", servers), ("transactional.id", unique("producer")), ("linger.ms", "50000"),
            ("queue.buffering.max.messages", "100"),
        ]
        let producer = try TransactionalProducer(
            KafkaConfiguration(KafkaDefaults.producer() + properties), queueFullTimeout: .seconds(20))
        XCTAssertEqual(producer.initializeTransactions(timeout: .seconds(30)), .completed)
        XCTAssertEqual(producer.begin(), .completed)
        for number in 0..<1_000 { try producer.produce(topic, nil, "\(number)") }
        XCTAssertEqual(producer.commit(), .completed)
        XCTAssertEqual(try readAll(servers, topic).count, 1_000)
    }

    func testRecordThatTheBrokerRefusesIsToldByItsPartition() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 2, ["max.message.bytes": "1000"])
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        try producer.produce(topic, nil, "small", partition: 1)
        try producer.produce(topic, nil, String(repeating: "x", count: 5_000))
        guard case .requiresAbort = producer.commit() else { return XCTFail("a record was not written") }
        let failures = producer.takeDeliveryFailures()
        XCTAssertEqual(failures.map(\.error.code), [.messageTooLarge])
        XCTAssertEqual(failures.map(\.partition), [TopicPartition(topic, 0)])
        XCTAssertEqual(failures.map(\.isRefusal), [true])
        XCTAssertEqual(producer.failedDeliveries, 1)
        XCTAssertEqual(producer.abort(), .completed)
        // The refused record's sequence number is missing: the next transaction may have to be aborted for it, once.
        var attempts = 0
        var outcome = TransactionOutcome.retriable(failures[0].error)
        while outcome != .completed && attempts < 2 {
            if attempts > 0 { XCTAssertEqual(producer.abort(), .completed) }
            XCTAssertEqual(producer.begin(), .completed)
            try producer.produce(topic, nil, "after")
            outcome = producer.commit()
            attempts += 1
        }
        XCTAssertEqual(outcome, .completed)
        XCTAssertEqual(try readAll(servers, topic, partitions: 2).map(\.value), ["after"])
    }

    func testProducingOutsideATransactionFails() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        let producer = try makeProducer(servers)
        XCTAssertThrowsError(try producer.produce(topic, nil, "early")) { error in
            guard case .failed(let outcome) = error as? ProduceError else { return XCTFail("\(error)") }
            XCTAssertEqual(outcome.error?.code, .localState)
        }
        guard case .ambiguous = producer.commit() else { return XCTFail("there is nothing to commit") }
    }

    func testProducerThatReachesNobodyCanBeTriedAgainAndDropped() throws {
        let port = try freePorts(1)[0]
        for attempts in 0..<3 {
            let producer = try TransactionalProducer(
                KafkaConfiguration(
                    KafkaDefaults.producer() + [
                        ("bootstrap.servers", "127.0.0.1:\(port)"), ("transactional.id", unique("nobody")),
                    ]))
            for _ in 0..<attempts {
                guard case .retriable = producer.initializeTransactions(timeout: .milliseconds(100)) else {
                    return XCTFail("there is nobody to answer")
                }
            }
            if case .completed = producer.begin() { XCTFail("nothing was initialized") }
        }
    }

    func testProducerDroppedWhileItIsInitialized() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers)
        for round in 0..<20 {
            let producer = try TransactionalProducer(
                KafkaConfiguration(
                    KafkaDefaults.producer() + [
                        ("bootstrap.servers", servers), ("transactional.id", unique("dropped")),
                    ]))
            _ = producer.initializeTransactions(timeout: .milliseconds(round))
            _ = producer.begin()
            try? producer.produce(topic, "k", "v", headers: [("a", "1")])
        }
    }

    func testPartitionCountIsAskedForOnce() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let topic = try createTopic(servers, partitions: 3)
        let producer = try makeProducer(servers)
        XCTAssertEqual(try producer.partitionCount(of: producer.topic(topic), timeout: .seconds(10)), 3)
        let missing = try producer.topic(unique("missing"))
        XCTAssertThrowsError(try producer.partitionCount(of: missing, timeout: .seconds(5))) { error in
            XCTAssertEqual((error as? KafkaError)?.code, .unknownTopicOrPartition)
        }
    }
}
