import StreamKit
import StreamKitTesting
import XCTest

/// Writes the numbers 1, 2, 3 ... as time passes, one a second, from a store, whether or not records come.
private final class TickingProcessor: Processor {
    static let store = StoreDefinition("ticks", format: "ticks/1")
    private let store: KeyValueStore
    private var next: Int64?
    private var nextBefore: Int64?

    override init(_ context: ProcessorContext) {
        store = context.store(Self.store.name)
        super.init(context)
    }

    override func committed() { nextBefore = next }
    override func aborted() { next = nextBefore }

    override func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) {
        guard let due = next else {
            next = nowMilliseconds + 1000
            nextBefore = next
            return
        }
        if nowMilliseconds < due { return }
        next = nowMilliseconds + 1000
        var fault: StreamFault?
        Array("n".utf8).withUnsafeBytes { key in
            do throws(StreamFault) {
                let number = (try store.get(key).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0) + 1
                var inner: StreamFault?
                Array(String(number).utf8).withUnsafeBytes { value in
                    do throws(StreamFault) {
                        try store.put(key, value)
                        let origin = Origin(
                            source: 0, offset: 0, key: nil, value: nil, timestampMilliseconds: nowMilliseconds,
                            headers: .none)
                        try forward(
                            Record(key: key, value: value, timestampMilliseconds: nowMilliseconds, origin: origin))
                    } catch { inner = error }
                }
                if let inner { throw inner }
            } catch { fault = error }
        }
        if let fault { throw fault }
    }
}

/// What time alone causes is there once, too: transactions without a single consumed record.
final class StreamThreadTimeTests: XCTestCase {
    private func fixture() -> Fixture {
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("tick", stores: [TickingProcessor.store]) { TickingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        let fixture = Fixture(plan: Fixture.plan(topology), partitions: 1)
        fixture.cluster.createTopic("app-ticks-changelog")
        return fixture
    }

    private func check(_ fixture: Fixture, atLeast: Int, _ name: String) {
        let texts = fixture.cluster.records(in: "out").compactMap(\.text)
        XCTAssertEqual(texts, (0..<texts.count).map { "\($0 + 1)" }, name)
        XCTAssertGreaterThanOrEqual(texts.count, atLeast, name)
        XCTAssertEqual(fixture.changelog("app-ticks-changelog")["n"], texts.last, name)
    }

    func testWhatTimeCausesIsThereOnceUnderEveryFailure() {
        let failures: [(PortOperation, FaultPlan.Moment, BrokerFailure.Response)] = [
            (.begin, .before, .abort), (.begin, .after, .recreate), (.send, .before, .abort), (.flush, .after, .abort),
            (.sendOffsets, .before, .retry), (.sendOffsets, .after, .abort), (.sendOffsets, .after, .recreate),
            (.commit, .before, .retry), (.commit, .before, .abort), (.commit, .before, .recreate),
            (.commit, .after, .retry), (.commit, .after, .recreate),
        ]
        for failure in failures {
            for call in 1...5 {
                let fixture = fixture()
                let faults = FaultPlan()
                faults.fail(failure.0, call: call, failure.1, failure.2)
                let process = fixture.start(faults: faults)
                for _ in 0..<80 { process.turn() }
                check(fixture, atLeast: 5, "\(failure) \(call)")
                XCTAssertEqual(faults.firedCount, 1)
                XCTAssertNil(process.failure)
            }
        }
    }

    func testAZombieCommitsNothingOfWhatTimeCaused() {
        let faults = FaultPlan()
        let healthy = fixture()
        let process = healthy.start(faults: faults)
        for _ in 0..<40 { process.turn() }
        for call in 1...faults.history.count {
            for moment in FaultPlan.Moment.allCases {
                let fixture = fixture()
                let faults = FaultPlan()
                var second: Fixture.Process?
                faults.at(call: call, moment) {
                    fixture.cluster.endSession(application: "app")
                    let other = fixture.start(instance: "1")
                    second = other
                    for _ in 0..<40 { other.turn() }
                }
                let first = fixture.start(faults: faults)
                for _ in 0..<60 { first.turn() }
                for _ in 0..<60 {
                    first.turn()
                    second?.turn()
                }
                check(fixture, atLeast: 3, "\(faults.history[call - 1]) \(call) \(moment)")
                XCTAssertNil(first.failure)
                XCTAssertNil(second?.failure)
            }
        }
    }

    func testARemovalByTimeAloneReachesTheChangelog() throws {
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["in"])
                .process("expire", stores: [StoreDefinition("seen", format: "seen/1")]) { ExpiringProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
        let driver = try TopologyTestDriver(topology)
        try driver.pipe("in", key: "a", "1")
        XCTAssertEqual(driver.store("seen"), ["a": "1"])
        try driver.advance(milliseconds: 20_000)
        XCTAssertEqual(driver.store("seen"), [:])
        XCTAssertEqual(driver.cluster.openTransactions, [])
        try driver.restart()
        XCTAssertEqual(driver.store("seen"), [:])
    }
}

/// Remembers keys, and forgets them all ten seconds after the start.
private final class ExpiringProcessor: Processor {
    private let store: KeyValueStore
    private var cursor = SweepCursor()
    private var startedAt: Int64?

    override init(_ context: ProcessorContext) {
        store = context.store("seen")
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        guard let key = record.key, let value = record.value else { return }
        try store.put(key, value)
    }

    override func clockAdvanced(nowMilliseconds: Int64) throws(StreamFault) {
        let start = startedAt ?? nowMilliseconds
        startedAt = start
        if nowMilliseconds - start < 10_000 { return }
        try store.sweep(&cursor, limit: 100) { _, _ in true }
    }
}
