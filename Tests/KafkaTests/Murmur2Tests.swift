import Kafka
import XCTest

final class Murmur2Tests: XCTestCase {
    private func hash(_ text: String) -> Int32 {
        Array(text.utf8).withUnsafeBytes { Murmur2.hash($0) }
    }

    /// The vectors of Apache Kafka's own UtilsTest.
    func testHashIsTheJavaClients() {
        XCTAssertEqual(hash("21"), -973_932_308)
        XCTAssertEqual(hash("foobar"), -790_332_482)
        XCTAssertEqual(hash("a-little-bit-long-string"), -985_981_536)
        XCTAssertEqual(hash("a-little-bit-longer-string"), -1_486_304_829)
        XCTAssertEqual(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58_897_971)
        XCTAssertEqual([UInt8]("abc".utf8).withUnsafeBytes { Murmur2.hash($0) }, 479_470_107)
    }

    func testUnalignedBytesHashTheSame() {
        let bytes = Array("x-a-little-bit-long-string".utf8)
        bytes.withUnsafeBytes { all in
            let part = UnsafeRawBufferPointer(rebasing: all[2...])
            XCTAssertEqual(Murmur2.hash(part), -985_981_536)
        }
    }

    func testNegativeHashLosesItsSignBitInsteadOfItsSign() {
        // -973932308 & 0x7fffffff = 1173551340
        Array("21".utf8).withUnsafeBytes { XCTAssertEqual(Murmur2.partition(of: $0, count: 7), 1_173_551_340 % 7) }
        Array("21".utf8).withUnsafeBytes { XCTAssertEqual(Murmur2.partition(of: $0, count: 1), 0) }
    }

    func testEmptyKeyHasAHash() {
        XCTAssertEqual(Murmur2.hash(UnsafeRawBufferPointer(start: nil, count: 0)), 275_646_681)
    }
}
