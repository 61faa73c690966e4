import StreamKit
import StreamKitTesting
import XCTest

final class StreamThreadTests: XCTestCase {
    func testEachRecordIsThereOnceWithItsState() {
        let fixture = Fixture()
        fixture.produce(40)
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]), "\(String(describing: process.failure))")
        XCTAssertEqual(fixture.violations(stores: [process.stores]), [])
        fixture.produce(25)
        XCTAssertTrue(fixture.run([process]))
        XCTAssertEqual(fixture.violations(stores: [process.stores]), [])
    }

    func testNothingIsOpenAndNothingCommittedWhileNothingComes() {
        let fixture = Fixture()
        fixture.produce(10)
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]))
        for _ in 0..<5 { process.turn() }
        let begins = process.faults.count(of: .begin)
        let commits = process.faults.count(of: .commit)
        for _ in 0..<200 { XCTAssertTrue(process.turn()) }
        XCTAssertEqual(process.faults.count(of: .begin), begins)
        XCTAssertEqual(process.faults.count(of: .commit), commits)
        XCTAssertEqual(fixture.cluster.openTransactions, [])
    }

    func testWatermarkIsRestoredFromCommittedMetadata() {
        let fixture = Fixture(partitions: 1)
        fixture.produce(10, poisonEvery: 0)
        let process = fixture.start()
        XCTAssertTrue(fixture.run([process]))
        let input = TopicPartition("in", 0)
        process.faults.crash()
        fixture.cluster.endSession(application: "app")
        let second = fixture.start()
        for _ in 0..<20 { second.turn() }
        XCTAssertEqual(second.status.snapshot.partitions[input]?.watermarkMilliseconds, 1_000_010)
    }
}
