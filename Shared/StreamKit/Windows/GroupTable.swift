#if canImport(Glibc)
    import Glibc
#endif
import JSON

/// The groups of one transaction: found by window, source partition and key, in the order in which they came.
///
/// Keys and values of all groups lie in one list each, so that nothing counts references for a record.
struct GroupTable: ~Copyable {
    struct Group {
        fileprivate let hash: UInt64
        fileprivate let keyStart: Int
        fileprivate let keyCount: Int
        let windowStart: Int64
        let source: Int32
        let firstOffset: Int64
        fileprivate(set) var lastOffset: Int64
        fileprivate(set) var count: Int64
    }

    private let functions: RawList<AggregateFunction>
    private let empty: [Decimal?]
    private var all = RawList<Group>(capacity: 32)
    private var keys = RawList<UInt8>(capacity: 512)
    /// One for each function, group after group. That of a count stays as it began: the group has it.
    private var values = RawList<Decimal?>(capacity: 128)
    /// Open addressing: positions in `all`, plus one; 0 is empty.
    private var slots = RawList<Int32>(repeating: 0, count: 64)
    private let keyHash = KeyHash()

    init(_ functions: [AggregateFunction]) {
        self.functions = RawList(functions)
        empty = Aggregates(functions).values
    }

    var count: Int { all.count }

    subscript(index: Int) -> Group { all.base[index] }

    func key(of group: Group) -> [UInt8] {
        Array(UnsafeBufferPointer(start: keys.base + group.keyStart, count: group.keyCount))
    }

    func aggregates(ofGroupAt index: Int) -> Aggregates {
        Aggregates(
            values: (0..<functions.count).map { number in
                functions.base[number] == .count
                    ? Decimal(all.base[index].count) : values.base[index * functions.count + number]
            })
    }

    /// Takes a row into its group. Its operands are bounded (`Aggregates.bounded`), so that no sum fails.
    mutating func take(_ row: EventRow, windowStart: Int64, source: Int32, offset: Int64) throws(DecimalError) {
        let hash = hash(row.key, windowStart, source)
        let index = find(row.key, hash, windowStart, source) ?? insert(row.key, hash, windowStart, source, offset)
        let value = values.base + index &* functions.count
        for number in 0..<functions.count {
            let function = functions.base[number]
            if function == .count { continue }
            value[number] = try function.taking(row.operands[number], into: value[number])
        }
        all.base[index].lastOffset = offset
        all.base[index].count &+= 1
    }

    mutating func removeAll() {
        if all.count == 0 { return }
        all.removeAll(keeping: .max)
        keys.removeAll(keeping: .max)
        values.removeAll(keeping: .max)
        slots.base.update(repeating: 0, count: slots.count)
    }

    @inline(__always)
    private func hash(_ key: Bytes, _ windowStart: Int64, _ source: Int32) -> UInt64 {
        let place = UInt64(bitPattern: windowStart) ^ UInt64(UInt32(bitPattern: source)) << 48
        return keyHash(key) ^ place &* 0x9e37_79b9_7f4a_7c15
    }

    @inline(__always)
    private func find(_ key: Bytes, _ hash: UInt64, _ windowStart: Int64, _ source: Int32) -> Int? {
        let mask = slots.count &- 1
        var slot = Self.first(hash) & mask
        while slots.base[slot] != 0 {
            let index = Int(slots.base[slot]) &- 1
            let group = all.base + index
            if group.pointee.hash == hash, group.pointee.windowStart == windowStart, group.pointee.source == source,
                group.pointee.keyCount == key.count, isEqual(key, group.pointee.keyStart)
            {
                return index
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    @inline(__always)
    private func isEqual(_ key: Bytes, _ start: Int) -> Bool {
        guard let base = key.baseAddress else { return true }
        return memcmp(keys.base + start, base, key.count) == 0
    }

    @inline(never)
    private mutating func insert(
        _ key: Bytes, _ hash: UInt64, _ windowStart: Int64, _ source: Int32, _ offset: Int64
    ) -> Int {
        if (all.count + 1) * 2 > slots.count {
            slots = RawList(repeating: 0, count: slots.count * 2)
            for index in 0..<all.count { place(all.base[index].hash, index) }
        }
        all.append(
            Group(
                hash: hash, keyStart: keys.count, keyCount: key.count, windowStart: windowStart, source: source,
                firstOffset: offset, lastOffset: offset, count: 0))
        keys.append(contentsOf: key.assumingMemoryBound(to: UInt8.self))
        for value in empty { values.append(value) }
        place(hash, all.count - 1)
        return all.count - 1
    }

    /// The upper half is mixed best.
    @inline(__always)
    private static func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32) }

    private func place(_ hash: UInt64, _ index: Int) {
        let mask = slots.count - 1
        var slot = Self.first(hash) & mask
        while slots.base[slot] != 0 { slot = (slot + 1) & mask }
        slots.base[slot] = Int32(truncatingIfNeeded: index + 1)
    }
}
