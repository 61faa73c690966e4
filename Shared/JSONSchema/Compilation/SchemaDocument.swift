internal import JSON

/// One text of schemas, kept and read: the nodes of its record live as long as it does.
final class SchemaDocument {
    let root: JSONValue
    private let record = JSONRecord(maximumDepth: 512)
    private let text: UnsafeMutableRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        text = .allocate(byteCount: bytes.count, alignment: 1)
        text.copyMemory(from: bytes)
        do {
            try record.read(UnsafeRawBufferPointer(text))
        } catch {
            // An object that was never whole has no deinit.
            text.deallocate()
            throw error
        }
        root = record.root
    }

    deinit {
        text.deallocate()
    }
}
