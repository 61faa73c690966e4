import Foundation
import RocksDB
import XCTest

final class DatabaseTests: XCTestCase {
    private var folder = ""

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("rocksdb-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    override func tearDown() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func open(_ name: String = "db", log: Bool = true) throws -> Database {
        var options = DatabaseOptions(cache: BlockCache(bytes: 1 << 20))
        options.usesWriteAheadLog = log
        return try Database(path: "\(folder)/\(name)", options: options)
    }

    private func put(_ database: Database, _ family: ColumnFamily, _ entries: [(String, String)]) throws {
        var batch = WriteBatch()
        for (key, value) in entries {
            withBytes(key) { key in withBytes(value) { batch.put(key, $0, in: family) } }
        }
        try database.write(batch)
    }

    private func all(_ family: ColumnFamily, _ range: KeyRange = .all) throws -> [String] {
        var found: [String] = []
        try family.forEach(in: range) { key, value in
            found.append("\(text(key))=\(text(value))")
            return true
        }
        return found
    }

    func testWrittenBatchIsReadInKeyOrder() throws {
        let database = try open()
        let family = try database.family("store")
        try put(database, family, [("b", "2"), ("a", "1"), ("ab", ""), ("", "empty"), ("\u{ff}", "3")])
        XCTAssertEqual(try all(family), ["=empty", "a=1", "ab=", "b=2", "\u{ff}=3"])
        XCTAssertEqual(try all(family, KeyRange(prefix: Array("a".utf8))), ["a=1", "ab="])
        XCTAssertEqual(try all(family, KeyRange(from: Array("ab".utf8), to: Array("b".utf8))), ["ab="])
        XCTAssertEqual(try withBytes("b") { try family.get($0).map(text) }, "2")
        XCTAssertEqual(try withBytes("ab") { try family.get($0).map(text) }, "")
        XCTAssertNil(try withBytes("c") { try family.get($0).map(text) })
    }

    func testPrefixOfHighestBytesHasNoEnd() throws {
        let database = try open()
        let family = try database.family("store")
        var batch = WriteBatch()
        for key in [[UInt8]([0xfe]), [0xff], [0xff, 0xff], [0xff, 0xff, 0x01]] {
            key.withUnsafeBytes { batch.put($0, $0, in: family) }
        }
        try database.write(batch)
        var count = 0
        try family.forEach(in: KeyRange(prefix: [0xff, 0xff])) { _, _ in
            count += 1
            return true
        }
        XCTAssertEqual(count, 2)
    }

    func testBodyThatReturnsFalseEndsTheWalk() throws {
        let database = try open()
        let family = try database.family("store")
        try put(database, family, [("a", "1"), ("b", "2"), ("c", "3")])
        var seen = 0
        try family.forEach(in: .all) { _, _ in
            seen += 1
            return seen < 2
        }
        XCTAssertEqual(seen, 2)
    }

    func testDeletesOfKeysAndRanges() throws {
        let database = try open()
        let family = try database.family("store")
        try put(database, family, (0..<10).map { ("\($0)", "v") })
        var batch = WriteBatch()
        withBytes("9") { batch.delete($0, in: family) }
        batch.delete(KeyRange(from: Array("2".utf8), to: Array("8".utf8)), in: family)
        XCTAssertEqual(batch.count, 2)
        try database.write(batch)
        XCTAssertEqual(try all(family), ["0=v", "1=v", "8=v"])
        batch.clear()
        XCTAssertEqual(batch.count, 0)
    }

    func testFamiliesAreApartAndComeBack() throws {
        do {
            let database = try open()
            try put(database, try database.family("one"), [("k", "1")])
            try put(database, try database.family("two"), [("k", "2")])
        }
        let database = try open()
        XCTAssertEqual(database.familyNames, ["default", "one", "two"])
        XCTAssertEqual(try all(try database.family("one")), ["k=1"])
        XCTAssertEqual(try all(try database.family("two")), ["k=2"])
        try database.drop(try database.family("one"))
        XCTAssertEqual(database.familyNames, ["default", "two"])
        XCTAssertEqual(try all(try database.family("one")), [])
    }

    /// The folder as it is while the database is open is what SIGKILL would leave: what was written, the kernel has.
    func testFolderOfAKilledProcessHoldsEveryWrittenBatch() throws {
        let database = try open()
        let family = try database.family("store")
        for number in 0..<100 { try put(database, family, [("\(number)", "v"), ("last", "\(number)")]) }
        try FileManager.default.copyItem(atPath: "\(folder)/db", toPath: "\(folder)/copy")
        let copy = try open("copy")
        XCTAssertEqual(try withBytes("last") { try copy.family("store").get($0).map(text) }, "99")
        XCTAssertEqual(try all(try copy.family("store")).count, 101)
    }

    func testWithoutALogAKilledProcessFindsItsLastFlush() throws {
        let database = try open(log: false)
        let family = try database.family("store")
        try put(database, family, [("a", "1"), ("offset", "1")])
        try family.flush()
        try put(database, family, [("a", "2"), ("offset", "2")])
        try FileManager.default.copyItem(atPath: "\(folder)/db", toPath: "\(folder)/copy")
        XCTAssertEqual(try all(try open("copy", log: false).family("store")), ["a=1", "offset=1"])
    }

    /// The log torn anywhere: what is left is the state after some batch, never part of one.
    func testTornLogLeavesWholeBatches() throws {
        let database = try open()
        let family = try database.family("store")
        for number in 0..<50 { try put(database, family, [("x", "\(number)"), ("y", "\(number)")]) }
        let log = try XCTUnwrap(
            FileManager.default.contentsOfDirectory(atPath: "\(folder)/db").filter { $0.hasSuffix(".log") }.max())
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/db/\(log)"))
        var states: Set<String> = []
        for cut in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 40)) {
            let name = "cut-\(cut)"
            try FileManager.default.copyItem(atPath: "\(folder)/db", toPath: "\(folder)/\(name)")
            try bytes.prefix(cut).write(to: URL(fileURLWithPath: "\(folder)/\(name)/\(log)"))
            let copy = try open(name).family("store")
            let x = try withBytes("x") { try copy.get($0).map(text) }
            let y = try withBytes("y") { try copy.get($0).map(text) }
            XCTAssertEqual(x, y)
            states.insert(x ?? "nothing")
        }
        XCTAssertGreaterThan(states.count, 20)
    }

    func testFolderThatIsOpenIsLocked() throws {
        let database = try open()
        XCTAssertThrowsError(try open()) { error in
            XCTAssertEqual((error as? RocksDBError)?.kind, .locked)
            XCTAssertTrue("\(error)".contains(database.path), "\(error)")
        }
    }

    func testDamagedDatabaseIsCorrupted() throws {
        do {
            let database = try open()
            try put(database, try database.family("store"), [("a", "1")])
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/db")
        for name in files where name.hasPrefix("MANIFEST") {
            try Data("no manifest".utf8).write(to: URL(fileURLWithPath: "\(folder)/db/\(name)"))
        }
        XCTAssertThrowsError(try open()) { error in
            XCTAssertEqual((error as? RocksDBError)?.kind, .corrupted, "\(error)")
        }
        try Database.destroy(path: "\(folder)/db")
        XCTAssertEqual(try open().familyNames, ["default"])
    }

    func testFolderThatCannotBeMadeIsAnInputOutputError() throws {
        XCTAssertTrue(FileManager.default.createFile(atPath: "\(folder)/file", contents: Data()))
        XCTAssertThrowsError(try open("file/db")) { error in
            XCTAssertEqual((error as? RocksDBError)?.kind, .inputOutput, "\(error)")
        }
    }

    func testCheckpointIsTheStateOfItsInstant() throws {
        let database = try open()
        let family = try database.family("store")
        try put(database, family, [("a", "1")])
        try database.checkpoint(to: "\(folder)/checkpoint")
        try put(database, family, [("a", "2")])
        XCTAssertEqual(try all(try open("checkpoint").family("store")), ["a=1"])
        XCTAssertThrowsError(try database.checkpoint(to: "\(folder)/checkpoint"))
    }

    func testStateLargerThanBuffersAndCacheIsReadBack() throws {
        var options = DatabaseOptions(cache: BlockCache(bytes: 256 << 10))
        options.writeBufferBytes = 1 << 20
        options.familyWriteBufferBytes = 256 << 10
        let database = try Database(path: "\(folder)/db", options: options)
        let family = try database.family("store")
        let value = String(repeating: "v", count: 100)
        for start in stride(from: 0, to: 20_000, by: 1_000) {
            try put(database, family, (start..<start + 1_000).map { ("key-\($0)", "\($0)" + value) })
        }
        for number in stride(from: 0, to: 20_000, by: 37) {
            let found = try withBytes("key-\(number)") { try family.get($0).map(text) }
            XCTAssertEqual(found, "\(number)" + value)
        }
        XCTAssertGreaterThan(family.bytes, 1 << 18)
        XCTAssertLessThan(abs(family.estimatedKeys - 20_000), 5_000)
    }
}

private func withBytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try Array(text.utf8).withUnsafeBytes { try body($0) }
}

private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
