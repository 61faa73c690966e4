/// A list in memory of its own. An array asks at each append whether somebody else has it too.
struct RawList<Element>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private(set) var capacity: Int

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        base = .allocate(capacity: self.capacity)
    }

    init(repeating element: Element, count: Int) {
        self.init(capacity: count)
        base.initialize(repeating: element, count: count)
        self.count = count
    }

    init(_ elements: [Element]) {
        self.init(capacity: elements.count)
        for element in elements { append(element) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(1) }
        (base + count).initialize(to: element)
        count &+= 1
    }

    mutating func append(contentsOf elements: UnsafeBufferPointer<Element>) {
        guard let source = elements.baseAddress else { return }
        if capacity - count < elements.count { grow(elements.count) }
        (base + count).initialize(from: source, count: elements.count)
        count += elements.count
    }

    /// Room for more elements behind the others, which are theirs from then on.
    @inline(__always)
    mutating func extend(by more: Int) -> UnsafeMutablePointer<Element> {
        if capacity &- count < more { grow(more) }
        defer { count &+= more }
        return base + count
    }

    mutating func popLast() -> Element? {
        if count == 0 { return nil }
        count -= 1
        return (base + count).move()
    }

    /// Forgets the elements; memory for more than `kept` of them is given back.
    mutating func removeAll(keeping kept: Int) {
        base.deinitialize(count: count)
        count = 0
        if capacity <= kept { return }
        base.deallocate()
        capacity = 1
        base = .allocate(capacity: capacity)
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        moved.moveInitialize(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
