/// Bytes that grow, reused record after record: what is written to Kafka is built here.
///
/// It never shrinks, so that in the steady state nothing is allocated. One buffer belongs to one thread.
public final class OutputBuffer {
    @usableFromInline internal private(set) var base: UnsafeMutableRawPointer
    @usableFromInline internal var length = 0
    @usableFromInline internal private(set) var capacity: Int

    /// Room for so many bytes; it grows when they do not suffice.
    public init(capacity: Int = 512) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 1)
    }

    deinit {
        base.deallocate()
    }

    /// What was written; valid until the buffer changes.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: length)
    }

    public var count: Int { length }
    public var isEmpty: Bool { length == 0 }

    /// Forgets what was written; the memory is kept.
    public func removeAll() {
        length = 0
    }

    /// Takes back what was written after the first `count` bytes.
    public func truncate(to count: Int) {
        length = max(0, min(length, count))
    }

    /// The last byte written.
    public var last: UInt8? {
        length == 0 ? nil : base.load(fromByteOffset: length &- 1, as: UInt8.self)
    }

    /// Makes room for `count` more bytes.
    @inlinable @inline(__always)
    func reserve(_ count: Int) {
        if capacity &- length < count { grow(count) }
    }

    @inline(never) @usableFromInline
    func grow(_ count: Int) {
        let larger = max(capacity * 2, length + count)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 1)
        moved.copyMemory(from: base, byteCount: length)
        base.deallocate()
        base = moved
        capacity = larger
    }

    /// Where the next byte goes, after ``reserve(_:)``; then ``advance(by:)``.
    @inline(__always)
    var end: UnsafeMutableRawPointer { base + length }

    @inline(__always)
    func advance(by count: Int) {
        length &+= count
    }

    /// Calls `body` with room for `count` more bytes and takes as many as it says that it wrote there. What lies behind them may be
    /// overwritten: so a piece can be stored as whole words.
    @inlinable @inline(__always)
    public func write(atMost count: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        reserve(count)
        length &+= body(base + length)
    }

    // MARK: Bytes

    public func append(_ byte: UInt8) {
        reserve(1)
        end.storeBytes(of: byte, as: UInt8.self)
        length &+= 1
    }

    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        append(source, count: bytes.count)
    }

    @inline(__always)
    func append(_ source: UnsafeRawPointer, count: Int) {
        reserve(count)
        ShortCopy.copy(source, to: end, count: count)
        length &+= count
    }

    /// Appends `count` bytes, at least one, that are followed by 31 more that may be read: so they are copied in whole blocks.
    @inlinable @inline(__always)
    public func append(blocks source: UnsafeRawPointer, count: Int) {
        write(atMost: max(count, 1) &+ 31) { target in
            var position = 0
            repeat {
                ShortCopy.move(source + position, target + position, 0, as: SIMD2<UInt64>.self)
                ShortCopy.move(source + position, target + position, 16, as: SIMD2<UInt64>.self)
                position &+= 32
            } while position < count
            return count
        }
    }

    public func append(_ text: StaticString) {
        append(UnsafeRawPointer(text.utf8Start), count: text.utf8CodeUnitCount)
    }

    /// The text's UTF-8 as it is.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    // MARK: Values as text

    public func append(_ integer: Int64) {
        reserve(20)
        length &+= Digits.write(integer, to: end)
    }

    public func append(_ integer: UInt64) {
        reserve(20)
        length &+= Digits.write(integer, to: end)
    }

    public func append(_ decimal: Decimal) {
        reserve(Decimal.maximumByteCount)
        length &+= decimal.write(to: end)
    }

    /// The instant as RFC 3339, without quotes.
    public func append(_ instant: Instant, fraction: FractionDigits = .asNeeded, offsetSeconds: Int = 0) {
        reserve(Instant.maximumByteCount)
        length &+= instant.write(to: end, fraction: fraction, offsetSeconds: offsetSeconds)
    }

    /// The float with as many digits as it takes to read it back. JSON has no infinities and no NaN: they become `null`.
    public func append(_ float: Double) {
        append(float.isFinite ? float.description : "null")
    }

    /// A JSON string's value, decoded.
    public func append(_ string: JSONString) {
        if let utf8 = string.utf8 { return append(utf8) }
        var decoded = JSONString.DecodedBytes(string)
        reserve(string.count)
        // No escape is shorter than what it stands for.
        while let byte = decoded.next() {
            end.storeBytes(of: byte, as: UInt8.self)
            length &+= 1
        }
    }
}
