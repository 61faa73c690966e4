#if canImport(Glibc)
    import Glibc
#endif
internal import JSON

/// A store in memory: an open-addressing table over an arena, restored from the changelog when a task starts.
///
/// Pending writes are made in place, and what they replaced is kept in an undo log until the transaction's end: one look-up
/// for each write, and a commit that only forgets.
public final class MemoryStore: StoreBackend {
    /// What stands before an entry's key and value.
    private struct Entry {
        var keyBytes: UInt32
        /// `removed` for an entry whose removal is pending.
        var valueBytes: UInt32
        var capacityBytes: UInt32
        /// The number of its pending write, plus one; 0 without.
        var pending: UInt32

        static let removed = UInt32.max
        static let headerBytes = MemoryLayout<Entry>.size
    }

    private struct Slot {
        var hash: UInt64
        /// The entry's block, plus one; 0: an empty slot.
        var reference: UInt64
    }

    private struct Pending {
        var block: UInt64
        var hash: UInt64
        /// Where in `undo` the replaced value begins; -1 if there was no entry.
        var undoStart: Int
        var undoBytes: Int
    }

    private var arena = EntryArena()
    private var slots: UnsafeMutablePointer<Slot>
    private var mask: Int
    private var used = 0
    /// So many entries, and the table grows.
    private var usedMax = usedMax(1024)
    private var removedPending = 0
    private var pending = RawList<Pending>(capacity: 64)
    private var undo = RawList<UInt8>(capacity: 64)
    private let hash = KeyHash()
    public private(set) var position: ChangelogPosition?

    public init() {
        mask = 1023
        slots = Self.makeSlots(1024)
    }

    deinit { free(slots) }

    public var entryCount: Int { used - removedPending }
    public var byteCount: Int { arena.byteCount + (mask + 1) * MemoryLayout<Slot>.stride }
    public var pendingCount: Int { pending.count }

    // MARK: Reading and writing

    public func get(_ key: Bytes) throws(StoreFailure) -> Bytes? {
        find(key, hash(key)).flatMap { value(of: arena.address(slots[$0].reference - 1)) }
    }

    public func put(_ key: Bytes, _ value: Bytes) throws(StoreFailure) {
        let hash = self.hash(key)
        try write(key, value, hash, slot: slot(of: key, hash))
    }

    public func update(_ key: Bytes, _ change: (_ present: Bytes?) -> Bytes?) throws(StoreFailure) {
        let hash = self.hash(key)
        let slot = slot(of: key, hash)
        let reference = slots[slot].reference
        guard let value = change(reference == 0 ? nil : value(of: arena.address(reference &- 1))) else { return }
        try write(key, value, hash, slot: slot)
    }

    /// A pending write, to the slot that the key has or belongs into.
    private func write(_ key: Bytes, _ value: Bytes, _ hash: UInt64, slot: Int) throws(StoreFailure) {
        guard value.count < Int(Entry.removed), key.count < Int(UInt32.max) else {
            throw StoreFailure("an entry of \(key.count) and \(value.count) bytes is too large for a store in memory")
        }
        if slots[slot].reference != 0 {
            remember(slots[slot].reference &- 1, hash)
            try write(value, slot: slot)
        } else {
            let number = UInt32(truncatingIfNeeded: pending.count &+ 1)
            let block = try insert(key, value, hash, slot: slot, pending: number)
            pending.append(Pending(block: block, hash: hash, undoStart: -1, undoBytes: 0))
        }
    }

    public func remove(_ key: Bytes) throws(StoreFailure) {
        let hash = self.hash(key)
        guard let slot = find(key, hash) else { return }
        let block = slots[slot].reference - 1
        remember(block, hash)
        let entry = header(block)
        if entry.pointee.valueBytes != Entry.removed {
            entry.pointee.valueBytes = Entry.removed
            removedPending += 1
        }
    }

    // MARK: The transaction's end

    public func forEachPending(
        _ body: (_ key: Bytes, _ value: Bytes?) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        for index in 0..<pending.count {
            let write = pending.base[index]
            let address = arena.address(write.block)
            let value = value(of: address)
            if value == nil && write.undoStart < 0 { continue }
            try body(key(of: address), value)
        }
    }

    public func commit(_ position: ChangelogPosition) throws(StoreFailure) {
        for index in 0..<pending.count {
            let write = pending.base[index]
            let entry = header(write.block)
            entry.pointee.pending = 0
            if entry.pointee.valueBytes == Entry.removed { erase(write.block, write.hash) }
        }
        forgetPending()
        self.position = position
    }

    public func rollback() throws(StoreFailure) {
        // In reverse, though each key is there once: a block may have been replaced, never reused, meanwhile.
        for index in (0..<pending.count).reversed() {
            let write = pending.base[index]
            let entry = header(write.block)
            entry.pointee.pending = 0
            if write.undoStart < 0 {
                erase(write.block, write.hash)
                continue
            }
            // A replaced value needs no more room than the entry has: blocks only grow.
            let target = arena.address(write.block) + Entry.headerBytes + Int(entry.pointee.keyBytes)
            target.copyMemory(from: undo.base + write.undoStart, byteCount: write.undoBytes)
            entry.pointee.valueBytes = UInt32(write.undoBytes)
        }
        forgetPending()
    }

    private func forgetPending() {
        pending.removeAll(keeping: 1 << 17)
        undo.removeAll(keeping: 1 << 22)
        removedPending = 0
    }

    // MARK: All entries

    public func scan(prefix: Bytes, _ body: (_ key: Bytes, _ value: Bytes) -> Bool) throws(StoreFailure) {
        for index in 0...mask where slots[index].reference != 0 {
            let address = arena.address(slots[index].reference - 1)
            let key = key(of: address)
            guard let value = value(of: address), key.count >= prefix.count, Self.isEqual(key, prefix, prefix.count)
            else {
                continue
            }
            if !body(key, value) { return }
        }
    }

    public func sweep(
        _ cursor: inout SweepCursor, limit: Int, remove: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StoreFailure) -> Bool {
        if cursor.slot > mask || cursor.slot < 0 { cursor.slot = 0 }
        let end = cursor.slot + min(max(1, limit), mask + 1 - cursor.slot)
        for index in cursor.slot..<end where slots[index].reference != 0 {
            let block = slots[index].reference - 1
            let address = arena.address(block)
            guard let value = value(of: address), remove(key(of: address), value) else { continue }
            remember(block, slots[index].hash)
            header(block).pointee.valueBytes = Entry.removed
            removedPending += 1
        }
        cursor.slot = end > mask ? 0 : end
        return end > mask
    }

    // MARK: Restoring

    public func restore(_ key: Bytes, _ value: Bytes?) throws(StoreFailure) {
        let hash = self.hash(key)
        if let slot = find(key, hash) {
            if let value { try write(value, slot: slot) } else { erase(slots[slot].reference - 1, hash) }
        } else if let value {
            _ = try insert(key, value, hash, slot: slot(of: key, hash), pending: 0)
        }
    }

    public func restored(_ position: ChangelogPosition) throws(StoreFailure) { self.position = position }

    public func reset() throws(StoreFailure) {
        arena = EntryArena()
        free(slots)
        mask = 1023
        slots = Self.makeSlots(1024)
        used = 0
        usedMax = Self.usedMax(1024)
        forgetPending()
        position = nil
    }

    public func close() {}

    // MARK: Entries

    @inline(__always)
    private func header(_ block: UInt64) -> UnsafeMutablePointer<Entry> {
        arena.address(block).assumingMemoryBound(to: Entry.self)
    }

    @inline(__always)
    private func key(of address: UnsafeMutableRawPointer) -> Bytes {
        Bytes(start: address + Entry.headerBytes, count: Int(address.load(as: Entry.self).keyBytes))
    }

    @inline(__always)
    private func value(of address: UnsafeMutableRawPointer) -> Bytes? {
        let entry = address.load(as: Entry.self)
        if entry.valueBytes == Entry.removed { return nil }
        return Bytes(start: address + Entry.headerBytes + Int(entry.keyBytes), count: Int(entry.valueBytes))
    }

    /// Before the first write of a transaction to an entry: keeps what is there.
    private func remember(_ block: UInt64, _ hash: UInt64) {
        let entry = header(block)
        if entry.pointee.pending != 0 {
            if entry.pointee.valueBytes == Entry.removed { removedPending -= 1 }
            // The removal is undone or done again by the caller; the value that a rollback restores is in the log.
            if entry.pointee.valueBytes == Entry.removed { entry.pointee.valueBytes = 0 }
            return
        }
        let old = value(of: arena.address(block)) ?? Bytes(start: nil, count: 0)
        pending.append(Pending(block: block, hash: hash, undoStart: undo.count, undoBytes: old.count))
        undo.append(contentsOf: old.assumingMemoryBound(to: UInt8.self))
        entry.pointee.pending = UInt32(pending.count)
    }

    private func write(_ value: Bytes, slot: Int) throws(StoreFailure) {
        let block = slots[slot].reference - 1
        let entry = header(block)
        if value.count <= Int(entry.pointee.capacityBytes) {
            let target = arena.address(block) + Entry.headerBytes + Int(entry.pointee.keyBytes)
            if let base = value.baseAddress { memmove(target, base, value.count) }
            entry.pointee.valueBytes = UInt32(value.count)
            return
        }
        let number = entry.pointee.pending
        let moved = try makeEntry(key(of: arena.address(block)), value, pending: number)
        if number != 0 { pending.base[Int(number) - 1].block = moved }
        release(block)
        slots[slot].reference = moved + 1
    }

    private func makeEntry(_ key: Bytes, _ value: Bytes, pending: UInt32) throws(StoreFailure) -> UInt64 {
        let bytes = Entry.headerBytes &+ key.count &+ value.count
        guard let block = arena.allocate(bytes) else {
            throw StoreFailure("no memory for an entry of \(bytes) bytes beside \(used) others")
        }
        let capacity = EntryArena.units(bytes) &* 16 &- Entry.headerBytes &- key.count
        let address = arena.address(block)
        address.storeBytes(
            of: Entry(
                keyBytes: UInt32(truncatingIfNeeded: key.count), valueBytes: UInt32(truncatingIfNeeded: value.count),
                capacityBytes: UInt32(truncatingIfNeeded: capacity), pending: pending), as: Entry.self)
        let content = address + Entry.headerBytes
        if let base = key.baseAddress { ShortCopy.copy(base, to: content, count: key.count) }
        if let base = value.baseAddress { ShortCopy.copy(base, to: content + key.count, count: value.count) }
        return block
    }

    private func release(_ block: UInt64) {
        let entry = header(block).pointee
        arena.release(block, bytes: Entry.headerBytes + Int(entry.keyBytes) + Int(entry.capacityBytes))
    }

    // MARK: The table

    private func find(_ key: Bytes, _ hash: UInt64) -> Int? {
        let slot = slot(of: key, hash)
        return slots[slot].reference == 0 ? nil : slot
    }

    /// Where the key is, or the empty slot where it belongs.
    @inline(__always)
    private func slot(of key: Bytes, _ hash: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].reference != 0 {
            if slots[index].hash == hash {
                let found = self.key(of: arena.address(slots[index].reference &- 1))
                if found.count == key.count, Self.isEqual(found, key, key.count) { return index }
            }
            index = (index &+ 1) & mask
        }
        return index
    }

    /// A new entry, in the empty slot where it belongs.
    private func insert(
        _ key: Bytes, _ value: Bytes, _ hash: UInt64, slot: Int, pending: UInt32
    ) throws(StoreFailure) -> UInt64 {
        let block = try makeEntry(key, value, pending: pending)
        let entry = Slot(hash: hash, reference: block &+ 1)
        if used >= usedMax {
            grow()
            place(entry)
        } else {
            slots[slot] = entry
        }
        used &+= 1
        return block
    }

    @inline(__always)
    private func place(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & mask
        while slots[index].reference != 0 { index = (index &+ 1) & mask }
        slots[index] = slot
    }

    private func grow() {
        let old = slots
        let count = mask + 1
        mask = count * 2 - 1
        usedMax = Self.usedMax(count * 2)
        slots = Self.makeSlots(count * 2)
        for index in 0..<count where old[index].reference != 0 { place(old[index]) }
        free(old)
    }

    private static func usedMax(_ count: Int) -> Int { count / 10 * 7 }

    /// Takes an entry out of the table, and moves those after it that would no longer be found.
    private func erase(_ block: UInt64, _ hash: UInt64) {
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].reference != block + 1 {
            if slots[index].reference == 0 { return }
            index = (index + 1) & mask
        }
        release(block)
        used -= 1
        var hole = index
        var next = (index + 1) & mask
        while slots[next].reference != 0 {
            let home = Int(truncatingIfNeeded: slots[next].hash) & mask
            if (next &- home) & mask >= (next &- hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Slot(hash: 0, reference: 0)
    }

    private static func makeSlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
        // Memory that comes from the kernel is zero already.
        guard let slots = calloc(count, MemoryLayout<Slot>.stride) else {
            fatalError("no memory for a table of \(count) entries")
        }
        return slots.bindMemory(to: Slot.self, capacity: count)
    }

    private static func isEqual(_ left: Bytes, _ right: Bytes, _ count: Int) -> Bool {
        guard count > 0, let first = left.baseAddress, let second = right.baseAddress else { return count == 0 }
        return memcmp(first, second, count) == 0
    }
}
