import Foundation
import RocksDB
import StreamKit
import StreamKitKafka
import XCTest

final class RocksDBStoreTests: XCTestCase {
    private var folder = ""

    override func setUp() {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("stores-\(UUID().uuidString)").path
    }

    override func tearDown() {
        for path in [folder, folder + ".damaged", folder + ".copy"] {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private func factory(_ folder: String? = nil) throws -> RocksDBStoreFactory {
        try RocksDBStoreFactory(
            folder: folder ?? self.folder, memory: .init(cacheBytes: 1 << 20, writeBufferBytes: 1 << 20), log: Silence()
        )
    }

    private func entries(_ store: any StoreBackend, prefix: String = "") throws -> [String] {
        var found: [String] = []
        try withBytes(prefix) { prefix in
            try store.scan(prefix: prefix) { key, value in
                found.append("\(text(key))=\(text(value))")
                return true
            }
        }
        return found
    }

    func testPendingWritesAreSeenAndCommittedWithTheChangelogOffset() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            XCTAssertNil(store.position)
            try store.put("a", "1")
            try store.put("b", "2")
            XCTAssertEqual(try store.get("a"), "1")
            XCTAssertEqual(store.pendingCount, 2)
            try store.commit(ChangelogPosition(offset: 7))
            XCTAssertEqual(store.pendingCount, 0)
            try store.put("a", "uncommitted")
            try store.remove("b")
            XCTAssertNil(try store.get("b"))
        }
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        XCTAssertEqual(store.position?.offset, 7)
        XCTAssertEqual(try entries(store), ["a=1", "b=2"])
    }

    /// A program that the changelog refused has left a folder behind; the right one takes it over.
    func testAFolderThatWasNeverRestoredRefusesNobody() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "wrong")
            try withBytes("a") { try store.restore($0, $0) }
        }
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "right")
            XCTAssertEqual(try entries(store), [])
            try store.restored(ChangelogPosition(offset: 0))
        }
        XCTAssertThrowsError(try factory().open(store: "s", partition: 0, definition: "wrong"))
        XCTAssertNoThrow(try factory().open(store: "s", partition: 0, definition: "right"))
    }

    func testRollbackDropsWhatIsPending() throws {
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        try store.put("a", "1")
        try store.commit(ChangelogPosition(offset: 1))
        try store.put("a", "2")
        try store.remove("a")
        try store.put("c", "3")
        try store.rollback()
        XCTAssertEqual(try entries(store), ["a=1"])
        XCTAssertEqual(store.pendingCount, 0)
        XCTAssertEqual(store.position?.offset, 1)
    }

    func testEachPendingKeyComesOnceWithItsLastValue() throws {
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        try store.put("a", "1")
        try store.put("b", "longer than the first")
        try store.put("a", "a longer one")
        try store.put("b", "short")
        try store.remove("c")
        try store.put("empty", "")
        var seen: [String] = []
        try store.forEachPending { key, value in seen.append("\(text(key))=\(value.map { text($0) } ?? "removed")") }
        XCTAssertEqual(seen, ["a=a longer one", "b=short", "c=removed", "empty="])
    }

    /// Whatever is done, the store answers as a dictionary would, before and after it was opened again; and it knows the bundles
    /// that its changelog held at its last commit.
    func testRandomOperationsAgreeWithADictionary() throws {
        var random = Generator(state: 42)
        var bundles = BundleDirectory()
        var factory: RocksDBStoreFactory? = try factory()
        var store = try XCTUnwrap(factory).open(store: "s", partition: 3, definition: "d")
        var committed: [String: String] = [:]
        var model: [String: String] = [:]
        for step in 0..<20_000 {
            let key = "key-\(random.next() % 400)"
            switch random.next() % 100 {
            case 0..<45:
                let value = String(repeating: "v", count: Int(random.next() % 40)) + "\(step)"
                try store.put(key, value)
                model[key] = value
            case 45..<60:
                try store.remove(key)
                model[key] = nil
            case 60..<95:
                XCTAssertEqual(try store.get(key), model[key])
            case 95..<97:
                if random.next() % 4 != 0 { _ = bundles.add(to: Int64(step / 100 + Int(random.next() % 40))) }
                _ = bundles.bury(at: Int64(step / 100), limit: 2)
                try store.commit(ChangelogPosition(offset: Int64(step), bundles: bundles))
                committed = model
            case 97:
                try store.rollback()
                model = committed
            case 98:
                let prefix = "key-\(random.next() % 40)"
                let expected = model.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
                XCTAssertEqual(try entries(store, prefix: prefix), expected.map { "\($0.key)=\($0.value)" })
            default:
                if random.next() % 10 != 0 { continue }
                store.close()
                store = MemoryStore()
                factory = nil
                factory = try self.factory()
                store = try XCTUnwrap(factory).open(store: "s", partition: 3, definition: "d")
                model = committed
                XCTAssertEqual(store.position?.bundles, bundles)
            }
        }
        XCTAssertGreaterThan(bundles.names.count, 2)
        XCTAssertEqual(try entries(store), model.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    }

    func testSweepVisitsEverythingInPartsAndRemoves() throws {
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        for number in 100..<200 { try store.put("\(number)", "v") }
        try store.commit(ChangelogPosition(offset: 1))
        try store.put("150", "pending")
        try store.remove("160")
        var cursor = SweepCursor()
        var (visited, rounds): ([String], Int) = ([], 0)
        var isDone = false
        while !isDone {
            isDone = try store.sweep(&cursor, limit: 7) { key, value in
                visited.append(text(key) + (text(value) == "pending" ? "!" : ""))
                return text(key).hasSuffix("5")
            }
            rounds += 1
        }
        XCTAssertEqual(visited, (100..<200).filter { $0 != 160 }.map { $0 == 150 ? "150!" : "\($0)" })
        XCTAssertEqual(rounds, 15)
        try store.commit(ChangelogPosition(offset: 2))
        XCTAssertEqual(try entries(store).count, 89)
    }

    func testRestoredEntriesAreThereWithTheirOffset() throws {
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        for number in 0..<10_000 { try restore(store, "\(number % 5_000)", "\(number)") }
        try restore(store, "17", nil)
        try store.restored(ChangelogPosition(offset: 10_001))
        XCTAssertEqual(store.position?.offset, 10_001)
        XCTAssertEqual(try store.get("4999"), "9999")
        XCTAssertNil(try store.get("17"))
        XCTAssertEqual(store.pendingCount, 0)
        XCTAssertEqual(try entries(store).count, 4_999)
    }

    func testTheChangelogThatAStoreWasBuiltFromIsRemembered() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            try store.restored(ChangelogPosition(offset: 5, identity: .max))
            try store.put("k", "v")
            try store.commit(ChangelogPosition(offset: 7, identity: .max))
        }
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        XCTAssertEqual(store.position, ChangelogPosition(offset: 7, identity: .max))
        try store.reset()
        try store.restored(ChangelogPosition(offset: 3, identity: 1))
        XCTAssertEqual(store.position, ChangelogPosition(offset: 3, identity: 1))
    }

    func testTheBundlesOfTheChangelogAreRemembered() throws {
        var bundles = BundleDirectory()
        for end in [5, 5, 9] as [Int64] { _ = bundles.add(to: end) }
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            try store.put("k", "v")
            try store.commit(ChangelogPosition(offset: 7, bundles: bundles))
            // Written, and not committed: as before.
            _ = bundles.add(to: 11)
        }
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            XCTAssertEqual(store.position?.bundles.names.map(\.bucketEndMilliseconds), [5, 5, 9])
            _ = bundles.bury(at: 100, limit: 100)
            try store.commit(ChangelogPosition(offset: 9, bundles: bundles))
        }
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            XCTAssertEqual(store.position, ChangelogPosition(offset: 9))
            _ = bundles.add(to: 13)
            try store.restored(ChangelogPosition(offset: 10, bundles: bundles))
            try store.reset()
            try store.restored(ChangelogPosition(offset: 1))
        }
        XCTAssertEqual(
            try factory().open(store: "s", partition: 0, definition: "d").position, ChangelogPosition(offset: 1))
    }

    func testBundlesInAnUnknownFormAreRefusedSayingWhatToDo() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            try store.commit(ChangelogPosition(offset: 7))
        }
        do {
            let database = try Database(path: folder, options: DatabaseOptions(cache: BlockCache(bytes: 1 << 20)))
            let family = try database.family("s-0")
            var batch = WriteBatch()
            withBytes("mbundles") { key in withBytes("?") { batch.put(key, $0, in: family) } }
            try database.write(batch)
        }
        XCTAssertThrowsError(try factory().open(store: "s", partition: 0, definition: "d")) { error in
            XCTAssertTrue("\(error)".contains("s-0") && "\(error)".contains("delete the folder"), "\(error)")
        }
    }

    func testRestoreThatWasBrokenOffBeginsAgainEmpty() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            for number in 0..<10_000 { try restore(store, "\(number)", "v") }
        }
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        XCTAssertNil(store.position)
        XCTAssertEqual(try entries(store), [])
    }

    func testResetEmptiesOneStoreAlone() throws {
        let factory = try factory()
        let one = try factory.open(store: "s", partition: 0, definition: "d")
        let two = try factory.open(store: "s", partition: 1, definition: "d")
        for store in [one, two] {
            try store.put("k", "v")
            try store.commit(ChangelogPosition(offset: 5))
        }
        try one.reset()
        XCTAssertNil(one.position)
        XCTAssertNil(try one.get("k"))
        try one.put("k", "new")
        try one.commit(ChangelogPosition(offset: 1))
        XCTAssertEqual(try one.get("k"), "new")
        XCTAssertEqual(try two.get("k"), "v")
        XCTAssertEqual(two.position?.offset, 5)
    }

    func testOtherDefinitionIsRefusedNamingBoth() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "count:1")
            try store.put("k", "v")
            try store.commit(ChangelogPosition(offset: 1))
        }
        let factory = try factory()
        XCTAssertThrowsError(try factory.open(store: "s", partition: 0, definition: "sum:1")) { error in
            XCTAssertTrue("\(error)".contains("count:1") && "\(error)".contains("sum:1"), "\(error)")
        }
        let store = try factory.open(store: "s", partition: 0, definition: "count:1")
        XCTAssertEqual(try store.get("k"), "v")
    }

    func testFolderOfAKilledProcessHoldsEveryCommittedTransaction() throws {
        let live = try factory()
        let store = try live.open(store: "s", partition: 0, definition: "d")
        for number in 0..<200 {
            try store.put("\(number)", "v")
            try store.put("last", "\(number)")
            try store.commit(ChangelogPosition(offset: Int64(number)))
        }
        try store.put("last", "never committed")
        try FileManager.default.copyItem(atPath: folder, toPath: folder + ".copy")
        let copy = try factory(folder + ".copy").open(store: "s", partition: 0, definition: "d")
        XCTAssertEqual(copy.position?.offset, 199)
        XCTAssertEqual(try copy.get("last"), "199")
        XCTAssertEqual(try entries(copy).count, 201)
    }

    func testDamagedFolderIsSetAsideAndBegunAgain() throws {
        do {
            let store = try factory().open(store: "s", partition: 0, definition: "d")
            try store.put("k", "v")
            try store.commit(ChangelogPosition(offset: 1))
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("MANIFEST") {
            try Data("damage".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        let store = try factory().open(store: "s", partition: 0, definition: "d")
        XCTAssertNil(store.position)
        XCTAssertEqual(try entries(store), [])
        XCTAssertTrue(FileManager.default.fileExists(atPath: folder + ".damaged"))
    }

    func testFolderInUseIsRefused() throws {
        let first = try factory()
        XCTAssertThrowsError(try factory()) { error in
            XCTAssertTrue("\(error)".contains("another process"), "\(error)")
        }
        withExtendedLifetime(first) {}
    }
}

struct Silence: RuntimeLog {
    func log(_ level: RuntimeLogLevel, _ message: StaticString, _ fields: [(name: StaticString, value: String)]) {}
}

struct Generator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}

extension StoreBackend {
    func put(_ key: String, _ value: String) throws {
        try withBytes(key) { key in try withBytes(value) { try put(key, $0) } }
    }

    func remove(_ key: String) throws { try withBytes(key) { try remove($0) } }

    func get(_ key: String) throws -> String? { try withBytes(key) { try get($0).map { text($0) } } }
}

func restore(_ store: any StoreBackend, _ key: String, _ value: String?) throws {
    try withBytes(key) { key in
        guard let value else { return try store.restore(key, nil) }
        try withBytes(value) { try store.restore(key, $0) }
    }
}

func withBytes<Result>(_ text: String, _ body: (Bytes) throws -> Result) rethrows -> Result {
    try Array(text.utf8).withUnsafeBytes { try body($0) }
}

func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }
