import JSON
import StreamKit
import StreamKitTesting
import TestSupport
import XCTest

/// A store whose entries expire, and its changelog of bundles, under a deduplication within a second.
final class ExpiringStoreTests: XCTestCase {
    private let changelog = DeduplicationFixture.changelog

    private func driver(_ kind: InMemoryStores.Kind = .volatile) throws -> TopologyTestDriver {
        try TopologyTestDriver(
            ThreadPlan(
                topology: DeduplicationFixture.deduplication,
                deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "app")), stores: kind)
    }

    /// All in one transaction.
    private func pipe(_ driver: TopologyTestDriver, _ records: [(key: String, time: Int64)]) throws {
        for record in records { driver.cluster.append(to: "in", key: record.key, "\(record.key)@\(record.time)") }
        try driver.run()
    }

    private func read(_ driver: TopologyTestDriver) -> BundledChangelog {
        BundledChangelog(driver.cluster, changelog, partition: 0)
    }

    private func passed(_ driver: TopologyTestDriver) -> [String] { driver.take("out").compactMap(\.text) }

    // MARK: What is written

    func testTheEntriesOfATransactionShareARecord() throws {
        let driver = try driver()
        try pipe(driver, (0..<500).map { ("id-\($0)", 10_000 + $0 % 40) })
        let changelog = read(driver)
        // Of a sixteenth of a second each.
        XCTAssertLessThanOrEqual(changelog.bundleCount, 2)
        XCTAssertEqual(changelog.entries.count, 500)
        XCTAssertEqual(changelog.violations(watermark: 10_039, isCompacted: false), [])
        XCTAssertEqual(driver.cluster.records(in: self.changelog).count, 1 + changelog.bundleCount)
        let times = driver.cluster.records(in: self.changelog).map(\.timestampMilliseconds)
        XCTAssertEqual(Set(times), [driver.cluster.clock.nowMilliseconds])
    }

    func testABundleIsCutAt64KiB() throws {
        let driver = try driver()
        let large = String(repeating: "x", count: 100_000)
        try pipe(driver, (0..<800).map { ("\($0)" + String(repeating: "k", count: 150), 10_000) })
        try pipe(driver, [("a", 10_000), (large, 10_000), ("b", 10_000), ("c", 10_000)])
        let sizes = read(driver).living.map(\.value.count)
        XCTAssertEqual(read(driver).living.map(\.name.slot), Array(0..<Int64(sizes.count)))
        XCTAssertEqual(sizes.count, 6)
        XCTAssertTrue(sizes.prefix(2).allSatisfy { (65_000...EntryBundle.bytesMax).contains($0) }, "\(sizes)")
        XCTAssertTrue((100_000..<100_100).contains(sizes.max() ?? 0), "\(sizes)")
        XCTAssertEqual(read(driver).entries.count, 804)
        try driver.restart(losingDisk: true)
        try pipe(driver, [("b", 10_000), (large, 10_000), ("d", 10_000)])
        XCTAssertEqual(passed(driver).last, "d@10000")
        XCTAssertEqual(driver.storeBytes("seen").count, 805)
    }

    func testWhatIsOverAtTheCommitIsNotWritten() throws {
        let driver = try driver()
        try pipe(driver, [("x", 10_380)])
        // So little later nothing is swept; what is over is in the store still.
        try pipe(driver, [("old", 9_400), ("new", 10_410)])
        XCTAssertEqual(Set(driver.store("seen").keys), ["x", "old", "new"])
        XCTAssertEqual(Set(read(driver).entries.keys), ["x", "new"])
        XCTAssertEqual(read(driver).tombstones, [])
    }

    func testATransactionThatOnlySweepsWritesNothing() throws {
        for kind in InMemoryStores.Kind.allCases {
            let driver = try driver(kind)
            try pipe(driver, [("a", 10_000)])
            try pipe(driver, [("b", 10_900)])
            // The first is over, and the end of its bucket is yet to come.
            try pipe(driver, [("c", 11_010)])
            XCTAssertEqual(Set(driver.store("seen").keys), ["b", "c"], "\(kind)")
            XCTAssertEqual(read(driver).tombstones, [])
            XCTAssertEqual(read(driver).bundleCount, 3)
        }
    }

    func testAnExpiringStoreThatNothingWasPutIntoHasNoDefinitionYet() throws {
        let driver = try driver()
        // The watermark is known, the record is over.
        try pipe(driver, [("a", 10_000), ("b", 20_000), ("c", 5_000)])
        XCTAssertEqual(read(driver).definitions, 1)
        let other = try self.driver()
        try other.pipe("in", key: "a", "poison")
        XCTAssertEqual(other.cluster.records(in: changelog).count, 0)
        try other.restart()
        try pipe(other, [("a", 10_000)])
        XCTAssertEqual(other.cluster.records(in: changelog).first?.key, [1, 1])
    }

    // MARK: What dies

    func testDeadBundlesGetOneTombstoneEachAFewAtACommit() throws {
        for kind in InMemoryStores.Kind.allCases {
            let driver = try driver(kind)
            for number in 0..<2_300 { try pipe(driver, [("id-\(number)", 10_000)]) }
            XCTAssertEqual(read(driver).living.count, 2_300)
            // Another process goes on, knowing of them by what it restored.
            try driver.restart()
            try pipe(driver, [("x", 11_062)])
            XCTAssertEqual(read(driver).tombstones.count, 2_000)
            try pipe(driver, [("y", 11_062)])
            try pipe(driver, [("z", 11_062)])
            XCTAssertEqual(read(driver).tombstones.count, 2_300)
            XCTAssertEqual(Set(read(driver).tombstones).count, 2_300)
            XCTAssertEqual(read(driver).violations(watermark: 11_062, isCompacted: false), [])
            XCTAssertEqual(Set(driver.store("seen").keys), ["x", "y", "z"], "\(kind)")
        }
    }

    func testTombstonesAloneAreCommittedWithTheStore() throws {
        let driver = try driver(.durable)
        try pipe(driver, [("a", 10_000), ("b", 10_000)])
        // A record that is refused moves the watermark, and puts nothing into the store.
        try pipe(driver, [("c", 10_900)])
        // Two entries are over, and swept; then the bundle is, so soon after that nothing is swept.
        try pipe(driver, [("c", 11_010)])
        XCTAssertEqual(read(driver).tombstones, [])
        XCTAssertEqual(Set(driver.store("seen").keys), ["c"])
        try pipe(driver, [("c", 11_040)])
        XCTAssertEqual(read(driver).tombstones.count, 1)
        let end = driver.cluster.bounds(of: TopicPartition(changelog, 0))?.end
        XCTAssertEqual(driver.stores.backend("seen")?.position?.offset, end)
        XCTAssertEqual(driver.stores.backend("seen")?.position?.bundles.names, read(driver).living.map(\.name))
        try driver.restart()
        try pipe(driver, [("d", 11_801)])
        XCTAssertEqual(read(driver).violations(watermark: 11_801, isCompacted: false), [])
    }

    // MARK: What is restored

    /// An entry may be over while others of its bundle are not: it comes back, and counts for nothing.
    func testWhatIsRestoredAfterItsTimeIsAbsent() throws {
        for kind in InMemoryStores.Kind.allCases {
            let driver = try driver(kind)
            try pipe(driver, [("a", 9_980), ("b", 10_030)])
            XCTAssertEqual(read(driver).bundleCount, 1)
            try pipe(driver, [("c", 11_000)])
            XCTAssertEqual(driver.store("seen").count, 2)
            try driver.restart(losingDisk: true)
            XCTAssertEqual(driver.store("seen").count, 3)
            _ = passed(driver)
            // Both within a second of what came before; the first is over, so that nobody knows it.
            try pipe(driver, [("a", 10_970), ("b", 10_970)])
            XCTAssertEqual(passed(driver), ["a@10970"])
            try pipe(driver, [("d", 13_000)])
            XCTAssertEqual(Set(driver.store("seen").keys), ["d"], "\(kind)")
            XCTAssertEqual(read(driver).violations(watermark: 13_000, isCompacted: false), [])
        }
    }

    func testARestartThatReadsOnlyTheTailKnowsTheBundlesBeforeIt() throws {
        let fixture = DeduplicationFixture(partitions: 1)
        let stores = InMemoryStores(.durable)
        func run(_ records: [(String, Int64)]) -> Fixture.Process {
            for (key, time) in records { fixture.append(key: key, "\(key)@\(time)") }
            stores.crash()
            fixture.cluster.endSession(application: "app")
            let process = fixture.start(stores: stores)
            XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
            return process
        }
        run((0..<60).map { ("id-\($0)", 10_000 + $0) }).faults.crash()
        let written = BundledChangelog(fixture.cluster, DeduplicationFixture.changelog, partition: 0).bundleCount
        XCTAssertGreaterThan(written, 2)
        let second = run([("late", 10_500), ("later", 11_500), ("last", 12_600)])
        XCTAssertLessThanOrEqual(second.client.readerRecordCount, 1)
        XCTAssertEqual(fixture.violations(stores: [stores]), [])
        let changelog = BundledChangelog(fixture.cluster, DeduplicationFixture.changelog, partition: 0)
        XCTAssertGreaterThanOrEqual(changelog.tombstones.count, written)
    }

    /// Somebody set the group's offsets anew: event time begins again, and so do buckets that were dead.
    func testBucketsBeginAgainWhenTheWatermarkIsLost() throws {
        for kind in InMemoryStores.Kind.allCases {
            let driver = try driver(kind)
            try pipe(driver, [("a", 10_000)])
            try pipe(driver, [("b", 10_000)])
            try pipe(driver, [("c", 11_062)])
            try pipe(driver, [("d", 11_062)])
            XCTAssertEqual(read(driver).tombstones.count, 2)
            for _ in 0..<2 {
                let input = TopicPartition("in", 0)
                driver.cluster.commit(
                    CommittedOffset(offset: try XCTUnwrap(driver.cluster.bounds(of: input)?.end), metadata: ""),
                    of: input, for: "app")
                try driver.restart()
                for key in ["e", "f", "g"] { try pipe(driver, [(key, 10_000)]) }
                XCTAssertEqual(read(driver).violations(watermark: 10_000, isCompacted: false), [])
                for time in [11_062, 11_062, 12_200, 12_300] as [Int64] { try pipe(driver, [("x\(time)", time)]) }
                XCTAssertEqual(read(driver).violations(watermark: 12_300, isCompacted: false), [], "\(kind)")
            }
            XCTAssertEqual(Set(driver.store("seen").keys), ["x12200", "x12300"])
        }
    }

    /// Deleted, and there again, empty: neither entries nor bundles of the old one are left.
    func testAStoreWhoseChangelogWasMadeAnewBeginsAgain() throws {
        let driver = try driver(.durable)
        for key in ["a", "b", "c"] { try pipe(driver, [(key, 10_000)]) }
        driver.cluster.deleteTopic(changelog)
        driver.cluster.createTopic(changelog)
        try driver.restart()
        XCTAssertEqual(driver.store("seen"), [:])
        XCTAssertEqual(driver.stores.backend("seen")?.position?.bundles.names, [])
        try pipe(driver, [("a", 10_000)])
        XCTAssertEqual(read(driver).living.map(\.name.slot), [0])
        try pipe(driver, [("d", 11_062)])
        XCTAssertEqual(read(driver).violations(watermark: 11_062, isCompacted: false), [])
    }

    /// Whoever asks is told nothing of what is over, swept or not.
    func testWhatIsOverIsNotFound() throws {
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("remember", stores: [RememberingProcessor.store]) { RememberingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        for kind in InMemoryStores.Kind.allCases {
            let driver = try TopologyTestDriver(
                ThreadPlan(
                    topology: topology, deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "app")),
                stores: kind)
            func found(_ key: String, at time: Int64) throws -> String? {
                try driver.pipe("in", key: key, "+50", timestampMilliseconds: time)
                return driver.take("out").last?.text
            }
            XCTAssertEqual(try found("a", at: 1_000), "none")
            XCTAssertEqual(try found("a", at: 1_049), "1050")
            XCTAssertEqual(try found("b", at: 1_098), "none")
            // Over at 1,099, and not yet swept.
            XCTAssertEqual(try found("a", at: 1_099), "none")
            XCTAssertEqual(try found("c", at: 1_400), "none")
            try driver.pipe("in", key: "sweep", nil, timestampMilliseconds: 1_400)
            XCTAssertEqual(Set(driver.store("memory").keys), ["c"])
            // No broker has compacted the changelog: the bundles of the others are read, and left out.
            try driver.restart(losingDisk: true)
            XCTAssertEqual(Set(driver.store("memory").keys), ["c"], "\(kind)")
            XCTAssertEqual(try found("b", at: 1_400), "none")
            XCTAssertEqual(try found("c", at: 1_400), "1450")
        }
    }

    func testWildEventTimesGiveFewBundles() throws {
        let driver = try driver()
        var random = SeededRandom(seed: 4)
        try pipe(driver, [("first", 10_000)])
        func wild(_ names: String) throws {
            try pipe(
                driver,
                (0..<900).map { number in
                    (
                        "\(names)\(number)",
                        Int64.random(in: -10_000...(1 << Int64.random(in: 20...62, using: &random)), using: &random)
                    )
                } + [("max", .max), ("min", .min)])
        }
        for round in 0..<5 {
            let before = read(driver).bundleCount
            try wild("\(round)-")
            XCTAssertLessThan(read(driver).bundleCount - before, 200)
        }
        XCTAssertLessThan(Set(read(driver).living.map(\.name.bucketEndMilliseconds)).count, 200)
        let before = driver.storeBytes("seen")
        XCTAssertGreaterThan(before.count, 2_000)
        try driver.restart()
        for (key, value) in before { XCTAssertEqual(driver.storeBytes("seen")[key], value); break }
        XCTAssertTrue(
            Set(driver.storeBytes("seen").keys).isSuperset(of: read(driver).entries.keys.map { Array($0.utf8) }))
    }

    // MARK: What is refused

    /// The thread's reason not to go on with what somebody appended to its changelog.
    private func refusal(_ key: [UInt8], _ value: [UInt8]?) throws -> String {
        let driver = try driver()
        try pipe(driver, [("a", 10_000)])
        driver.cluster.append(to: changelog, key: key, value: value, partition: 0)
        var text = "it went on"
        XCTAssertThrowsError(try driver.restart()) { text = ($0 as? StreamFault)?.text ?? "" }
        return text
    }

    func testWhatIsNoBundleIsRefusedNamingItsPlace() throws {
        let buffer = OutputBuffer()
        Changelog.encode(EntryBundle.Name(bucketEndMilliseconds: 20_000, slot: 0), into: buffer)
        let key = [UInt8](buffer.bytes)
        for value in [[1], [1, 0, 0, 0, 1, 0, 0, 0, 65], [UInt8](repeating: 255, count: 20)] as [[UInt8]] {
            let text = try refusal(key, value)
            XCTAssertTrue(text.contains("\(changelog)-0 offset 3") && text.contains("no program of this kind"), text)
        }
        // An entry for itself, a name that is cut.
        for key in [[1, 0, 65], Array(key.dropLast())] as [[UInt8]] {
            let text = try refusal(key, [49])
            XCTAssertTrue(text.contains("no program of this kind"), text)
        }
    }

    func testAChangelogOfSingleEntriesIsRefusedNamingBothForms() throws {
        let driver = try driver()
        driver.cluster.append(
            to: changelog, key: [1, 1], value: Array("deduplication/1 1000ms\nchangelog=1".utf8), partition: 0)
        driver.cluster.append(to: changelog, key: [1, 0, 65], value: [UInt8](repeating: 0, count: 16), partition: 0)
        XCTAssertThrowsError(try driver.restart()) { error in
            let text = (error as? StreamFault)?.text ?? ""
            XCTAssertTrue(text.contains("deduplication/1 1000ms") && text.contains("deduplication/2 1000ms"), text)
        }
    }
}

/// Keeps for each key when it will be over: its time, and as many milliseconds more as the value says. Forwards what was there
/// before; sweeps when there is no value.
private final class RememberingProcessor: Processor {
    static let store = StoreDefinition(
        "memory", format: "memory/1",
        expiry: StoreExpiry(spanMilliseconds: 100) { Int64(String(decoding: $0, as: UTF8.self)) ?? .min })

    override func process(_ record: Record) throws(StreamFault) {
        let store = context.expiringStore("memory")
        guard let key = record.key, let value = record.value else {
            var cursor = SweepCursor()
            while !(try store.sweep(&cursor, limit: 10)) {}
            return
        }
        context.time.observe(eventTimeMilliseconds: record.eventTimeMilliseconds)
        let found = try store.get(key).map { String(decoding: $0, as: UTF8.self) } ?? "none"
        let more = Int64(String(decoding: value, as: UTF8.self).dropFirst()) ?? 0
        var changed = record
        try Array(found.utf8).withBytes { (text) throws(StreamFault) in
            changed.value = text
            try forward(changed)
        }
        try Array("\(record.eventTimeMilliseconds + more)".utf8).withBytes { (text) throws(StreamFault) in
            try store.put(key, text)
        }
    }
}
