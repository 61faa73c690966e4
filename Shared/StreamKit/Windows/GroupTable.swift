import JSON

/// The groups of one transaction: found by window, source partition and key, in the order in which they came.
struct GroupTable {
    struct Group {
        let hash: UInt32
        let key: [UInt8]
        let windowStart: Int64
        let source: Int32
        let firstOffset: Int64
        var lastOffset: Int64
        var count: Int64
        var aggregates: Aggregates
    }

    private(set) var all: [Group] = []
    /// Open addressing: positions in `all`, plus one; 0 is empty.
    private var slots: [Int32] = Array(repeating: 0, count: 64)

    /// Takes a row into its group.
    mutating func take(
        _ row: EventRow, windowStart: Int64, source: Int32, offset: Int64, functions: [AggregateFunction]
    ) throws(DecimalError) {
        let index = find(row.key, windowStart, source) ?? insert(row.key, windowStart, source, offset, functions)
        for (number, function) in functions.enumerated() {
            try all[index].aggregates.take(row.operands[number], function, at: number)
        }
        all[index].lastOffset = offset
        all[index].count += 1
    }

    mutating func removeAll() {
        if all.isEmpty { return }
        all.removeAll(keepingCapacity: true)
        slots = Array(repeating: 0, count: 64)
    }

    private static func hash(_ key: Bytes, _ windowStart: Int64, _ source: Int32) -> UInt32 {
        let window = UInt32(truncatingIfNeeded: windowStart ^ windowStart >> 20) &* 0x9e37_79b1
        return Murmur2.hash(key) ^ window ^ UInt32(bitPattern: source) &* 0x85eb_ca77
    }

    private func find(_ key: Bytes, _ windowStart: Int64, _ source: Int32) -> Int? {
        let hash = Self.hash(key, windowStart, source)
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if all[index].hash == hash, all[index].windowStart == windowStart, all[index].source == source,
                all[index].key.count == key.count,
                all[index].key.withUnsafeBytes({ zip($0, key).allSatisfy { $0 == $1 } })
            {
                return index
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func insert(
        _ key: Bytes, _ windowStart: Int64, _ source: Int32, _ offset: Int64, _ functions: [AggregateFunction]
    ) -> Int {
        if (all.count + 1) * 2 > slots.count {
            slots = Array(repeating: 0, count: slots.count * 2)
            for (index, group) in all.enumerated() { place(group.hash, index) }
        }
        let hash = Self.hash(key, windowStart, source)
        all.append(
            Group(
                hash: hash, key: Array(key), windowStart: windowStart, source: source, firstOffset: offset,
                lastOffset: offset, count: 0, aggregates: Aggregates(functions)))
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
