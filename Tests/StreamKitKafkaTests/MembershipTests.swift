import EmbeddedBroker
import Foundation
import StreamKit
import StreamKitKafka
import Synchronization
import TestSupport
import XCTest

/// What becomes of a member that its group has gone on without.
final class MembershipTests: XCTestCase {
    private func onEmbeddedBroker(_ body: (String) throws -> Void) throws {
        var configuration = BrokerConfiguration()
        configuration.minimumSessionTimeoutMilliseconds = 1_000
        let broker = try EmbeddedBroker(configuration)
        defer { broker.stop() }
        try body(broker.bootstrapServers)
    }

    func testAMemberThatStalledInABatchCommitsNothing() throws {
        try onEmbeddedBroker { try stall($0, isStatic: false) }
    }

    func testAStaticMemberThatStalledInABatchCommitsNothing() throws {
        try onEmbeddedBroker { try stall($0, isStatic: true) }
    }

    func testAMemberThatStalledInABatchCommitsNothingOnKafka() throws {
        try stall(TestKafka.sharedBootstrapServers(), isStatic: false)
    }

    func testAStaticMemberThatStalledInABatchCommitsNothingOnKafka() throws {
        try stall(TestKafka.sharedBootstrapServers(), isStatic: true)
    }

    /// One that is slow leaves the group itself; one that is silent is given up by it.
    func testAMemberWhoseSessionEndedInABatchCommitsNothing() throws {
        try onEmbeddedBroker { try stall($0, isStatic: false, session: .seconds(3)) }
    }

    func testAMemberWhoseSessionEndedInABatchCommitsNothingOnKafka() throws {
        try stall(TestKafka.sharedBootstrapServers(), isStatic: false, session: .seconds(6))
    }

    /// One of two instances does not come back from a record until the other has taken over all partitions and committed all
    /// that there was. Then it finishes its batch, and wants to commit what the other has committed already.
    private func stall(_ servers: String, isStatic: Bool, session: Duration? = nil) throws {
        let bench = try Bench(servers, partitions: 2)
        try bench.fill(400, keys: 20)
        let one = try bench.thread(
            instance: "one", isStatic: isStatic, backends: MemoryStores(), recordsMax: 10,
            pollIntervalMax: session == nil ? .seconds(2) : nil, silentFor: session)
        try bench.turn([one], until: { $0.recordsSeen >= 100 })
        var other: StreamThread?
        var before: ThreadStatus.Snapshot?
        bench.hook.next = {
            do {
                // Not before: a member that nobody turns holds up a rebalance for five minutes, and there is one as soon as
                // something keeps the first from polling for two seconds.
                let two = try bench.thread(
                    instance: "two", isStatic: isStatic, backends: MemoryStores(), recordsMax: 100)
                try bench.turn([two], until: { _ in bench.committedAll })
                other = two
            } catch {
                XCTFail("\(error)")
            }
            before = one.status.snapshot
        }
        try bench.turn(
            [one],
            until: { now in
                guard let before else { return false }
                return now.transactionsAborted > before.transactionsAborted
                    || now.transactionsCommitted > before.transactionsCommitted
            })
        XCTAssertEqual(one.status.snapshot.transactionsCommitted, before?.transactionsCommitted)
        try bench.assertEveryCountOnce()

        // It comes back to the group and takes its share of what follows.
        let two = try XCTUnwrap(other)
        try bench.fill(200, keys: 20, from: 400)
        try bench.turn([one, two], until: { _ in bench.committedAll })
        try bench.assertEveryCountOnce()
    }

    /// librdkafka tells of a fatal error by an event among the records. An event that comes with a rebalance is dropped, as
    /// its records are, and no second one follows.
    func testAMemberThatWasFencedWhileItTookItsPartitionsIsToBeMadeAnew() throws {
        try onEmbeddedBroker { servers in
            let bench = try Bench(servers, partitions: 1)
            let log = FatalErrors()
            let fenced = Taker()
            let first = try member(servers, bench, log)
            let heir = Taker()
            let second = try member(servers, bench, Silence())
            fenced.onAssignment = {
                do {
                    try second.subscribe([bench.input], listener: heir)
                    try self.poll(second, until: { log.count > 0 })
                } catch {
                    XCTFail("\(error)")
                }
            }
            try first.subscribe([bench.input], listener: fenced)
            XCTAssertThrowsError(try poll(first, until: { false })) { error in
                XCTAssertEqual((error as? BrokerFailure)?.response, .recreate, "\(error)")
            }
            XCTAssertEqual(log.count, 1)
            try poll(second, until: { !heir.partitions.isEmpty })
            first.close()
            second.close()
        }
    }

    private func member(_ servers: String, _ bench: Bench, _ log: any RuntimeLog) throws -> any SourceConsumer {
        var settings = KafkaClusterSettings(
            application: bench.application, instance: "the-same", isStaticMember: true, bootstrapServers: servers,
            log: log)
        settings.properties = [("heartbeat.interval.ms", "200")]
        return try KafkaCluster(settings).makeConsumer(thread: 0)
    }

    private func poll(_ consumer: any SourceConsumer, until done: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !done() {
            guard ContinuousClock.now < deadline else { return XCTFail("nothing within 30 s") }
            _ = try consumer.poll(timeoutMilliseconds: 20, maximum: 100)
            consumer.release()
        }
    }
}

/// Notes what it gets; takes none of it.
private final class Taker: AssignmentListener {
    private(set) var partitions: [TopicPartition] = []
    var onAssignment: () -> Void = {}

    func partitionsAssigned(_ partitions: [TopicPartition]) {
        self.partitions = partitions
        onAssignment()
    }

    func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) { self.partitions = [] }
}

/// Counts what librdkafka calls fatal.
private final class FatalErrors: RuntimeLog {
    private let total = Mutex(0)

    var count: Int { total.withLock { $0 } }

    func log(_ level: RuntimeLogLevel, _ message: StaticString, _ fields: [(name: StaticString, value: String)]) {
        if fields.contains(where: { "\($0.name)" == "facility" && $0.value == "FATAL" }) { total.withLock { $0 += 1 } }
    }
}
