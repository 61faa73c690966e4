public import Synchronization

/// What a registry hands out: a place to count in, read by whoever asks for the metrics.
public protocol MetricHandle: AnyObject, Sendable {
    init(_ descriptor: MetricDescriptor)
}

/// A sum that only grows. One thread writes it: an increment is a plain load and store, no locked instruction.
public final class Counter: MetricHandle {
    @usableFromInline let count = Atomic(0)

    public init(_ descriptor: MetricDescriptor) {}

    /// In the family's unit. Only ever called by one thread.
    @inlinable
    public func increment(by amount: Int = 1) {
        count.store(count.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// Sets the sum to that of someone else's counter, which must not go back.
    @inlinable
    public func set(to total: Int) {
        count.store(total, ordering: .relaxed)
    }

    public var value: Int { count.load(ordering: .relaxed) }
}

/// A value that goes up and down. One thread writes it.
public final class Gauge: MetricHandle {
    @usableFromInline let current = Atomic(0)

    public init(_ descriptor: MetricDescriptor) {}

    /// In the family's unit.
    @inlinable
    public func set(to value: Int) {
        current.store(value, ordering: .relaxed)
    }

    /// Only ever called by one thread.
    @inlinable
    public func add(_ amount: Int) {
        current.store(current.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    public var value: Int { current.load(ordering: .relaxed) }
}

/// How many observations were at most each bound. One thread writes it.
public final class Histogram: MetricHandle {
    private let bounds: [Int]
    /// One count for each bound, one for what is beyond, and the sum.
    private let cells: UnsafeMutablePointer<Atomic<Int>>
    private var cellCount: Int { bounds.count + 2 }

    public init(_ descriptor: MetricDescriptor) {
        bounds = descriptor.bounds
        cells = .allocate(capacity: bounds.count + 2)
        for index in 0..<(bounds.count + 2) { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: cellCount)
        cells.deallocate()
    }

    /// In the family's unit. Only ever called by one thread.
    public func observe(_ value: Int) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        add(1, to: index)
        add(value, to: bounds.count + 1)
    }

    private func add(_ amount: Int, to index: Int) {
        cells[index].store(cells[index].load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// Counts up to and with each bound and then of all; the sum of all values.
    var snapshot: (cumulative: [Int], sum: Int) {
        var total = 0
        let cumulative = (0...bounds.count).map { index in
            total &+= cells[index].load(ordering: .relaxed)
            return total
        }
        return (cumulative, cells[bounds.count + 1].load(ordering: .relaxed))
    }
}

// `cells` is written by one thread and read by others, by atomic operations only; `bounds` never changes.
extension Histogram: @unchecked Sendable {}
