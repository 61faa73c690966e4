import StreamKit
import StreamKitTesting
import XCTest

/// Producers that are used up as fast as they are made end a thread; an outage, however long, does not.
final class AttemptLimitTests: XCTestCase {
    func testAsManyAsTheLimitWithinTheSpanAndNotOneMore() {
        var limit = AttemptLimit(3, withinMilliseconds: 1_000)
        XCTAssertTrue(limit.allowsAnother(now: 0))
        XCTAssertTrue(limit.allowsAnother(now: 500))
        XCTAssertTrue(limit.allowsAnother(now: 1_000))
        XCTAssertFalse(limit.allowsAnother(now: 1_000))
    }

    func testWhatIsLongerAgoThanTheSpanDoesNotCount() {
        var limit = AttemptLimit(2, withinMilliseconds: 1_000)
        XCTAssertTrue(limit.allowsAnother(now: 0))
        XCTAssertTrue(limit.allowsAnother(now: 1_000))
        XCTAssertTrue(limit.allowsAnother(now: 1_001))
        // The one at 1,000 is still within the span.
        XCTAssertFalse(limit.allowsAnother(now: 2_000))
    }

    func testALimitOfProducersIsByLot() {
        let limits = Set((0..<2_000).map { _ in AttemptLimit.ofProducers().limit })
        XCTAssertEqual(limits.min(), 40)
        XCTAssertEqual(limits.max(), 80)
        XCTAssertGreaterThan(limits.count, 30)
    }

    func testProducersUsedUpAsFastAsBrokersAnswerEnd() {
        var limit = AttemptLimit.ofProducers()
        let allowed = (0..<1_000).prefix { limit.allowsAnother(now: Int64($0) * 100) }.count
        XCTAssertEqual(allowed, limit.limit)
    }

    func testAttemptsDuringAnOutageNeverReachTheLimit() {
        var limit = AttemptLimit.ofProducers()
        XCTAssertTrue((0..<2_000).allSatisfy { limit.allowsAnother(now: Int64($0) * 30_000) })
    }

    // MARK: In a thread

    func testAThreadThatIsFencedAtEveryCommitGivesUpAndSaysWhy() throws {
        let fixture = Fixture()
        fixture.produce(24)
        let faults = FaultPlan()
        for call in 1...200 { faults.fail(.commit, call: call, .before, .recreate) }
        let process = fixture.start(faults: faults)
        XCTAssertFalse(fixture.run([process], turns: 5_000))
        let reason = try XCTUnwrap(process.failure?.text)
        XCTAssertTrue(reason.contains("does another process have the same INSTANCE_ID?"), reason)
        XCTAssertTrue((41...81).contains(process.status.snapshot.producersRecreated), "\(process.status.snapshot)")
        XCTAssertFalse(try XCTUnwrap(process.failure).mayBeTriedAgain)
    }

    /// A broker that does not answer keeps each attempt waiting for its time-out.
    func testAThreadSurvivesAnOutageOfHoursAndDoesNotLookStuck() {
        let fixture = Fixture()
        fixture.produce(24)
        let faults = FaultPlan()
        let process = fixture.start(faults: faults)
        let begun = faults.count(of: .initialize)
        var longestSilence: Int64 = 0
        faults.fail(.commit, call: 2, .before, .recreate)
        for call in begun + 1...begun + 600 {
            faults.at(.initialize, call: call, .before) {
                fixture.cluster.clock.advance(milliseconds: 30_000)
                longestSilence = max(
                    longestSilence,
                    fixture.cluster.clock.monotonicMilliseconds - process.status.snapshot.lastTurnMilliseconds)
            }
            faults.fail(.initialize, call: call, .before, .retry)
        }
        XCTAssertTrue(fixture.run([process]), process.failure?.text ?? "stands still")
        // Six tries with each producer.
        XCTAssertEqual(process.status.snapshot.producersRecreated, 101)
        XCTAssertLessThan(longestSilence, 40_000)
        XCTAssertEqual(fixture.violations(stores: [process.stores]), [])
    }
}
