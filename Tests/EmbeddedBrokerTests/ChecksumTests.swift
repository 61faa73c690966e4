import EmbeddedBroker
import XCTest

final class ChecksumTests: XCTestCase {
    func testCheckValueOfTheCastagnoliPolynomial() {
        let crc = Array("123456789".utf8).withUnsafeBytes { CRC32C.checksum($0) }
        XCTAssertEqual(crc, 0xe306_9283)
    }

    func testPiecesGiveTheChecksumOfTheWhole() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = bytes.withUnsafeBytes { CRC32C.checksum($0) }
        for split in [0, 1, 15, 16, 17, 500, 999, 1_000] {
            let first = Array(bytes[..<split]).withUnsafeBytes { CRC32C.checksum($0) }
            let both = Array(bytes[split...]).withUnsafeBytes { CRC32C.checksum($0, after: first) }
            XCTAssertEqual(both, whole, "split at \(split)")
        }
    }
}
