import JSON
import StreamKit
import TestSupport
import XCTest

final class BundleTests: XCTestCase {
    private typealias Entry = (key: [UInt8], value: [UInt8])

    private func encode(_ entries: [Entry]) -> [UInt8] {
        let buffer = EntryBundle.Buffer()
        for entry in entries {
            entry.key.withBytes { key in
                entry.value.withBytes { value in
                    let before = buffer.count
                    buffer.append(key, value)
                    XCTAssertEqual(buffer.count - before, EntryBundle.byteCount(key, value))
                }
            }
        }
        return [UInt8](buffer.bytes)
    }

    private func decode(_ bytes: [UInt8]) -> (entries: [Entry], isWhole: Bool) {
        var entries: [Entry] = []
        let malformed = bytes.withBytes { bytes in
            EntryBundle.forEachEntry(in: bytes) { (key, value) throws(Never) in
                entries.append(([UInt8](key), [UInt8](value)))
            }
        }
        return (entries, malformed == nil)
    }

    private let entries: [Entry] = [
        ([], []), ([1], [2, 3]), ([], [4]), ([5], []),
        ([UInt8](repeating: 6, count: 300), [UInt8](repeating: 7, count: 70_000)),
    ]

    func testWhatIsEncodedIsDecoded() {
        for count in 0...entries.count {
            let decoded = decode(encode(Array(entries.prefix(count))))
            XCTAssertTrue(decoded.isWhole)
            XCTAssertEqual(decoded.entries.map(\.key), entries.prefix(count).map(\.key))
            XCTAssertEqual(decoded.entries.map(\.value), entries.prefix(count).map(\.value))
        }
    }

    func testACutBundleIsKnownAsSuch() {
        let bytes = encode(Array(entries.prefix(4)))
        let ends = (0...4).map { encode(Array(entries.prefix($0))).count }
        for count in 0...bytes.count {
            XCTAssertEqual(decode(Array(bytes.prefix(count))).isWhole, ends.contains(count), "\(count)")
        }
        for trailing in [[0], [1, 0, 0, 0], [UInt8](repeating: 255, count: 8), [255, 255, 255, 255, 0, 0, 0, 0, 1]] {
            XCTAssertFalse(decode(bytes + trailing).isWhole, "\(trailing)")
            XCTAssertEqual(decode(bytes + trailing).entries.count, 4)
        }
    }

    func testAnyBytesAreReadWithinTheirBounds() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<20_000 {
            var bytes = encode(entries.prefix(4).shuffled(using: &random))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let decoded = decode(bytes)
            if decoded.isWhole { XCTAssertEqual(encode(decoded.entries), bytes) }
        }
    }

    // MARK: Names

    private func decodeName(_ key: [UInt8]) throws -> EntryBundle.Name? {
        try key.withUnsafeBytes { key in
            if case .bundle(let name) = try Changelog.decode(key) { name } else { nil }
        }
    }

    func testANameIsReadAsItIsWritten() throws {
        let buffer = OutputBuffer()
        for end in [0, 1, -1, .max, .min, 1_736_782_245_123] as [Int64] {
            for slot in [0, 1, 0x1234_5678, EntryBundle.slotMax - 1] {
                let name = EntryBundle.Name(bucketEndMilliseconds: end, slot: slot)
                Changelog.encode(name, into: buffer)
                XCTAssertEqual(try decodeName([UInt8](buffer.bytes)), name)
            }
        }
        Changelog.encode(EntryBundle.Name(bucketEndMilliseconds: 258, slot: 3), into: buffer)
        XCTAssertEqual([UInt8](buffer.bytes), [1, 2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3])
    }

    func testOtherNamesAreRefused() {
        let zeros = [UInt8](repeating: 0, count: 8)
        for rest in [
            [], zeros, zeros + zeros.dropLast(), zeros + zeros + [0], zeros + [255] + zeros.dropLast(),
            zeros + [127] + zeros.dropLast(),
        ] {
            XCTAssertThrowsError(try decodeName([1, 2] + rest), "\(rest)") {
                XCTAssertEqual($0 as? Changelog.Failure, .malformed)
            }
        }
    }
}

final class ExpiryBucketsTests: XCTestCase {
    private let day: Int64 = 86_400_000
    private let now: Int64 = 1_736_782_245_123

    func testNearTheWatermarkABucketIsASixteenthOfTheSpan() {
        let buckets = ExpiryBuckets(spanMilliseconds: day)
        for distance in stride(from: -2 * day, through: 2 * day, by: 12_345_67) {
            let bucket = buckets.bucket(of: now + distance, seenFrom: now)
            XCTAssertEqual(bucket.end % (day / 16), 0)
            XCTAssertTrue((0..<day / 16).contains(bucket.end - (now + distance)))
        }
        XCTAssertEqual(buckets.bucket(of: day, seenFrom: 0).end, day)
        XCTAssertEqual(buckets.bucket(of: day + 1, seenFrom: 0).end, day + day / 16)
        XCTAssertEqual(buckets.bucket(of: -1, seenFrom: 0).end, 0)
    }

    /// Whatever the times: no entry outlives its bucket, and none is kept far longer than it had to be.
    func testABucketEndsSoonAfterWhatIsInIt() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<100_000 {
            let spans: [Int64] = [1, 15, 1_000, day, 366 * day, .max]
            let span = spans.randomElement(using: &random) ?? day
            let buckets = ExpiryBuckets(spanMilliseconds: span)
            let reference =
                [0, now, -now, .max, .min + 1, .random(in: .min ... .max, using: &random)]
                .randomElement(using: &random) ?? now
            let far = Int64(1) << Int64.random(in: 0...62, using: &random)
            let near = reference.addingReportingOverflow(Int64.random(in: -far...far, using: &random))
            let expiry = near.overflow ? Int64.random(in: .min ... .max, using: &random) : near.partialValue
            let bucket = buckets.bucket(of: expiry, seenFrom: reference)
            XCTAssertGreaterThanOrEqual(bucket.end, expiry)
            XCTAssertTrue((bucket.least...bucket.greatest).contains(expiry))
            let distance = (Int128(expiry) - Int128(reference)).magnitude
            let width = max(distance, UInt128(min(span, Int64.max / 4) / 16), 1)
            XCTAssertLessThanOrEqual((Int128(bucket.end) - Int128(expiry)).magnitude, width)
            // All that is said to lie in the bucket does.
            let other = Int64.random(in: bucket.least...bucket.greatest, using: &random)
            for other in [bucket.least, bucket.greatest, other] {
                XCTAssertEqual(
                    buckets.bucket(of: other, seenFrom: reference).end, bucket.end,
                    "\(other) beside \(expiry) from \(reference), span \(span)")
            }
        }
    }

    func testAMillionAbsurdTimesFallIntoFewBuckets() {
        var random = SeededRandom(seed: 12)
        let buckets = ExpiryBuckets(spanMilliseconds: day)
        var directory = BundleDirectory()
        var watermark = now
        var most = 0
        for step in 0..<1_000_000 {
            let ahead = Int64.random(in: 1...(1 << Int64.random(in: 1...62, using: &random)), using: &random)
            let expiry = watermark.addingReportingOverflow(ahead)
            let bucket = buckets.bucket(of: expiry.overflow ? .max : expiry.partialValue, seenFrom: watermark)
            _ = directory.add(to: bucket.end)
            // Time goes on meanwhile, three years of it in the end.
            if step % 100 == 0 {
                watermark += day / 10
                while directory.hasDead(at: watermark) { _ = directory.bury(at: watermark, limit: 1_000) }
            }
            most = max(most, directory.bucketCount)
        }
        XCTAssertLessThan(most, 250)
        XCTAssertGreaterThan(most, 30)
    }
}
