/// Deadlines in order. Nothing is ever taken back: whoever is woken looks whether there is still something to do.
struct TimerQueue<Event> {
    private struct Entry {
        let deadline: Int64
        let number: UInt64
        let event: Event

        /// Equal deadlines fire in the order in which they were set.
        func precedes(_ other: Entry) -> Bool { (deadline, number) < (other.deadline, other.number) }
    }

    private var heap: [Entry] = []
    private var nextNumber: UInt64 = 0

    var nextDeadline: Int64? { heap.first?.deadline }

    mutating func schedule(_ event: Event, at deadline: Int64) {
        heap.append(Entry(deadline: deadline, number: nextNumber, event: event))
        nextNumber += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The first event that is due, if one is.
    mutating func popDue(now: Int64) -> Event? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least])
            {
                least = child
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return first.event
    }
}
