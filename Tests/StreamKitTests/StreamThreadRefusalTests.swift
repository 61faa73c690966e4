import Foundation
import StreamKit
import StreamKitTesting
import XCTest

/// Outputs that cannot be written: the record to blame becomes a dead letter and leaves nothing else behind.
final class StreamThreadRefusalTests: XCTestCase {
    private let large = "big" + String(repeating: "x", count: 200)

    private func mixed(_ fixture: Fixture) {
        for index in 0..<30 {
            fixture.append(key: "k\(index % 3)", index % 8 == 5 ? "\(large)\(index)" : "r\(index)")
        }
        fixture.isRefused = { $0.hasPrefix("big") }
    }

    func testAnOutputTheBrokerRefusesMakesOnlyItsRecordADeadLetter() {
        let fixture = Fixture()
        fixture.cluster.createTopic("out", maximumRecordBytes: 150)
        mixed(fixture)
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
        XCTAssertEqual(fixture.violations(stores: [process.stores]), [])
        XCTAssertEqual(process.status.snapshot.deadLetters, ["OUTPUT_REFUSED": 4])
        fixture.produce(20, poisonEvery: 0)
        let before = process.status.snapshot.transactionsCommitted
        XCTAssertTrue(fixture.run([process]))
        XCTAssertLessThan(process.status.snapshot.transactionsCommitted - before, 12, "isolation never ended")
    }

    func testTheLogNamesTheRecordWhoseOutputWasRefused() {
        let fixture = Fixture(partitions: 1)
        fixture.cluster.createTopic("out", maximumRecordBytes: 150)
        fixture.append(key: "k", "r0")
        fixture.append(key: "k", large)
        fixture.cluster.append(
            to: "in", key: "k", large, timestampMilliseconds: 1, headers: [Header("correlation-id", "c-7")])
        fixture.isRefused = { $0.hasPrefix("big") }
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
        let named = Set(
            fixture.log.entries.filter { $0.message == "output refused; its record becomes a dead letter" }.map {
                entry in
                entry.fields.filter { ["kafka.topic", "kafka.offset", "correlation.id"].contains($0.name) }
                    .map(\.value).joined(separator: " ")
            })
        XCTAssertEqual(named, ["in 1 in-0-1", "in 2 c-7"])
    }

    func testAnOutputTheClientRefusesLeavesNoTraceInTheStore() {
        let fixture = Fixture()
        mixed(fixture)
        let process = fixture.start()
        process.client.refusedTopic = "out"
        process.client.maximumRecordBytes = 150
        XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
        XCTAssertEqual(fixture.violations(stores: [process.stores]), [])
    }

    func testARefusalThatSeveralFailuresAccompanyStillIsolates() {
        let steps: [(PortOperation, FaultPlan.Moment, BrokerFailure.Response)] = [
            (.abort, .before, .recreate), (.abort, .after, .recreate), (.commit, .after, .recreate),
            (.commit, .before, .abort), (.sendOffsets, .after, .abort), (.poll, .before, .retry),
        ]
        for step in steps {
            for call in 1...8 {
                let fixture = Fixture()
                fixture.cluster.createTopic("out", maximumRecordBytes: 150)
                mixed(fixture)
                let faults = FaultPlan()
                faults.fail(step.0, call: call, step.1, step.2)
                let process = fixture.start(faults: faults)
                XCTAssertTrue(fixture.run([process]), "\(step) \(call) \(process.failure?.text ?? "stands still")")
                XCTAssertEqual(fixture.violations(stores: [process.stores]), [], "\(step) \(call)")
            }
        }
    }

    func testADeadLetterThatTheBrokerRefusesStopsWithTheReason() {
        let fixture = Fixture()
        fixture.cluster.createTopic("dead", maximumRecordBytes: 10)
        fixture.produce(10, poisonEvery: 4)
        let process = fixture.start()
        XCTAssertFalse(fixture.run([process]))
        let text = process.failure?.text ?? ""
        XCTAssertTrue(text.contains("dead refused the output"), text)
        XCTAssertEqual(fixture.cluster.records(in: "dead"), [])
    }

    func testADeadLetterThatTheClientRefusesStopsWithTheReason() {
        let fixture = Fixture()
        fixture.produce(10, poisonEvery: 4)
        let process = fixture.start()
        process.client.refusedTopic = "dead"
        process.client.maximumRecordBytes = 10
        XCTAssertFalse(fixture.run([process]))
        let text = process.failure?.text ?? ""
        XCTAssertTrue(text.contains("write the dead letter of in-"), text)
    }

    func testAChangelogRecordThatIsRefusedIsolatesToo() {
        let fixture = Fixture()
        fixture.cluster.createTopic("app-counts-changelog", maximumRecordBytes: 60)
        let key = "k" + String(repeating: "y", count: 80)
        for index in 0..<12 {
            fixture.append(key: index == 5 ? key : "k\(index % 2)", index == 5 ? "big" : "r\(index)")
        }
        fixture.isRefused = { $0.hasPrefix("big") }
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
        XCTAssertEqual(fixture.violations(stores: [process.stores]), [])
    }

    func testADeadLetterFitsWhateverWasRefused() throws {
        var plan = Fixture.plan(
            Topology("app") { flow in
                flow.source("in", topics: ["in"])
                    .filter("refuse") { _ throws(Refusal) in
                        throw Refusal("POISON", String(repeating: "\u{1}", count: 50_000))
                    }
                    .to("out", SinkDefinition("out"))
            })
        plan.deadLetters.recordBytesMax = 100_000
        plan.deadLetters.copiedFields = (0..<5).map { ("copied_\($0)", "field_\($0)") }
        let field = String(repeating: "z", count: 9_000)
        let fields = (0..<5).map { "\"field_\($0)\":\"\(field)\"" }.joined(separator: ",")
        let values: [[UInt8]] = [
            Array("{\(fields)}".utf8), Array(repeating: 0, count: 500_000), Array(repeating: 0xFF, count: 500_000), [],
            Array("{\(fields),\"x\":\"\(String(repeating: "\u{1F600}", count: 20_000))\"}".utf8),
        ]
        let headers = (0..<10).map { Header("h\($0)", Array(repeating: 7, count: 20_000)) }
        let cluster = InMemoryCluster()
        cluster.createTopic("out")
        cluster.createTopic("dead", maximumRecordBytes: 100_000)
        for value in values {
            cluster.append(to: "in", key: Array(repeating: 1, count: 300_000), value: value, headers: headers)
        }
        let thread = try StreamThread(
            plan: plan, number: 0, cluster: cluster.client(application: "app"), backends: InMemoryStores(),
            clock: cluster.clock, log: RecordingLog(), status: ThreadStatus())
        for _ in 0..<30 { try thread.turn() }
        let dead = cluster.records(in: "dead")
        XCTAssertEqual(dead.count, values.count)
        for record in dead {
            let size = record.headers.reduce((record.key?.count ?? 0) + (record.value?.count ?? 0)) {
                $0 + $1.name.utf8.count + ($1.value?.count ?? 0)
            }
            XCTAssertLessThan(size, 100_000)
            XCTAssertNotNil(try JSONSerialization.jsonObject(with: Data(record.value ?? [])))
        }
    }
}
