import Kafka
import TestSupport
import XCTest

final class AdminTests: XCTestCase {
    private let limit = Duration.seconds(20)

    func testTopicIsCreatedDescribedAndDeleted() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let admin = try makeAdmin(servers)
        let name = unique("topic")
        let topic = NewTopic(name, partitions: 3, configuration: ["cleanup.policy": "compact"])
        XCTAssertEqual(try admin.createTopics([topic], timeout: limit), [:])
        let described = try XCTUnwrap(admin.topics([name], timeout: limit)[name])
        XCTAssertEqual(described.partitions.map(\.id), [0, 1, 2])
        XCTAssertEqual(described.partitions.map(\.replicas.count), [1, 1, 1])
        XCTAssertNotNil(described.partitions[0].leader)
        XCTAssertNotNil(try admin.topics(timeout: limit)[name])
        XCTAssertEqual(try admin.topicConfiguration(name, timeout: limit)["cleanup.policy"], "compact")

        let again = try admin.createTopics([topic], timeout: limit)
        XCTAssertEqual(again[name]?.code, .topicAlreadyExists)
        XCTAssertEqual(again[name]?.subject, name)
        XCTAssertEqual(try admin.deleteTopics([name], timeout: limit), [:])
        // The controller answers before the brokers have forgotten it.
        let deadline = ContinuousClock.now + limit
        while try admin.topics([name], timeout: limit)[name] != nil && ContinuousClock.now < deadline {}
        let missing = try admin.deleteTopics([name], timeout: limit)
        XCTAssertEqual(missing[name]?.code, .unknownTopicOrPartition)
        XCTAssertThrowsError(try admin.topicConfiguration(name, timeout: limit))
    }

    func testTopicsThatCannotBeAreRefusedByNameAndTheOthersCreated() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let admin = try makeAdmin(servers)
        let good = unique("topic")
        let failures = try admin.createTopics(
            [
                NewTopic(good, partitions: 1), NewTopic("with/slash", partitions: 1),
                NewTopic("no-such-setting", partitions: 1, configuration: ["no.such.setting": "1"]),
            ], timeout: limit)
        XCTAssertEqual(Set(failures.keys), ["with/slash", "no-such-setting"])
        XCTAssertNotNil(try admin.topics([good], timeout: limit)[good])
    }

    func testOffsetsAndDeletedRecords() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let admin = try makeAdmin(servers)
        let name = try createTopic(servers, partitions: 2)
        let producer = try makeProducer(servers)
        XCTAssertEqual(producer.begin(), .completed)
        for number: Int64 in 1...5 {
            try producer.produce(name, nil, "v", timestamp: 1_000 * number)
        }
        XCTAssertEqual(producer.commit(), .completed)
        let (zero, one) = (TopicPartition(name, 0), TopicPartition(name, 1))
        try settle(servers, name, partitions: 2, ends: [0: 6])
        XCTAssertEqual(try admin.offsets(.latest, of: [zero, one], timeout: limit), [zero: 6, one: 0])
        XCTAssertEqual(try admin.offsets(.timestamp(2_500), of: [zero], timeout: limit), [zero: 2])
        // The transaction's marker has an offset and a time of its own: the present.
        XCTAssertEqual(try admin.offsets(.timestamp(9_000), of: [zero, one], timeout: limit), [zero: 5, one: 0])
        XCTAssertEqual(try admin.deleteRecords(before: [zero: 3], timeout: limit), [:])
        XCTAssertEqual(try admin.offsets(.earliest, of: [zero, one], timeout: limit), [zero: 3, one: 0])
        let failures = try admin.deleteRecords(before: [zero: 4, one: 100], timeout: limit)
        XCTAssertEqual(failures.mapValues(\.code), [one: .offsetOutOfRange])
    }

    func testGroupIsDescribedResetAndDeleted() throws {
        let servers = try TestKafka.sharedBootstrapServers()
        let admin = try makeAdmin(servers)
        let name = try createTopic(servers, partitions: 2)
        let group = unique("group")
        let (zero, one) = (TopicPartition(name, 0), TopicPartition(name, 1))

        XCTAssertEqual(try admin.describeGroup(group, timeout: limit).members, [])
        let consumer = try KafkaConsumer(
            consumerConfiguration(servers, [("group.id", group), ("client.id", "reader")]))
        try consumer.subscribe(to: [name])
        try consumer.poll(until: { (try? consumer.assignment().count) == 2 })
        let described = try admin.describeGroup(group, timeout: limit)
        XCTAssertEqual(described.state, .stable)
        XCTAssertEqual(described.members.map(\.clientId), ["reader"])
        XCTAssertEqual(described.members.map { Set($0.partitions) }, [[zero, one]])
        XCTAssertTrue(try admin.consumerGroups(timeout: limit).contains(group))
        let early = try admin.deleteGroups([group], timeout: limit)
        XCTAssertEqual(early[group]?.code, .nonEmptyGroup)
        XCTAssertTrue(try consumer.close(timeout: .seconds(10)))

        let offsets = [zero: CommittedOffset(offset: 3, metadata: "m"), one: CommittedOffset(offset: 4)]
        XCTAssertEqual(try admin.setCommittedOffsets(of: group, offsets, timeout: limit), [:])
        XCTAssertEqual(try admin.committedOffsets(of: group, [zero, one], timeout: limit), offsets)
        XCTAssertEqual(try admin.deleteCommittedOffsets(of: group, [zero], timeout: limit), [:])
        XCTAssertEqual(
            try admin.committedOffsets(of: group, [zero, one], requireStable: true, timeout: limit), [one: offsets[one]]
        )
        XCTAssertEqual(try admin.describeGroup(group, timeout: limit).state, .empty)
        XCTAssertEqual(try admin.deleteGroups([group], timeout: limit), [:])
        XCTAssertFalse(try admin.consumerGroups(timeout: limit).contains(group))
    }

    func testUnreachableClusterIsATimeoutNotAHang() throws {
        let port = try freePorts(1)[0]
        let admin = try makeAdmin("127.0.0.1:\(port)")
        XCTAssertThrowsError(try admin.topics(timeout: .milliseconds(200))) { error in
            XCTAssertEqual((error as? KafkaError)?.code.leavesOutcomeUnknown, true)
        }
        XCTAssertThrowsError(try admin.createTopics([NewTopic("t", partitions: 1)], timeout: .milliseconds(200)))
    }
}
