/// Bytes under construction, in memory that does not move once they are done.
package final class OutputBuffer {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 256) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    private func reserve(_ additional: Int) {
        let needed = count + additional
        guard needed > capacity else { return }
        let larger = max(needed, capacity * 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    func append<T: FixedWidthInteger>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
        count += MemoryLayout<T>.size
    }

    func append(contentsOf bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        if let source = bytes.baseAddress { (base + count).copyMemory(from: source, byteCount: bytes.count) }
        count += bytes.count
    }

    func overwriteInt32(_ value: Int32, at offset: Int) {
        precondition(offset + 4 <= count)
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}

/// Writes Kafka's wire types, in the classic encoding or in the flexible one (KIP-482).
package struct WireWriter {
    let buffer: OutputBuffer
    var flexible: Bool
    /// Stored record batches that leave from where they are kept, and where in `buffer` they belong.
    private(set) var insertions: [(position: Int, slices: [LogSlice])] = []

    package init(flexible: Bool) {
        buffer = OutputBuffer()
        self.flexible = flexible
    }

    /// A copy of what has been written.
    package var written: [UInt8] { Array(buffer.bytes) }

    package mutating func int8(_ value: Int8) { buffer.append(value) }
    package mutating func int16(_ value: Int16) { buffer.append(value) }
    package mutating func int32(_ value: Int32) { buffer.append(value) }
    package mutating func int64(_ value: Int64) { buffer.append(value) }
    package mutating func bool(_ value: Bool) { buffer.append(UInt8(value ? 1 : 0)) }
    mutating func error(_ code: ErrorCode) { buffer.append(code.rawValue) }

    package mutating func uuid(_ value: UUID128) {
        buffer.append(value.high)
        buffer.append(value.low)
    }

    package mutating func unsignedVarint(_ value: UInt32) {
        var rest = value
        while rest > 0x7f {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(rest))
    }

    private mutating func stringLength(_ length: Int?) {
        if flexible {
            unsignedVarint(length.map { UInt32($0) + 1 } ?? 0)
        } else {
            int16(length.map { Int16($0) } ?? -1)
        }
    }

    private mutating func bytesLength(_ length: Int?) {
        if flexible {
            unsignedVarint(length.map { UInt32($0) + 1 } ?? 0)
        } else {
            int32(length.map { Int32($0) } ?? -1)
        }
    }

    /// A string; what exceeds the protocol's limit of 32767 bytes is left out.
    package mutating func string(_ value: String) {
        var copy = value
        copy.withUTF8 { utf8 in
            let kept = UnsafeBufferPointer(rebasing: utf8.prefix(Int(Int16.max)))
            stringLength(kept.count)
            buffer.append(contentsOf: UnsafeRawBufferPointer(kept))
        }
    }

    package mutating func nullableString(_ value: String?) {
        if let value { string(value) } else { stringLength(nil) }
    }

    package mutating func bytes(_ value: [UInt8]) {
        bytesLength(value.count)
        value.withUnsafeBytes { buffer.append(contentsOf: $0) }
    }

    /// Record batches: never null, because librdkafka reports no end of a partition on null.
    mutating func records(_ slices: [LogSlice]) {
        bytesLength(slices.reduce(0) { $0 + $1.count })
        if !slices.isEmpty { insertions.append((buffer.count, slices)) }
    }

    package mutating func array<Element>(_ elements: [Element], _ write: (inout WireWriter, Element) -> Void) {
        bytesLength(elements.count)
        for element in elements { write(&self, element) }
    }

    mutating func nullArray() { bytesLength(nil) }

    package mutating func structures<Element>(_ elements: [Element], _ write: (inout WireWriter, Element) -> Void) {
        bytesLength(elements.count)
        for element in elements {
            write(&self, element)
            noTaggedFields()
        }
    }

    /// The end of a structure in the flexible encoding; nothing in the classic one.
    package mutating func noTaggedFields() {
        if flexible { buffer.append(UInt8(0)) }
    }
}
