import StreamKit
import XCTest

final class Murmur2Tests: XCTestCase {
    /// The vectors of Kafka's own tests of the Java clients' partitioner.
    func testItHashesAsKafkasJavaClientsDo() {
        let vectors: [(String, Int32)] = [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107), ("", 275_646_681),
        ]
        for (text, hash) in vectors {
            XCTAssertEqual(Int32(bitPattern: Array(text.utf8).withBytes { Murmur2.hash($0) }), hash, text)
        }
    }

    func testUnalignedBytesHashTheSame() {
        Array("x-a-little-bit-long-string".utf8).withBytes { all in
            let part = Bytes(rebasing: all[2...])
            XCTAssertEqual(Int32(bitPattern: Murmur2.hash(part)), -985_981_536)
        }
    }

    func testNegativeHashLosesItsSignBitInsteadOfItsSign() {
        // -973932308 & 0x7fffffff = 1173551340
        Array("21".utf8).withBytes { key in
            XCTAssertEqual(Murmur2.partition(of: key, among: 7), 1_173_551_340 % 7)
            XCTAssertEqual(Murmur2.partition(of: key, among: 1), 0)
        }
    }

    func testEveryKeyHasAPartition() {
        var counts = [Int](repeating: 0, count: 12)
        for number in 0..<12_000 {
            counts[Int(Array("key-\(number)".utf8).withBytes { Murmur2.partition(of: $0, among: 12) })] += 1
        }
        XCTAssertTrue(counts.allSatisfy { (800...1200).contains($0) }, "\(counts)")
        XCTAssertEqual(Murmur2.partition(of: Bytes(start: nil, count: 0), among: 1), 0)
        XCTAssertEqual(Murmur2.partition(of: Bytes(start: nil, count: 0), among: 0), 0)
    }
}
