import StreamKit
import StreamKitTesting
import XCTest

/// Where a thread begins: committed offsets and topics; and how it ends.
final class StreamThreadStartTests: XCTestCase {
    private let input = TopicPartition("in", 0)

    private func plan(_ change: (inout ThreadPlan) -> Void) -> ThreadPlan {
        var plan = Fixture.plan()
        change(&plan)
        return plan
    }

    private func stop(_ process: Fixture.Process, turns: Int = 40) -> String {
        for _ in 0..<turns where !process.turn() { break }
        return process.failure?.text ?? "it went on"
    }

    // MARK: Lost offsets

    func testACommittedOffsetThatIsGoneStopsTheService() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(10)
        fixture.cluster.commit(CommittedOffset(offset: 3, metadata: ""), of: input, for: "app")
        fixture.cluster.deleteRecords(of: input, before: 5)
        let text = stop(fixture.start())
        XCTAssertTrue(text.contains("in-0 from offset 3") && text.contains("on_lost_offsets"), text)
        XCTAssertEqual(fixture.cluster.records(in: "out"), [])
    }

    func testLostOffsetsGoOnWithTheEarliestWhereThePlanSaysSo() {
        for fails in [false, true] {
            let fixture = Fixture(plan: plan { $0.onLostOffsets = .earliest }, partitions: 1)
            fixture.produce(10, poisonEvery: 0)
            fixture.cluster.commit(CommittedOffset(offset: 3, metadata: ""), of: input, for: "app")
            fixture.cluster.deleteRecords(of: input, before: 5)
            let faults = FaultPlan()
            // The group's offset is not where this transaction began: settling it must know both.
            if fails { faults.fail(.commit, call: 1, .before, .recreate) }
            XCTAssertTrue(fixture.run([fixture.start(faults: faults)]))
            XCTAssertEqual(fixture.violations(), [])
            XCTAssertEqual(fixture.cluster.records(in: "out").count, 5)
        }
    }

    func testAPositionThatIsDeletedWhileReadingIsNoticed() {
        for policy in ThreadPlan.LostOffsets.allCases {
            let fixture = Fixture(plan: plan { $0.onLostOffsets = policy }, partitions: 1)
            fixture.produce(30, poisonEvery: 0)
            let process = fixture.start()
            for _ in 0..<4 { process.turn() }
            let read = fixture.cluster.committed("app", input)?.offset ?? 0
            XCTAssertLessThan(read, 20)
            fixture.cluster.deleteRecords(of: input, before: 20)
            switch policy {
            case .stop: XCTAssertTrue(stop(process).contains("on_lost_offsets"))
            case .earliest:
                XCTAssertTrue(fixture.run([process]))
                let texts = fixture.cluster.records(in: "out").compactMap(\.text)
                XCTAssertEqual(Set(texts).count, texts.count)
                XCTAssertTrue(texts.contains { $0.hasPrefix("r21#") })
                XCTAssertFalse(texts.contains { $0.hasPrefix("r20#") })
            }
        }
    }

    func testMetadataOfANewerVersionStopsAndForeignMetadataIsIgnored() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(10)
        fixture.cluster.commit(CommittedOffset(offset: 3, metadata: "2;watermark=1"), of: input, for: "app")
        let text = stop(fixture.start())
        XCTAssertTrue(text.contains("newer version"), text)
        fixture.cluster.endSession(application: "app")
        fixture.cluster.commit(CommittedOffset(offset: 10, metadata: "mirror maker"), of: input, for: "app")
        fixture.produce(2)
        XCTAssertTrue(fixture.run([fixture.start()]))
    }

    // MARK: Topics

    func testAMissingOutputTopicIsNamedAtTheStart() {
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["in"]).to("out", SinkDefinition("nowhere"))
        }
        let process = Fixture(plan: Fixture.plan(topology)).start()
        XCTAssertEqual(process.failure?.text, "cannot write to nowhere: the topic does not exist")
    }

    func testAMissingInputTopicIsWaitedFor() {
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["later"]).to("out", SinkDefinition("out"))
        }
        let fixture = Fixture(plan: Fixture.plan(topology))
        let process = fixture.start()
        for _ in 0..<10 { XCTAssertTrue(process.turn()) }
        fixture.cluster.append(to: "later", key: "a", "b")
        for _ in 0..<10 { XCTAssertTrue(process.turn()) }
        XCTAssertEqual(fixture.cluster.records(in: "out").map(\.text), ["b"])
    }

    // MARK: The loop's end

    func testAStopRequestCommitsLeavesTheGroupAndEnds() throws {
        let fixture = Fixture()
        fixture.produce(20)
        let process = fixture.start()
        process.faults.at(.send, call: 9, .after) { process.status.requestStop() }
        let thread = try XCTUnwrap(process.thread)
        try thread.run()
        XCTAssertEqual(process.status.snapshot.state, .stopped)
        XCTAssertEqual(fixture.cluster.assignments(of: "app"), [:])
        XCTAssertEqual(fixture.cluster.openTransactions, [])
        XCTAssertGreaterThanOrEqual(fixture.cluster.records(in: "out").count, 8)
        XCTAssertTrue(fixture.run([fixture.start()]))
        XCTAssertEqual(fixture.violations(), [])
    }

    func testAFailureEndsTheLoopWithoutCommitting() throws {
        let fixture = Fixture()
        fixture.produce(20)
        let process = fixture.start()
        process.faults.at(.send, call: 3, .after) {
            process.faults.fail(.poll, call: process.faults.count(of: .poll) + 1, .before, .stop)
        }
        let thread = try XCTUnwrap(process.thread)
        XCTAssertThrowsError(try thread.run())
        XCTAssertEqual(process.status.snapshot.state, .failed)
        XCTAssertTrue(process.status.snapshot.reason.contains("poll"))
        XCTAssertEqual(process.faults.count(of: .commit), 0)
        XCTAssertEqual(fixture.cluster.records(in: "out"), [])
        XCTAssertEqual(fixture.cluster.assignments(of: "app"), [:])
        XCTAssertTrue(fixture.run([fixture.start()]))
        XCTAssertEqual(fixture.violations(), [])
    }

    func testAStopWhileTheBrokerDoesNotAnswerEndsWithTheReason() throws {
        let fixture = Fixture()
        fixture.produce(20)
        let process = fixture.start()
        process.faults.at(.commit, call: 1, .before) {
            process.faults.fail(.commit, call: 1, .before, .recreate)
            for call in 2...100 { process.faults.fail(.makeProducer, call: call, .before, .retry) }
        }
        process.faults.at(.makeProducer, call: 30, .before) { process.status.requestStop() }
        let thread = try XCTUnwrap(process.thread)
        XCTAssertThrowsError(try thread.run())
        XCTAssertTrue(
            process.status.snapshot.reason.contains("the next start settles it"), process.status.snapshot.reason)
        XCTAssertTrue(fixture.run([fixture.start()]))
        XCTAssertEqual(fixture.violations(), [])
    }
}
