/// A reference that counts nothing, for calls made for each record: retaining and releasing an object around a call costs some
/// 10 ns, as much as a small rule. Somebody else owns the object, longer than this lives.
public struct Uncounted<Object: AnyObject> {
    @usableFromInline let reference: Unmanaged<Object>

    @inlinable
    public init(_ object: Object) { reference = .passUnretained(object) }

    /// Calls `body` with the object.
    @inlinable @inline(__always)
    public func with<Failure: Error>(_ body: (Object) throws(Failure) -> Void) throws(Failure) {
        // The library's function knows no typed errors.
        var failure: Failure?
        reference._withUnsafeGuaranteedRef { object in
            do throws(Failure) { try body(object) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

/// Objects that a loop visits for each record. The array owns them, and a turn of the loop counts no reference.
public final class UncountedArray<Element: AnyObject> {
    private let owned: [Element]
    @usableFromInline let base: UnsafeMutablePointer<Uncounted<Element>>
    public let count: Int

    public init(_ elements: [Element]) {
        owned = elements
        count = elements.count
        base = .allocate(capacity: elements.count)
        for (index, element) in elements.enumerated() { (base + index).initialize(to: Uncounted(element)) }
    }

    deinit { base.deallocate() }

    /// Calls `body` for each element in order.
    @inlinable @inline(__always)
    public func forEach<Failure: Error>(_ body: (Element) throws(Failure) -> Void) throws(Failure) {
        for index in 0..<count { try base[index].with(body) }
    }

    /// Whether `isTrue` holds of every element; stops at the first of which it does not.
    @inlinable @inline(__always)
    public func allSatisfy(_ isTrue: (Element) -> Bool) -> Bool {
        for index in 0..<count where !base[index].reference._withUnsafeGuaranteedRef({ isTrue($0) }) { return false }
        return true
    }
}
