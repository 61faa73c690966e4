#if canImport(Glibc)
    import Glibc
#endif
import JSON

/// The groups of one transaction: found by window, source partition and key, in the order in which they came.
///
/// Keys and values of all groups lie in one array each, so that nothing counts references for a record.
struct GroupTable {
    struct Group {
        fileprivate let hash: UInt32
        fileprivate let keyStart: Int
        fileprivate let keyCount: Int
        let windowStart: Int64
        let source: Int32
        let firstOffset: Int64
        fileprivate(set) var lastOffset: Int64
        fileprivate(set) var count: Int64
    }

    private let functions: [AggregateFunction]
    private let empty: [Decimal?]
    private(set) var all: [Group] = []
    private var keys: [UInt8] = []
    /// One for each function, group after group.
    private var values: [Decimal?] = []
    /// Open addressing: positions in `all`, plus one; 0 is empty.
    private var slots: [Int32] = Array(repeating: 0, count: 64)

    init(_ functions: [AggregateFunction]) {
        self.functions = functions
        empty = Aggregates(functions).values
    }

    func key(of group: Group) -> [UInt8] { Array(keys[group.keyStart..<group.keyStart + group.keyCount]) }

    func aggregates(ofGroupAt index: Int) -> Aggregates {
        Aggregates(values: Array(values[index * functions.count..<(index + 1) * functions.count]))
    }

    /// Takes a row into its group. Its operands are bounded (`Aggregates.bounded`), so that no sum fails.
    mutating func take(_ row: EventRow, windowStart: Int64, source: Int32, offset: Int64) throws(DecimalError) {
        let hash = Self.hash(row.key, windowStart, source)
        let index = find(row.key, hash, windowStart, source) ?? insert(row.key, hash, windowStart, source, offset)
        var position = index * functions.count
        for (number, function) in functions.enumerated() {
            values[position] = try function.taking(row.operands[number], into: values[position])
            position += 1
        }
        all[index].lastOffset = offset
        all[index].count += 1
    }

    mutating func removeAll() {
        if all.isEmpty { return }
        all.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        for index in slots.indices { slots[index] = 0 }
    }

    private static func hash(_ key: Bytes, _ windowStart: Int64, _ source: Int32) -> UInt32 {
        let window = UInt32(truncatingIfNeeded: windowStart ^ windowStart >> 20) &* 0x9e37_79b1
        return Murmur2.hash(key) ^ window ^ UInt32(bitPattern: source) &* 0x85eb_ca77
    }

    private func find(_ key: Bytes, _ hash: UInt32, _ windowStart: Int64, _ source: Int32) -> Int? {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            let group = all[index]
            if group.hash == hash, group.windowStart == windowStart, group.source == source,
                group.keyCount == key.count,
                isEqual(key, group)
            {
                return index
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func isEqual(_ key: Bytes, _ group: Group) -> Bool {
        guard let base = key.baseAddress else { return true }
        return keys.withUnsafeBytes { stored in
            stored.baseAddress.map { memcmp($0 + group.keyStart, base, key.count) == 0 } ?? (key.count == 0)
        }
    }

    private mutating func insert(
        _ key: Bytes, _ hash: UInt32, _ windowStart: Int64, _ source: Int32, _ offset: Int64
    ) -> Int {
        if (all.count + 1) * 2 > slots.count {
            slots = Array(repeating: 0, count: slots.count * 2)
            for (index, group) in all.enumerated() { place(group.hash, index) }
        }
        all.append(
            Group(
                hash: hash, keyStart: keys.count, keyCount: key.count, windowStart: windowStart, source: source,
                firstOffset: offset, lastOffset: offset, count: 0))
        keys.append(contentsOf: key)
        values.append(contentsOf: empty)
        place(hash, all.count - 1)
        return all.count - 1
    }

    private mutating func place(_ hash: UInt32, _ index: Int) {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(truncatingIfNeeded: index + 1)
    }
}
