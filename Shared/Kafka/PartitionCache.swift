/// From librdkafka's topic and a partition to the consumer's number of it: a small open-addressing table, because a
/// dictionary's hash would cost more than all else that is done for a record here.
struct PartitionCache {
    private struct Entry {
        var topic: OpaquePointer?
        var partition: Int32 = -1
        var index: Int32 = -1
    }

    private var entries: [Entry]
    private var used = 0
    private var last = Entry()

    init() {
        entries = Array(repeating: Entry(), count: 64)
    }

    @inline(__always)
    mutating func index(topic: OpaquePointer?, partition: Int32) -> Int? {
        if last.topic == topic && last.partition == partition && last.index >= 0 { return Int(last.index) }
        return search(topic, partition)
    }

    private mutating func search(_ topic: OpaquePointer?, _ partition: Int32) -> Int? {
        let entry = entries[slot(topic, partition)]
        if entry.index < 0 { return nil }
        last = entry
        return Int(entry.index)
    }

    mutating func remember(topic: OpaquePointer?, partition: Int32, index: Int) {
        guard let index = Int32(exactly: index) else { return }
        if (used + 1) * 2 > entries.count { grow() }
        let entry = Entry(topic: topic, partition: partition, index: index)
        entries[slot(topic, partition)] = entry
        used += 1
        last = entry
    }

    mutating func forget() {
        self = PartitionCache()
    }

    /// Where the entry is, or where it belongs.
    private func slot(_ topic: OpaquePointer?, _ partition: Int32) -> Int {
        let mask = entries.count - 1
        let address = UInt(bitPattern: topic) &>> 4
        var slot = Int(
            truncatingIfNeeded: (address ^ UInt(UInt32(bitPattern: partition))) &* 0x9e37_79b9_7f4a_7c15 &>> 40)
        slot &= mask
        while entries[slot].index >= 0 && !(entries[slot].topic == topic && entries[slot].partition == partition) {
            slot = (slot &+ 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: Entry(), count: old.count * 2)
        for entry in old where entry.index >= 0 { entries[slot(entry.topic, entry.partition)] = entry }
    }
}
