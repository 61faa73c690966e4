import StreamKit
import StreamKitTesting
import XCTest

/// Which stores and changelogs a thread goes on from, which it builds anew, and which it refuses.
final class StreamThreadStoreTests: XCTestCase {
    private let input = TopicPartition("in", 0)
    private let changelog = "app-counts-changelog"

    private func stop(_ process: Fixture.Process, turns: Int = 40) -> String {
        for _ in 0..<turns where !process.turn() { break }
        return process.failure?.text ?? "it went on"
    }

    private func restart(_ fixture: Fixture, _ process: Fixture.Process) {
        process.faults.crash()
        process.thread = nil
        fixture.cluster.endSession(application: "app")
    }

    private func refusal(of change: (Fixture) -> Void, plan: ThreadPlan = Fixture.plan()) -> String {
        let first = Fixture(partitions: 1)
        first.produce(10)
        XCTAssertTrue(first.run([first.start()]))
        first.cluster.endSession(application: "app")
        change(first)
        first.produce(5)
        let before = first.cluster.topics.map { first.cluster.records(in: $0, isolation: .readUncommitted) }
        let committed = first.cluster.committed("app", input)
        let process = Fixture.Process(
            first, instance: "0", isStatic: false, faults: FaultPlan(), stores: InMemoryStores())
        process.start(first, plan: plan)
        let text = stop(process)
        XCTAssertEqual(before, first.cluster.topics.map { first.cluster.records(in: $0, isolation: .readUncommitted) })
        XCTAssertEqual(committed, first.cluster.committed("app", input))
        return text
    }

    func testAChangelogOfANewerVersionIsRefusedBeforeAnythingIsTouched() {
        let text = refusal { $0.cluster.append(to: self.changelog, key: [2, 0, 65], value: [1], partition: 0) }
        XCTAssertTrue(text.contains("version 2") && text.contains("reads 1"), text)
    }

    func testAChangelogThatSomebodyElseWroteToIsRefused() {
        XCTAssertTrue(refusal { $0.cluster.append(to: self.changelog, key: "xy", "z") }.contains("version 120"))
        // The last one is a bundle, which this store's entries do not come in.
        for key in [nil, [], [1], [1, 9, 9], [1, 2] + [UInt8](repeating: 0, count: 16)] as [[UInt8]?] {
            let text = refusal { $0.cluster.append(to: self.changelog, key: key, value: [], partition: 0) }
            XCTAssertTrue(text.contains("no program of this kind"), text)
        }
    }

    func testAChangelogWithoutADefinitionIsRefused() {
        let text = refusal { fixture in
            fixture.cluster.deleteTopic(self.changelog)
            fixture.cluster.createTopic(self.changelog)
            fixture.cluster.append(to: self.changelog, key: [1, 0, 65], value: [49], partition: 0)
        }
        XCTAssertTrue(text.contains("does not say what its entries mean"), text)
    }

    func testAStoreWhoseDefinitionChangedIsRefusedNamingBoth() {
        let changed = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("count", stores: [StoreDefinition("counts", format: "count/2")]) { CountingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        let text = refusal(of: { _ in }, plan: Fixture.plan(changed))
        XCTAssertTrue(text.contains("count/1") && text.contains("count/2"), text)
    }

    func testTheDefinitionIsTheFirstThingThatAChangelogSays() {
        for fails in [
            (FaultPlan.Moment.before, BrokerFailure.Response.abort), (.before, .recreate), (.after, .recreate),
        ] {
            let fixture = Fixture(partitions: 1)
            fixture.produce(10)
            let faults = FaultPlan()
            faults.fail(.commit, call: 1, fails.0, fails.1)
            XCTAssertTrue(fixture.run([fixture.start(faults: faults)]))
            XCTAssertEqual(fixture.cluster.records(in: changelog).first?.key, [1, 1])
            XCTAssertEqual(fixture.cluster.records(in: changelog).filter { $0.key == [1, 1] }.count, 1)
        }
    }

    func testTheDefinitionIsWrittenAfterACrashInTheFirstTransaction() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(10)
        let process = fixture.start()
        process.faults.at(.commit, call: 1, .before) { process.faults.crash() }
        XCTAssertFalse(fixture.run([process]))
        restart(fixture, process)
        XCTAssertTrue(fixture.run([fixture.start()]))
        XCTAssertEqual(fixture.cluster.records(in: changelog).first?.key, [1, 1])
        XCTAssertEqual(
            fixture.cluster.records(in: changelog).first?.text.map { Changelog.Definition(text: $0).format }, "count/1")
    }

    /// A process has filled the stores and is gone; then the changelog was deleted, and there is an empty one.
    private func fixtureWithChangelogMadeAnew(under stores: InMemoryStores) -> Fixture {
        let fixture = Fixture(partitions: 1)
        fixture.produce(20, poisonEvery: 0)
        let process = fixture.start(stores: stores)
        XCTAssertTrue(fixture.run([process]))
        restart(fixture, process)
        stores.crash()
        fixture.cluster.deleteTopic(changelog)
        fixture.cluster.createTopic(changelog)
        return fixture
    }

    func testAStoreWhoseChangelogWasMadeAnewIsRebuilt() {
        let stores = InMemoryStores(.durable)
        let fixture = fixtureWithChangelogMadeAnew(under: stores)
        let second = fixture.start(stores: stores)
        for _ in 0..<5 { second.turn() }
        XCTAssertEqual(stores.entries(of: "counts"), [:])
        fixture.append(key: "new", "value")
        XCTAssertTrue(fixture.run([second]))
        XCTAssertEqual(fixture.cluster.records(in: "out").last?.text, "value#1")
        XCTAssertEqual(fixture.changelog(changelog), ["new": "1"])
    }

    /// As long as the old one, or longer: only what it says of itself tells it apart.
    func testAStoreIsRebuiltWhoseChangelogAnotherInstanceMadeAnew() {
        for laterInputs in [20, 60] {
            let stores = InMemoryStores(.durable)
            let fixture = fixtureWithChangelogMadeAnew(under: stores)
            let elsewhere = fixture.start(stores: InMemoryStores(.durable))
            for _ in 0..<laterInputs { fixture.append(key: "new", "value") }
            XCTAssertTrue(fixture.run([elsewhere]))
            restart(fixture, elsewhere)

            let back = fixture.start(stores: stores)
            fixture.append(key: "new", "value")
            XCTAssertTrue(fixture.run([back]))
            XCTAssertEqual(fixture.cluster.records(in: "out").last?.text, "value#\(laterInputs + 1)")
            XCTAssertEqual(stores.entries(of: "counts"), [Array("new".utf8): Array("\(laterInputs + 1)".utf8)])
            XCTAssertTrue(fixture.log.messages().contains { $0.contains("made anew") }, "\(fixture.log.entries)")
        }
    }

    func testAStoreThatCameBackToItsOwnChangelogIsKept() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(60, keys: 30, poisonEvery: 0)
        let stores = InMemoryStores(.durable)
        let first = fixture.start(stores: stores)
        XCTAssertTrue(fixture.run([first]))
        restart(fixture, first)
        stores.crash()
        let elsewhere = fixture.start(stores: InMemoryStores(.durable))
        fixture.produce(10, keys: 30, poisonEvery: 0)
        XCTAssertTrue(fixture.run([elsewhere]))
        restart(fixture, elsewhere)
        // Compaction leaves the definition where it is, and of the rest only what is newest.
        fixture.cluster.compact(changelog)
        let back = fixture.start(stores: stores)
        fixture.produce(3, keys: 30, poisonEvery: 0)
        XCTAssertTrue(fixture.run([back]))
        XCTAssertEqual(fixture.violations(stores: [stores]), [])
        XCTAssertFalse(fixture.log.messages().contains { $0.contains("made anew") }, "\(fixture.log.entries)")
    }

    func testTheDefinitionIsOwedUntilItIsCommittedHoweverOftenTheProcessStarts() {
        let fixture = Fixture(partitions: 1)
        let stores = InMemoryStores(.durable)
        for _ in 0..<3 {
            let process = fixture.start(stores: stores)
            for _ in 0..<5 { XCTAssertTrue(process.turn(), process.failure?.text ?? "") }
            restart(fixture, process)
            stores.crash()
        }
        fixture.produce(5)
        XCTAssertTrue(fixture.run([fixture.start(stores: stores)]))
        XCTAssertEqual(fixture.cluster.records(in: changelog).first?.key, [1, 1])
    }

    func testAnEmptiedStoreStaysReadable() throws {
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("forget", stores: [StoreDefinition("seen", format: "seen/1")]) { ForgettingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        for kind in InMemoryStores.Kind.allCases {
            let plan = ThreadPlan(
                topology: topology, deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "x"))
            let driver = try TopologyTestDriver(plan, stores: kind)
            for round in 0..<3 {
                try driver.pipe("in", key: "a", "put")
                XCTAssertEqual(driver.store("seen"), ["a": "put"])
                try driver.pipe("in", key: "a", nil)
                XCTAssertEqual(driver.store("seen"), [:], "\(kind) \(round)")
                driver.cluster.compact("app-seen-changelog")
                try driver.restart(losingDisk: round == 1)
            }
        }
    }

    func testARollbackAfterARefusedDefinitionGoesOn() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(10)
        XCTAssertTrue(fixture.run([fixture.start()]))
        fixture.cluster.endSession(application: "app")
        let changed = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("count", stores: [StoreDefinition("counts", format: "count/2")]) { CountingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        let disk = InMemoryStores(.durable)
        let wrong = Fixture.Process(fixture, instance: "0", isStatic: false, faults: FaultPlan(), stores: disk)
        wrong.start(fixture, plan: Fixture.plan(changed))
        XCTAssertTrue(stop(wrong).contains("count/2"))
        fixture.cluster.endSession(application: "app")
        fixture.produce(5)
        XCTAssertTrue(fixture.run([fixture.start(stores: disk)]))
        XCTAssertEqual(fixture.violations(stores: [disk]), [])
    }

    func testWhatIsTriedAgainIsNotTriedForEver() {
        let fixture = Fixture(partitions: 1)
        let faults = FaultPlan()
        for call in 1...1000 { faults.fail(.bounds, call: call, .before, .retry) }
        let process = fixture.start(faults: faults)
        XCTAssertTrue(stop(process).contains("bounds"))
        XCTAssertGreaterThan(faults.count(of: .bounds), 100)
        XCTAssertLessThan(faults.count(of: .bounds), 1000)
    }

    /// One with nothing to read, asked for alone, would hold the others up.
    func testPartitionsThatAreRestoredTogetherAreReadTogether() {
        for kind in InMemoryStores.Kind.allCases {
            let fixture = Fixture(partitions: 3)
            fixture.produce(60)
            let stores = InMemoryStores(kind)
            let first = fixture.start(stores: stores)
            XCTAssertTrue(fixture.run([first]))
            restart(fixture, first)
            stores.crash()
            fixture.produce(20)
            let second = fixture.start(stores: stores)
            XCTAssertTrue(fixture.run([second]), second.failure?.text ?? "stands still")
            XCTAssertEqual(second.faults.count(of: .resume), 1, "\(kind)")
            XCTAssertEqual(fixture.violations(stores: [stores]), [])
        }
    }

    func testReadingRestoredPartitionsIsTriedUntilItSucceeds() {
        let fixture = Fixture(partitions: 3)
        fixture.produce(60)
        let faults = FaultPlan()
        // Each attempt is made several times before the turn is given up.
        for call in 1...20 { faults.fail(.resume, call: call, .before, .retry) }
        let process = fixture.start(faults: faults)
        XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
        XCTAssertGreaterThan(faults.count(of: .resume), 20)
        XCTAssertEqual(fixture.violations(), [])
    }

    func testRestoringShowsItsProgress() throws {
        let fixture = Fixture(partitions: 1)
        fixture.produce(60, keys: 60, poisonEvery: 0)
        let first = fixture.start()
        XCTAssertTrue(fixture.run([first]))
        first.thread = nil
        fixture.cluster.endSession(application: "app")
        let second = fixture.start()
        second.client.readerRecordsMax = 10
        var remaining: [Int64] = []
        for _ in 0..<60 where second.status.snapshot.state != .running {
            second.turn()
            let snapshot = second.status.snapshot
            if snapshot.state == .restoring { remaining.append(snapshot.restoreRemaining.values.reduce(0, +)) }
        }
        XCTAssertEqual(second.status.snapshot.state, .running)
        XCTAssertEqual(second.status.snapshot.restoreRemaining, [:])
        XCTAssertGreaterThanOrEqual(remaining.count, 5)
        XCTAssertEqual(remaining, remaining.sorted(by: >))
        XCTAssertGreaterThanOrEqual(remaining.first ?? 0, 50)
    }

    func testChangelogRecordsHaveTheClocksTimeAndNotTheEvents() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(5, poisonEvery: 0)
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]))
        let times = fixture.cluster.records(in: "app-counts-changelog").map(\.timestampMilliseconds)
        XCTAssertFalse(times.isEmpty)
        // Events are of the year 1970 here.
        XCTAssertTrue(times.allSatisfy { abs($0 - fixture.cluster.clock.nowMilliseconds) < 60_000 }, "\(times)")
    }

    func testADurableStoreReadsOnlyTheTailAfterACrash() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(60, keys: 30, poisonEvery: 0)
        let stores = InMemoryStores(.durable)
        let process = fixture.start(stores: stores)
        XCTAssertTrue(fixture.run([process]))
        restart(fixture, process)
        stores.crash()
        let second = fixture.start(stores: stores)
        fixture.produce(3, keys: 30, poisonEvery: 0)
        XCTAssertTrue(fixture.run([second]))
        XCTAssertEqual(fixture.violations(stores: [stores]), [])
        XCTAssertLessThan(second.client.readerRecordCount, 30)
    }
}

/// Keeps the last value of each key, and forgets it with a tombstone.
private final class ForgettingProcessor: Processor {
    override func process(_ record: Record) throws(StreamFault) {
        guard let key = record.key else { return }
        if let value = record.value {
            try context.store("seen").put(key, value)
        } else {
            try context.store("seen").remove(key)
        }
    }
}
