internal import CLibrdkafka

/// The headers of a consumed record, read when asked for: a record without any costs nothing, one with some 60 ns to open.
/// A borrowed view: valid as long as the record's batch.
public struct RecordHeaders {
    let message: UnsafeMutableRawPointer

    /// Nil if the record is known to have none.
    @inline(__always)
    init?(of message: UnsafeMutablePointer<rd_kafka_message_t>) {
        if Self.isKnownToHaveNone(message.pointee) { return nil }
        self.message = UnsafeMutableRawPointer(message)
    }

    /// Whether the record's own bytes say that it has no headers; false where they do not tell.
    ///
    /// librdkafka would parse the empty list of each record anew, with an allocation: a quarter of what a copying service's own
    /// thread does. The value, though, lies in the batch as it was fetched, between its length and the number of headers
    /// (record batches of version 2, https://kafka.apache.org/documentation/#record). That it does is seen by the length before
    /// it: the older formats have a big-endian integer there, which is never the same bytes, and memory of another origin has
    /// no length there. Only where it is found is the byte after the value read.
    @inline(__always)
    static func isKnownToHaveNone(_ message: rd_kafka_message_t) -> Bool {
        guard let payload = message.payload, message.len > 0, message.len < 1 << 30 else { return false }
        // Zigzag, seven bits a byte, the lowest first.
        var rest = UInt64(truncatingIfNeeded: message.len) << 1
        let bytes = payload.assumingMemoryBound(to: UInt8.self)
        var at = -varintBytes(rest)
        while rest >= 0x80 {
            if bytes[at] != UInt8(truncatingIfNeeded: rest) | 0x80 { return false }
            rest >>= 7
            at += 1
        }
        return bytes[at] == UInt8(truncatingIfNeeded: rest) && bytes[message.len] == 0
    }

    @inline(__always)
    private static func varintBytes(_ value: UInt64) -> Int {
        max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7)
    }

    /// The same headers in a word, for whoever has room for no more; as borrowed as they are.
    public var address: UnsafeRawPointer { UnsafeRawPointer(message) }

    /// - Parameter address: of headers whose batch is still there.
    public init(address: UnsafeRawPointer) {
        message = UnsafeMutableRawPointer(mutating: address)
    }

    /// librdkafka's list; nil if the record has no header, or headers that cannot be read.
    var list: OpaquePointer? {
        var list: OpaquePointer?
        let typed = message.assumingMemoryBound(to: rd_kafka_message_t.self)
        return rd_kafka_message_headers(typed, &list) == RD_KAFKA_RESP_ERR_NO_ERROR ? list : nil
    }

    /// The list, no longer the record's.
    func takeList() -> OpaquePointer? {
        var list: OpaquePointer?
        let typed = message.assumingMemoryBound(to: rd_kafka_message_t.self)
        return rd_kafka_message_detach_headers(typed, &list) == RD_KAFKA_RESP_ERR_NO_ERROR ? list : nil
    }

    public var isEmpty: Bool { list == nil }

    /// All headers in order, repeated names too. A value may be null, which is not the same as empty.
    public func forEach(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Void) {
        guard let list else { return }
        var index = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            if let name {
                body(
                    UnsafeRawBufferPointer(start: name, count: length(of: name)),
                    value.map { UnsafeRawBufferPointer(start: $0, count: size) })
            }
            index += 1
        }
    }

    /// The value of the last header of this name; nil if there is none or its value is null.
    public func last(_ name: String) -> UnsafeRawBufferPointer? {
        guard let list else { return nil }
        var value: UnsafeRawPointer?
        var size = 0
        guard rd_kafka_header_get_last(list, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let value
        else { return nil }
        return UnsafeRawBufferPointer(start: value, count: size)
    }
}

private func length(of text: UnsafePointer<CChar>) -> Int {
    var count = 0
    while text[count] != 0 { count += 1 }
    return count
}

/// Headers of a record to be produced. Whoever produces with them takes them over.
public struct OutgoingHeaders: ~Copyable {
    let list: OpaquePointer

    public init(capacity: Int = 4) {
        list = rd_kafka_headers_new(capacity)
    }

    /// A copy of a consumed record's headers, to which more may be added.
    public init(copying headers: borrowing RecordHeaders) {
        list = headers.list.flatMap { rd_kafka_headers_copy($0) } ?? rd_kafka_headers_new(4)
    }

    /// The consumed record's headers themselves, which spares a copy: from then on they are read anew for each who asks.
    ///
    /// That librdkafka does so (all versions up to 2.16) is nowhere promised: ``RecordHeaders/isEmpty`` tells.
    public init(taking headers: borrowing RecordHeaders) {
        list = headers.takeList() ?? rd_kafka_headers_new(4)
    }

    deinit { rd_kafka_headers_destroy(list) }

    /// `value` nil: null, which is not the same as empty.
    public func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        // What is empty may have no address; to librdkafka only a null value has none.
        withUnsafeBytes(of: 0) { empty in
            let text = (name.baseAddress ?? empty.baseAddress)?.assumingMemoryBound(to: CChar.self)
            let content = value.map { $0.baseAddress ?? empty.baseAddress } ?? nil
            _ = rd_kafka_header_add(list, text, name.count, content, value?.count ?? 0)
        }
    }

    public func add(_ name: String, _ value: UnsafeRawBufferPointer?) {
        var name = name
        name.withUTF8 { add(UnsafeRawBufferPointer($0), value) }
    }

    public func add(_ name: String, _ value: String) {
        var value = value
        value.withUTF8 { add(name, UnsafeRawBufferPointer($0)) }
    }

    public func remove(_ name: String) {
        _ = rd_kafka_header_remove(list, name)
    }

    consuming func take() -> OpaquePointer {
        let taken = list
        discard self
        return taken
    }
}
