/// The members and elements evaluated so far, by the offset of their text: those of all objects and arrays that are open, one after
/// the other. Whoever asks looks at those since its own beginning; a branch that fails takes its own back.
struct MarkStack {
    private var marks: UnsafeMutablePointer<UInt32>
    private(set) var count = 0
    private var capacity = 256

    init() {
        marks = .allocate(capacity: capacity)
    }

    func deallocate() {
        marks.deallocate()
    }

    mutating func push(_ offset: Int) {
        if count == capacity {
            let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: marks, count: count)
            marks.deallocate()
            marks = larger
            capacity *= 2
        }
        marks[count] = UInt32(truncatingIfNeeded: offset)
        count &+= 1
    }

    @inline(__always)
    mutating func truncate(to count: Int) {
        self.count = count
    }

    /// For ``contains(_:from:to:)``.
    func sort(from start: Int) {
        var slice = UnsafeMutableBufferPointer(start: marks + start, count: count - start)
        slice.sort()
    }

    func contains(_ offset: Int, from start: Int, to end: Int) -> Bool {
        var low = start
        var high = end
        while low < high {
            let middle = low + (high - low) / 2
            if Int(marks[middle]) < offset { low = middle + 1 } else { high = middle }
        }
        return low < end && Int(marks[low]) == offset
    }
}

/// The schema resources entered and not yet left, the outermost first: the dynamic scope.
struct ScopeStack {
    private var resources: UnsafeMutablePointer<Int32>
    private(set) var count = 0
    private var capacity = 64

    init() {
        resources = .allocate(capacity: capacity)
    }

    func deallocate() {
        resources.deallocate()
    }

    var last: Int32 { count == 0 ? -1 : resources[count &- 1] }

    subscript(position: Int) -> Int32 { resources[position] }

    mutating func push(_ resource: Int32) {
        if count == capacity {
            let larger = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: resources, count: count)
            resources.deallocate()
            resources = larger
            capacity *= 2
        }
        resources[count] = resource
        count &+= 1
    }

    mutating func pop() {
        count &-= 1
    }

    mutating func removeAll() {
        count = 0
    }
}
