internal import Glibc
internal import StreamKit

/// The writes of the open transaction: for each key its last value, or that it is removed. Bytes are appended to one arena
/// that is used again for the next transaction.
struct PendingWrites: ~Copyable {
    private struct Entry {
        var hash: UInt64
        var keyStart: Int
        var keyCount: Int
        var valueStart: Int
        /// -1: removed.
        var valueCount: Int
    }

    enum Found {
        case none
        case removed
        case value(Bytes)
    }

    private var entries: [Entry] = []
    /// Index into `entries`, or -1.
    private var slots: [Int32]
    private var arena: UnsafeMutableRawPointer
    private var arenaCapacity: Int
    private var arenaCount = 0
    private let hash = KeyHash()
    private static let firstSlots = 1_024
    private static let firstArena = 64 << 10

    init() {
        slots = Array(repeating: -1, count: Self.firstSlots)
        arenaCapacity = Self.firstArena
        arena = .allocate(byteCount: arenaCapacity, alignment: 16)
    }

    deinit { arena.deallocate() }

    var count: Int { entries.count }
    var byteCount: Int { arenaCapacity + slots.count * 4 + entries.capacity * MemoryLayout<Entry>.stride }

    func find(_ key: Bytes) -> Found {
        if entries.isEmpty { return .none }
        let hash = self.hash(key)
        let index = slots[slot(key, hash)]
        return index < 0 ? .none : found(Int(index))
    }

    private func found(_ index: Int) -> Found {
        let entry = entries[index]
        if entry.valueCount < 0 { return .removed }
        return .value(Bytes(start: arena + entry.valueStart, count: entry.valueCount))
    }

    /// - Parameter value: nil removes the key.
    mutating func write(_ key: Bytes, _ value: Bytes?) {
        let hash = self.hash(key)
        let slot = slot(key, hash)
        if slots[slot] >= 0 {
            let index = Int(slots[slot])
            if let value {
                // A value no longer than the old one takes its place.
                if value.count > entries[index].valueCount { entries[index].valueStart = reserve(value.count) }
                copy(value, to: entries[index].valueStart)
            }
            entries[index].valueCount = value?.count ?? -1
            return
        }
        let keyStart = reserve(key.count)
        copy(key, to: keyStart)
        var valueStart = 0
        if let value {
            valueStart = reserve(value.count)
            copy(value, to: valueStart)
        }
        slots[slot] = Int32(truncatingIfNeeded: entries.count)
        entries.append(
            Entry(
                hash: hash, keyStart: keyStart, keyCount: key.count, valueStart: valueStart,
                valueCount: value?.count ?? -1))
        if entries.count * 2 > slots.count { grow() }
    }

    /// Each key once, in the order of first writing.
    func forEach<Failure: Error>(_ body: (_ key: Bytes, _ value: Bytes?) throws(Failure) -> Void) throws(Failure) {
        for entry in entries {
            try body(
                Bytes(start: arena + entry.keyStart, count: entry.keyCount),
                entry.valueCount < 0 ? nil : Bytes(start: arena + entry.valueStart, count: entry.valueCount))
        }
    }

    /// The keys that begin with `prefix`, in byte order, as numbers for ``entry(_:)``.
    func sorted(prefix: Bytes) -> [Int] {
        entries.indices.filter { hasPrefix(key($0), prefix) }.sorted { compare(key($0), key($1)) < 0 }
    }

    func key(_ index: Int) -> Bytes { Bytes(start: arena + entries[index].keyStart, count: entries[index].keyCount) }

    /// Nil: removed.
    func value(_ index: Int) -> Bytes? {
        if case .value(let value) = found(index) { return value }
        return nil
    }

    /// Forgets all; keeps memory of an ordinary transaction's size.
    mutating func clear() {
        if slots.count > 1 << 17 {
            slots = Array(repeating: -1, count: Self.firstSlots)
        } else if entries.count * 16 < slots.count {
            // A small transaction after a large one.
            for (index, entry) in entries.enumerated() {
                var slot = Int(truncatingIfNeeded: entry.hash) & (slots.count - 1)
                while slots[slot] != Int32(truncatingIfNeeded: index) { slot = (slot + 1) & (slots.count - 1) }
                slots[slot] = -1
            }
        } else {
            for index in slots.indices { slots[index] = -1 }
        }
        entries.removeAll(keepingCapacity: entries.count <= 1 << 16)
        arenaCount = 0
        if arenaCapacity > 8 << 20 {
            arena.deallocate()
            arenaCapacity = Self.firstArena
            arena = .allocate(byteCount: arenaCapacity, alignment: 16)
        }
    }

    // MARK: Memory

    private mutating func reserve(_ count: Int) -> Int {
        let start = arenaCount
        if arenaCount + count > arenaCapacity {
            arenaCapacity = max(arenaCapacity * 2, arenaCount + count)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: arenaCapacity, alignment: 16)
            larger.copyMemory(from: arena, byteCount: arenaCount)
            arena.deallocate()
            arena = larger
        }
        arenaCount += count
        return start
    }

    private func copy(_ bytes: Bytes, to start: Int) {
        if let base = bytes.baseAddress { memmove(arena + start, base, bytes.count) }
    }

    // MARK: The table

    /// Where the key is, or where it belongs.
    private func slot(_ key: Bytes, _ hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let index = Int(slots[slot])
            if index < 0 { return slot }
            let entry = entries[index]
            if entry.hash == hash, entry.keyCount == key.count,
                compare(Bytes(start: arena + entry.keyStart, count: entry.keyCount), key) == 0
            {
                return slot
            }
            slot = (slot + 1) & mask
        }
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = Array(repeating: -1, count: slots.count * 2)
        for (index, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(truncatingIfNeeded: index)
        }
    }
}

/// Byte order: negative, zero, positive.
func compare(_ left: Bytes, _ right: Bytes) -> Int {
    if let first = left.baseAddress, let second = right.baseAddress {
        let order = Int(memcmp(first, second, min(left.count, right.count)))
        if order != 0 { return order }
    }
    return left.count - right.count
}

func hasPrefix(_ key: Bytes, _ prefix: Bytes) -> Bool {
    key.count >= prefix.count && compare(Bytes(rebasing: key[..<prefix.count]), prefix) == 0
}
