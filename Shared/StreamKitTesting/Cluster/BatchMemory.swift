import StreamKit

/// The bytes of one polled batch. They are overwritten before they are freed, so that whoever keeps a borrowed record beyond
/// its batch reads garbage in a test, too.
final class BatchMemory {
    /// What a `HeaderReference` of the in-memory cluster points to.
    final class Headers {
        let headers: [Header]
        init(_ headers: [Header]) { self.headers = headers }
    }

    private var bytes: [UnsafeMutableRawBufferPointer] = []
    private var headers: [Headers] = []
    private var records: UnsafeMutableBufferPointer<Record>

    init(_ stored: [(source: Int32, record: StoredRecord)]) {
        records = .allocate(capacity: stored.count)
        for (index, item) in stored.enumerated() {
            let origin = Origin(
                source: item.source, offset: item.record.offset, key: copy(item.record.key),
                value: copy(item.record.value), timestampMilliseconds: item.record.timestampMilliseconds,
                headers: reference(item.record.headers))
            records.initializeElement(at: index, to: Record(origin))
        }
    }

    var batch: UnsafeBufferPointer<Record> { UnsafeBufferPointer(records) }

    static func headers(of reference: HeaderReference) -> [Header] {
        guard let address = reference.address else { return [] }
        return Unmanaged<Headers>.fromOpaque(address).takeUnretainedValue().headers
    }

    private func copy(_ source: [UInt8]?) -> Bytes? {
        guard let source else { return nil }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, source.count), alignment: 1)
        memory.copyBytes(from: source)
        bytes.append(memory)
        return Bytes(rebasing: memory[..<source.count])
    }

    private func reference(_ list: [Header]) -> HeaderReference {
        if list.isEmpty { return .none }
        let kept = Headers(list)
        headers.append(kept)
        return HeaderReference(address: Unmanaged.passUnretained(kept).toOpaque())
    }

    deinit {
        for memory in bytes {
            memory.initializeMemory(as: UInt8.self, repeating: 0xDD)
            memory.deallocate()
        }
        records.deinitialize()
        records.deallocate()
    }
}
