import Foundation
import StreamKit
import XCTest
import TestSupport

/// The store in memory against a dictionary.
final class MemoryStoreTests: XCTestCase {
    /// What a store must be: what is committed, and what is written over it.
    private struct Model {
        var committed: [[UInt8]: [UInt8]] = [:]
        var current: [[UInt8]: [UInt8]] = [:]
        var written: Set<[UInt8]> = []
    }

    private func contents(_ store: MemoryStore, prefix: [UInt8] = []) throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        try prefix.withUnsafeBytes { prefix in
            try store.scan(prefix: prefix) { key, value in
                XCTAssertNil(found.updateValue([UInt8](value), forKey: [UInt8](key)), "a key twice")
                return true
            }
        }
        return found
    }

    private func put(_ store: MemoryStore, _ key: [UInt8], _ value: [UInt8]) throws {
        try key.withUnsafeBytes { key in try value.withUnsafeBytes { try store.put(key, $0) } }
    }

    /// Writes `value`, or nothing, where `present` should be.
    private func update(
        _ store: MemoryStore, _ key: [UInt8], _ value: [UInt8]?, from present: [UInt8]?, _ name: String
    ) throws {
        try key.withUnsafeBytes { key in
            try (value ?? []).withUnsafeBytes { bytes in
                try store.update(key) { found in
                    XCTAssertEqual(found.map { [UInt8]($0) }, present, name)
                    return value == nil ? nil : bytes
                }
            }
        }
    }

    private func get(_ store: MemoryStore, _ key: [UInt8]) throws -> [UInt8]? {
        try key.withUnsafeBytes { try store.get($0).map { [UInt8]($0) } }
    }

    private func remove(_ store: MemoryStore, _ key: [UInt8]) throws {
        try key.withUnsafeBytes { try store.remove($0) }
    }

    private func restore(_ store: MemoryStore, _ key: [UInt8], _ value: [UInt8]?) throws {
        try key.withUnsafeBytes { key in
            if let value {
                try value.withUnsafeBytes { try store.restore(key, $0) }
            } else {
                try store.restore(key, nil)
            }
        }
    }

    private func check(_ store: MemoryStore, _ model: Model, _ name: String) throws {
        XCTAssertEqual(store.entryCount, model.current.count, name)
        XCTAssertEqual(try contents(store), model.current, name)
        var replayed = model.committed
        var seen: Set<[UInt8]> = []
        try store.forEachPending { key, value in
            XCTAssertTrue(seen.insert([UInt8](key)).inserted, "\(name): a pending key twice")
            replayed[[UInt8](key)] = value.map { [UInt8]($0) }
        }
        XCTAssertEqual(replayed, model.current, name)
        XCTAssertTrue(seen.isSubset(of: model.written), name)
    }

    /// Sizes about the arena's limits: units, listed blocks, whole chunks.
    private func size(_ random: inout SeededRandom) -> Int {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: Int.random(in: 4000...4200, using: &random)
        case 1: Int.random(in: 4096...20_000, using: &random)
        case 2 where Int.random(in: 0..<20, using: &random) == 0: Int.random(in: 1_040_000...1_060_000, using: &random)
        case 3: 0
        default: Int.random(in: 0...120, using: &random)
        }
    }

    private func run(seed: UInt64, steps: Int) throws {
        var random = SeededRandom(seed: seed)
        let store = MemoryStore()
        var model = Model()
        var cursor = SweepCursor()
        let keys = Int.random(in: 1...400, using: &random)
        for step in 0..<steps {
            let name = "seed \(seed) step \(step)"
            let number = Int.random(in: 0..<keys, using: &random)
            let key = Array("key-\(number % 7)-\(number)".utf8.prefix(number == 0 ? 0 : 99))
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<45:
                let value = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: size(&random))
                if Bool.random(using: &random) {
                    try put(store, key, value)
                } else {
                    try update(store, key, value, from: model.current[key], name)
                }
                model.current[key] = value
                model.written.insert(key)
            case 45..<60:
                try remove(store, key)
                model.current[key] = nil
                model.written.insert(key)
            case 60..<80:
                XCTAssertEqual(try get(store, key), model.current[key], name)
                try update(store, key, nil, from: model.current[key], name)
            case 80..<86:
                let offset = Int64(step)
                try store.commit(ChangelogPosition(offset: offset))
                XCTAssertEqual(store.position?.offset, offset)
                XCTAssertEqual(store.pendingCount, 0)
                model.committed = model.current
                model.written = []
            case 86..<91:
                try store.rollback()
                XCTAssertEqual(store.pendingCount, 0)
                model.current = model.committed
                model.written = []
            case 91..<94:
                let chosen = UInt8.random(in: 0..<4, using: &random)
                _ = try store.sweep(&cursor, limit: Int.random(in: 1...500, using: &random)) { key, _ in
                    guard (key.last ?? 0) % 4 == chosen else { return false }
                    model.current[[UInt8](key)] = nil
                    model.written.insert([UInt8](key))
                    return true
                }
            case 94..<97 where store.pendingCount == 0:
                let value: [UInt8]? = Bool.random(using: &random) ? [UInt8](repeating: 7, count: size(&random)) : nil
                try restore(store, key, value)
                model.current[key] = value
                model.committed[key] = value
            case 97:
                // A value that the store itself lent.
                let other = Array("key-\(number % 5)-\(number % 11)".utf8)
                try other.withUnsafeBytes { other in
                    try key.withUnsafeBytes { key in
                        guard let lent = try store.get(other) else { return }
                        model.current[[UInt8](key)] = [UInt8](lent)
                        model.written.insert([UInt8](key))
                        try store.put(key, lent)
                    }
                }
            case 98 where Int.random(in: 0..<10, using: &random) == 0:
                try store.reset()
                model = Model()
                XCTAssertNil(store.position)
            default:
                let prefix = Array("key-\(number % 7)-".utf8)
                XCTAssertEqual(
                    try contents(store, prefix: prefix), model.current.filter { $0.key.starts(with: prefix) }, name)
            }
            if step % 40 == 0 { try check(store, model, name) }
        }
        try check(store, model, "seed \(seed) at the end")
    }

    func testItIsADictionaryWithTransactions() throws {
        let seeds = ProcessInfo.processInfo.environment["STREAMKIT_STORE_SEEDS"].flatMap(UInt64.init) ?? 60
        for seed in 1...max(1, seeds) { try run(seed: seed, steps: 600) }
    }

    func testManyEntriesGrowTheTableAndASweepGoesRoundOnce() throws {
        let store = MemoryStore()
        for number in 0..<50_000 { try put(store, Array("\(number)".utf8), Array("v\(number)".utf8)) }
        try store.commit(ChangelogPosition(offset: 1))
        XCTAssertEqual(store.entryCount, 50_000)
        for number in stride(from: 0, to: 50_000, by: 997) {
            XCTAssertEqual(try get(store, Array("\(number)".utf8)), Array("v\(number)".utf8))
        }
        var cursor = SweepCursor()
        var visited: Set<[UInt8]> = []
        var rounds = 0
        while !(try store.sweep(&cursor, limit: 777) { key, _ in visited.insert([UInt8](key)).inserted }) {
            rounds += 1
        }
        XCTAssertEqual(visited.count, 50_000)
        XCTAssertGreaterThan(rounds, 50)
        XCTAssertEqual(store.entryCount, 0)
        try store.rollback()
        XCTAssertEqual(store.entryCount, 50_000)
    }

    func testASweepWithoutALimitDoesNotOverflow() throws {
        let store = MemoryStore()
        try put(store, [1], [2])
        var cursor = SweepCursor()
        cursor.slot = 5
        XCTAssertTrue(try store.sweep(&cursor, limit: .max) { _, _ in false })
        XCTAssertTrue(try store.sweep(&cursor, limit: .max) { _, _ in true })
        XCTAssertEqual(store.entryCount, 0)
        cursor.slot = -3
        _ = try store.sweep(&cursor, limit: -1) { _, _ in true }
    }

    func testFreedMemoryIsUsedAgain() throws {
        let store = MemoryStore()
        func fill() throws {
            for number in 0..<20_000 { try put(store, Array("\(number)".utf8), [UInt8](repeating: 1, count: 100)) }
            try store.commit(ChangelogPosition(offset: 1))
            for number in 0..<20_000 { try remove(store, Array("\(number)".utf8)) }
            try store.commit(ChangelogPosition(offset: 2))
        }
        try fill()
        let bytes = store.byteCount
        for _ in 0..<5 { try fill() }
        XCTAssertEqual(store.byteCount, bytes)
        for _ in 0..<20 {
            try put(store, [9], [UInt8](repeating: 1, count: 3_000_000))
            try put(store, [9], [])
            try remove(store, [9])
            try store.commit(ChangelogPosition(offset: 3))
        }
        XCTAssertLessThan(store.byteCount, bytes + 100_000)
    }
}
