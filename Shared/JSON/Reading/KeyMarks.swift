internal import Glibc

/// The hashes of the keys of all objects that a scan has open: how it notices a key given twice without comparing every pair.
struct KeyMarks {
    struct Mark {
        var hash: UInt64
        var node: UInt32
    }

    /// Objects with more keys than this are sorted once when they end.
    private static let pairwiseLimit = 32

    private var marks: UnsafeMutablePointer<Mark>
    private(set) var count = 0
    private var capacity = 64

    init() {
        marks = .allocate(capacity: capacity)
    }

    func deallocate() {
        marks.deallocate()
    }

    /// Forgets the marks of an object that has ended, or all.
    @inline(__always)
    mutating func truncate(to start: Int) {
        count = start
    }

    /// Notes a key of the object whose marks begin at `start`. `filter` has a bit for each hash noted: the common case, a hash
    /// that none of the others resembles, is one test. Answers the position of an earlier mark with the same hash.
    @inline(__always)
    mutating func note(_ hash: UInt64, node: Int, start: Int, filter: inout UInt64) -> Int? {
        if count == capacity { grow() }
        marks[count] = Mark(hash: hash, node: UInt32(truncatingIfNeeded: node))
        count &+= 1
        let bit: UInt64 = 1 << (hash & 63)
        if filter & bit == 0 {
            filter |= bit
            return nil
        }
        return count &- start <= KeyMarks.pairwiseLimit ? earlier(hash, start: start) : nil
    }

    private func earlier(_ hash: UInt64, start: Int) -> Int? {
        // Backwards: of three, the second supersedes the first and the third the second.
        var position = count &- 2
        while position >= start {
            if marks[position].hash == hash { return position }
            position &-= 1
        }
        return nil
    }

    func node(at position: Int) -> Int {
        Int(marks[position].node)
    }

    /// For an object with more keys than ``note(_:node:start:filter:)`` compares: all pairs of nodes with equal hashes, by sorting.
    mutating func pairs(from start: Int) -> [(earlier: Int, later: Int)] {
        guard count - start > KeyMarks.pairwiseLimit else { return [] }
        var all = UnsafeMutableBufferPointer(start: marks + start, count: count - start)
        all.sort { ($0.hash, $0.node) < ($1.hash, $1.node) }
        var pairs: [(earlier: Int, later: Int)] = []
        for position in 1..<all.count where all[position].hash == all[position - 1].hash {
            pairs.append((Int(all[position - 1].node), Int(all[position].node)))
        }
        return pairs
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Mark>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: marks, count: count)
        marks.deallocate()
        marks = larger
        capacity *= 2
    }
}
