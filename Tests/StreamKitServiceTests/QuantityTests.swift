import StreamKitService
import XCTest

final class QuantityTests: XCTestCase {
    private func duration(_ text: String) -> Duration? {
        try? read("d: \(text)") { $0.required("d", .duration(in: .zero...(.seconds(1_000_000_000)))) }.settings
    }

    private func bytes(_ text: String) -> Int? {
        try? read("b: \(text)") { $0.required("b", .byteSize(in: 0...Int.max)) }.settings
    }

    func testDurations() {
        let cases: [(String, Duration?)] = [
            ("250us", .microseconds(250)), ("100ms", .milliseconds(100)), ("10s", .seconds(10)), ("5m", .seconds(300)),
            ("24h", .seconds(86_400)), ("7d", .seconds(604_800)), ("0s", .zero), ("10 s", .seconds(10)),
            ("10", nil), ("1.5s", nil), ("-5s", nil), ("s", nil), ("5M", nil), ("5 m s", nil), ("1h30m", nil),
            ("99999999999d", nil), ("99999999999999999999s", nil), ("١s", nil), ("[1s]", nil),
        ]
        for (text, expected) in cases { XCTAssertEqual(duration(text), expected, text) }
    }

    func testByteSizes() {
        let cases: [(String, Int?)] = [
            ("512B", 512), ("64KiB", 65_536), ("16MiB", 16 << 20), ("1GiB", 1 << 30), ("10MB", 10_000_000),
            ("1kB", 1_000),
            ("0B", 0), ("64", nil), ("64k", nil), ("-1B", nil), ("99999999999TiB", nil),
        ]
        for (text, expected) in cases { XCTAssertEqual(bytes(text), expected, text) }
    }

    func testQuantitiesAreShownInTheirGreatestUnit() throws {
        let reading = try read("a: 86400s\nb: 1500ms\nc: 0m\nd: 1048576B\ne: 1500B") { reader in
            for key in ["a", "b", "c"] { _ = reader.required(key, .duration(in: .zero...(.seconds(1_000_000)))) }
            for key in ["d", "e"] { _ = reader.required(key, .byteSize(in: 0...(1 << 40))) }
            return 0
        }
        XCTAssertEqual(reading.effective.map(\.value), ["1d", "1500ms", "0s", "1MiB", "1500B"])
    }
}
