/// Bytes that somebody else owns and that are valid only during the call that handed them over.
public typealias Bytes = UnsafeRawBufferPointer

extension [UInt8] {
    /// The bytes as records and stores take them, within the call.
    @inlinable
    public func withBytes<Result, Failure: Error>(
        _ body: (Bytes) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { (buffer) throws(Failure) in try body(Bytes(buffer)) }
    }
}

/// A record on its way through the processors: a borrowed view, valid until the call that received it returns.
///
/// Whoever keeps something of it copies that on purpose. A processor changes its own copy of the struct (another key, other
/// bytes of its own buffer) and forwards that; `origin` stays what it was, so that dead letters and logs can name where a
/// record came from, however far it has come.
public struct Record {
    /// nil: the record has no key.
    public var key: Bytes?
    /// nil: a tombstone. Empty bytes are a value.
    public var value: Bytes?
    /// What a sink writes as the record's timestamp, in milliseconds since 1970 UTC; kept from stage to stage.
    public var timestampMilliseconds: Int64
    /// When it happened, in milliseconds since 1970 UTC: the timestamp, until a step of the topology reads it from the value.
    public var eventTimeMilliseconds: Int64
    public let origin: Origin

    public init(key: Bytes?, value: Bytes?, timestampMilliseconds: Int64, origin: Origin) {
        self.key = key
        self.value = value
        self.timestampMilliseconds = timestampMilliseconds
        self.eventTimeMilliseconds = timestampMilliseconds
        self.origin = origin
    }

    /// A record as it was read.
    public init(_ origin: Origin) {
        self.init(
            key: origin.key, value: origin.value, timestampMilliseconds: origin.timestampMilliseconds, origin: origin)
    }
}

/// Where a record was read, with the bytes as they were read.
public struct Origin {
    /// The consumer's dense number of the topic partition (`SourceConsumer.index(of:)`).
    public let source: Int32
    public let offset: Int64
    public let key: Bytes?
    public let value: Bytes?
    /// The record's own timestamp; -1 if it has none.
    public let timestampMilliseconds: Int64
    public let headers: HeaderReference

    public init(
        source: Int32, offset: Int64, key: Bytes?, value: Bytes?, timestampMilliseconds: Int64, headers: HeaderReference
    ) {
        self.source = source
        self.offset = offset
        self.key = key
        self.value = value
        self.timestampMilliseconds = timestampMilliseconds
        self.headers = headers
    }
}

/// A handle on the headers of a consumed record. They are decoded only when somebody asks
/// (`SourceConsumer.headers(of:)`): reading them costs more than everything else that a stateless service does.
// Sendable, although it is an address: only its consumer dereferences it, on its own thread.
public struct HeaderReference: @unchecked Sendable {
    public let address: UnsafeRawPointer?
    public static let none = HeaderReference(address: nil)

    public init(address: UnsafeRawPointer?) { self.address = address }
}

/// A header of a record: a name and a value, which may be null.
public struct Header: Hashable, Sendable {
    public let name: String
    public let value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
}
