/// An answer ready for the wire, its length in front: encoded bytes, with stored record batches between them.
public struct Response {
    enum Part {
        case bytes(Range<Int>)
        case slice(LogSlice)
    }

    let buffer: OutputBuffer
    let parts: [Part]

    /// Ends what `writer` began with four bytes for the length.
    /// Nil if it is too large for the protocol.
    init?(finishing writer: WireWriter) {
        buffer = writer.buffer
        var parts: [Part] = []
        var position = 0
        var inserted = 0
        for insertion in writer.insertions {
            parts.append(.bytes(position..<insertion.position))
            position = insertion.position
            for slice in insertion.slices {
                parts.append(.slice(slice))
                inserted += slice.count
            }
        }
        if position < buffer.count { parts.append(.bytes(position..<buffer.count)) }
        self.parts = parts
        guard let length = Int32(exactly: buffer.count - 4 + inserted) else { return nil }
        buffer.overwriteInt32(length, at: 0)
    }

    /// The whole answer copied into one array, length included: for simulations and tests.
    public func contiguousBytes() -> [UInt8] {
        var all: [UInt8] = []
        for part in parts {
            switch part {
            case .bytes(let range): all += UnsafeRawBufferPointer(rebasing: buffer.bytes[range])
            case .slice(let slice): all += slice.copied()
            }
        }
        return all
    }
}
