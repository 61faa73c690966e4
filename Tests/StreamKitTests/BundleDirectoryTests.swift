import StreamKit
import TestSupport
import XCTest

final class BundleDirectoryTests: XCTestCase {
    private func bundle(_ end: Int64, _ slot: Int64) -> EntryBundle.Name {
        EntryBundle.Name(bucketEndMilliseconds: end, slot: slot)
    }

    func testSlotsOfABucketCountUp() {
        var directory = BundleDirectory()
        XCTAssertEqual(
            [20, 10, 20, 20, 10].map { directory.add(to: $0) },
            [bundle(20, 0), bundle(10, 0), bundle(20, 1), bundle(20, 2), bundle(10, 1)])
        XCTAssertEqual(directory.names, [bundle(10, 0), bundle(10, 1), bundle(20, 0), bundle(20, 1), bundle(20, 2)])
    }

    func testWhatTheWatermarkHasPassedIsBuriedInPieces() {
        var directory = BundleDirectory()
        for end in [10, 10, 10, 20, 30] as [Int64] { _ = directory.add(to: end) }
        XCTAssertFalse(directory.hasDead(at: TaskTime.none))
        XCTAssertFalse(directory.hasDead(at: 9))
        XCTAssertEqual(directory.bury(at: 9, limit: 100), [])
        XCTAssertTrue(directory.hasDead(at: 10))
        XCTAssertEqual(directory.bury(at: 10, limit: 2), [bundle(10, 0), bundle(10, 1)])
        // A watermark that was lost: the bucket is written to again.
        XCTAssertEqual(directory.add(to: 10), bundle(10, 3))
        XCTAssertEqual(directory.bury(at: 25, limit: 100), [bundle(10, 2), bundle(10, 3), bundle(20, 0)])
        XCTAssertEqual(directory.names, [bundle(30, 0)])
        XCTAssertEqual(directory.bucketCount, 1)
        XCTAssertEqual(directory.add(to: 10), bundle(10, 0))
    }

    func testTombstonesThatAreFoundSayWhatIsDead() {
        var directory = BundleDirectory()
        directory.foundTombstone(of: bundle(10, 7))
        XCTAssertEqual(directory.bucketCount, 0)
        // Compaction has taken the first ones away.
        for slot in 4..<8 as Range<Int64> { directory.found(bundle(10, slot)) }
        directory.foundTombstone(of: bundle(10, 3))
        XCTAssertEqual(directory.names.map(\.slot), [4, 5, 6, 7])
        directory.foundTombstone(of: bundle(10, 5))
        XCTAssertEqual(directory.names.map(\.slot), [6, 7])
        XCTAssertEqual(directory.add(to: 10), bundle(10, 8))
        directory.foundTombstone(of: bundle(10, 8))
        XCTAssertEqual(directory.bucketCount, 0)
    }

    func testItIsReadAsItIsWritten() {
        var directory = BundleDirectory()
        for end in [5, -7, .max, 5] as [Int64] { _ = directory.add(to: end) }
        _ = directory.bury(at: 4, limit: 1)
        for directory in [directory, BundleDirectory()] {
            XCTAssertEqual(directory.bytes.withBytes { BundleDirectory($0) }, directory)
        }
        let bytes = directory.bytes
        XCTAssertEqual(bytes.count, 1 + 2 * 24)
        for count in [0, 2, 24, 26, 48] { XCTAssertNil(Array(bytes.prefix(count)).withBytes { BundleDirectory($0) }) }
        XCTAssertNil((bytes + [0]).withBytes { BundleDirectory($0) })
        XCTAssertNil(([2] + bytes.dropFirst()).withBytes { BundleDirectory($0) })
        // Out of order, twice, empty, negative.
        func buckets(_ words: [Int64]) -> BundleDirectory? {
            words.reduce(into: [1 as UInt8]) { $0.append(integer: $1) }.withBytes { BundleDirectory($0) }
        }
        XCTAssertNotNil(buckets([5, 0, 1, 6, 0, 1]))
        for words in [[6, 0, 1, 5, 0, 1], [5, 0, 1, 5, 0, 1], [5, 1, 1], [5, 2, 1], [5, -1, 1], [5, 0, .max]]
            as [[Int64]]
        {
            XCTAssertNil(buckets(words), "\(words)")
        }
    }

    /// A changelog is written, compacted as brokers do, and read: wholly, and from any position by a store that knows what was
    /// alive there (or a little later, since positions are lower bounds).
    func testReadingAChangelogTellsWhatIsAlive() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var log: [(name: EntryBundle.Name, isTombstone: Bool)] = []
            var directory = BundleDirectory()
            /// The directory after so many records.
            var states = [directory]
            var watermark: Int64 = 0
            for _ in 0..<150 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<6:
                    let end = watermark + Int64.random(in: 1...4, using: &random)
                    log.append((directory.add(to: end), false))
                    states.append(directory)
                case 6, 7: watermark += 1
                // It is lost: buckets that were buried begin again.
                case 8 where Int.random(in: 0..<5, using: &random) == 0: watermark -= 3
                default:
                    for _ in 0..<Int.random(in: 1...5, using: &random) {
                        for name in directory.bury(at: watermark, limit: 1) {
                            log.append((name, true))
                            states.append(directory)
                        }
                    }
                }
            }
            XCTAssertEqual(Set(directory.names), living(log), "seed \(seed)")
            // Of each key a broker keeps an end of its records; a tombstone may be gone with all before it.
            var kept = Array(repeating: true, count: log.count)
            for name in Set(log.map(\.name)) {
                let records = log.indices.filter { log[$0].name == name }
                let cut = Int.random(in: 0..<records.count, using: &random)
                for index in records.prefix(cut) { kept[index] = false }
                if log[records[records.count - 1]].isTombstone, Bool.random(using: &random) {
                    for index in records { kept[index] = false }
                }
            }
            func read(from start: Int, knowing known: BundleDirectory) -> BundleDirectory {
                var read = known
                for index in start..<log.count where kept[index] {
                    if log[index].isTombstone {
                        read.foundTombstone(of: log[index].name)
                    } else {
                        read.found(log[index].name)
                    }
                }
                return read
            }
            for attempt in 0..<21 {
                // Once wholly; then by stores that know what was alive at some position, or a little after it.
                let known = attempt == 0 ? 0 : Int.random(in: 0..<states.count, using: &random)
                let start = max(0, known - Int.random(in: 0...3, using: &random))
                let found = read(from: start, knowing: states[known])
                let name = "seed \(seed) from \(start) at \(known)"
                // It may take dead ones for alive, whose tombstones are gone; it misses nothing, and writes over nothing.
                XCTAssertTrue(Set(found.names).isSuperset(of: directory.names), name)
                var next = found
                for end in Set(directory.names.map(\.bucketEndMilliseconds)) {
                    XCTAssertFalse(directory.names.contains(next.add(to: end)), name)
                }
            }
            kept = Array(repeating: true, count: log.count)
            XCTAssertEqual(read(from: 0, knowing: BundleDirectory()), directory, "seed \(seed)")
        }
    }

    private func living(_ log: [(name: EntryBundle.Name, isTombstone: Bool)]) -> Set<EntryBundle.Name> {
        var living: Set<EntryBundle.Name> = []
        for record in log { if record.isTombstone { living.remove(record.name) } else { living.insert(record.name) } }
        return living
    }
}
