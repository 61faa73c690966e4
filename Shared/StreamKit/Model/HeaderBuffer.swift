internal import JSON

/// Headers to be written with a record, one after another in memory that the next record's use again: nothing is allocated for
/// each.
public final class HeaderBuffer {
    private struct Extent {
        let nameEnd: Int
        /// The name's end where the value is null.
        let valueEnd: Int
        let isNull: Bool

        func moved(by start: Int) -> Extent {
            Extent(nameEnd: nameEnd + start, valueEnd: valueEnd + start, isNull: isNull)
        }
    }

    private let content = OutputBuffer(capacity: 1024)
    private var extents: [Extent] = []

    public init() {}

    public var count: Int { extents.count }

    public func removeAll() {
        content.removeAll()
        extents.removeAll(keepingCapacity: true)
    }

    /// `value` nil: null, which is not the same as empty.
    public func append(_ name: Bytes, _ value: Bytes?) {
        content.append(name)
        let nameEnd = content.count
        if let value { content.append(value) }
        extents.append(Extent(nameEnd: nameEnd, valueEnd: content.count, isNull: value == nil))
    }

    public func append(_ header: Header) {
        var name = header.name
        name.withUTF8 { name in
            if let value = header.value {
                value.withBytes { append(Bytes(name), $0) }
            } else {
                append(Bytes(name), nil)
            }
        }
    }

    /// Those of another, once more.
    public func append(_ others: HeaderBuffer) {
        let start = content.count
        content.append(others.content.bytes)
        for extent in others.extents { extents.append(extent.moved(by: start)) }
    }

    /// All in order; the bytes are valid within the call.
    public func forEach(_ body: (_ name: Bytes, _ value: Bytes?) -> Void) {
        let bytes = content.bytes
        var start = 0
        for extent in extents {
            let value = extent.isNull ? nil : Bytes(rebasing: bytes[extent.nameEnd..<extent.valueEnd])
            body(Bytes(rebasing: bytes[start..<extent.nameEnd]), value)
            start = extent.valueEnd
        }
    }
}
