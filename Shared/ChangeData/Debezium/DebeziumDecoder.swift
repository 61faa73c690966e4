internal import Glibc
internal import JSON

/// Reads Debezium's change events (2.x and 3.x, JSON), with and without their schema.
///
/// The envelope's fields are described in Debezium's documentation of its PostgreSQL connector, "Data change events". Only what the
/// caller asks for is decoded. One decoder belongs to one thread.
public final class DebeziumDecoder {
    public struct Options: Sendable {
        /// The columns that events without a schema do not describe, by name: `amount`, or, for one table alone, `orders.amount`.
        /// Where an event's schema says more, it counts.
        public var columns: [String: ColumnEncoding] = [:]
        public var decimals = DecimalForm.string
        public var times = TimeForm.rfc3339
        /// What the connector writes for a value that the database did not give (`unavailable.value.placeholder`).
        public var unavailableValue = "__debezium_unavailable_value"

        public init() {}
    }

    private let record = JSONRecord()
    private let options: Options
    private let writer: RowWriter
    private var known: [KnownTable] = []
    private var nextEviction = 0

    /// A table whose columns have been worked out, and the schema they came from.
    private struct KnownTable {
        let name: [UInt8]
        let schema: [UInt8]
        let encodings: RowEncodings
    }

    /// More tables than a service forwards; beyond it, columns are worked out anew.
    private static let knownLimit = 64

    public init(_ options: Options = Options()) {
        self.options = options
        writer = RowWriter(options)
    }

    /// The event that a record's value is. nil stands for no value: a tombstone.
    ///
    /// The bytes are borrowed: the event is valid as long as they stay, until the next call.
    public func decode(_ value: UnsafeRawBufferPointer?) throws(ChangeEventFault) -> ChangeEvent {
        guard let value else { return tombstone }
        do {
            try record.read(value)
        } catch {
            throw .malformed(error)
        }
        var payload = record.root
        var schema: JSONValue?
        if let inner = payload.member("payload"), let description = payload.member("schema"),
            payload.member("op") == nil
        {
            payload = inner
            schema = description.isNull ? nil : description
            if payload.isNull { return tombstone }
        }
        guard payload.kind == .object else {
            throw .notAChangeEvent(found: payload.kind.article)
        }
        let envelope = self.envelope(payload)
        guard let operation = envelope.operation else {
            throw .notAChangeEvent(found: DebeziumDecoder.fields(of: payload))
        }
        guard let name = operation.string else {
            throw .wrongKind(field: "op", expected: "a string", found: operation.kind)
        }
        guard let operation = ChangeOperation(rawValue: name.string), operation != .tombstone else {
            throw .unknownOperation(name.string.shortened)
        }
        for (field, row) in [("before", envelope.before), ("after", envelope.after), ("source", envelope.source)] {
            if let row, row.kind != .object { throw .wrongKind(field: field, expected: "an object", found: row.kind) }
        }
        let encodings = try encodings(table: envelope.source?.member("table")?.string, schema: schema)
        return ChangeEvent(operation: operation, envelope: envelope, writer: writer, encodings: encodings)
    }

    private var tombstone: ChangeEvent {
        ChangeEvent(operation: .tombstone, envelope: .init(), writer: writer, encodings: RowEncodings())
    }

    private func envelope(_ payload: JSONValue) -> ChangeEvent.Envelope {
        var envelope = ChangeEvent.Envelope()
        for (key, value) in payload.members where !value.isNull {
            if key.isEqual(to: "op") {
                envelope.operation = value
            } else if key.isEqual(to: "before") {
                envelope.before = value
            } else if key.isEqual(to: "after") {
                envelope.after = value
            } else if key.isEqual(to: "source") {
                envelope.source = value
            } else if key.isEqual(to: "transaction") {
                envelope.transaction = value
            } else if key.isEqual(to: "message") {
                envelope.message = value
            } else if key.isEqual(to: "ts_ms") {
                envelope.timestampMilliseconds = value
            }
        }
        return envelope
    }

    private static func fields(of object: JSONValue) -> String {
        let names = object.members.prefix(8).map { "\"\($0.key.string.shortened)\"" }
        return names.isEmpty ? "no fields" : names.joined(separator: ", ") + (object.count > 8 ? ", ..." : "")
    }

    // MARK: Columns

    /// The encodings of a table's columns, kept from event to event: a schema is some kilobytes, the same ones every time.
    private func encodings(table: JSONString?, schema: JSONValue?) throws(ChangeEventFault) -> RowEncodings {
        if schema == nil, options.columns.isEmpty { return RowEncodings() }
        let schemaBytes = schema?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
        for candidate in known {
            guard candidate.name.withUnsafeBytes({ table?.isEqual(to: $0) ?? $0.isEmpty }),
                DebeziumDecoder.areEqual(candidate.schema, schemaBytes)
            else { continue }
            return candidate.encodings
        }
        let name = table?.string ?? ""
        var encodings = RowEncodings()
        for (column, encoding) in options.columns where !column.contains(".") { encodings.set(column, encoding) }
        let prefix = name + "."
        for (column, encoding) in options.columns where column.hasPrefix(prefix) {
            encodings.set(String(column.dropFirst(prefix.count)), encoding)
        }
        if let schema { try DebeziumSchema.describe(schema, into: &encodings) }
        let entry = KnownTable(name: [UInt8](name.utf8), schema: [UInt8](schemaBytes), encodings: encodings)
        if known.count < DebeziumDecoder.knownLimit {
            known.append(entry)
        } else {
            known[nextEviction] = entry
            nextEviction = (nextEviction + 1) % known.count
        }
        return encodings
    }

    private static func areEqual(_ known: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard known.count == bytes.count, let other = bytes.baseAddress else { return known.count == bytes.count }
        return known.withUnsafeBytes { $0.baseAddress.map { memcmp($0, other, bytes.count) == 0 } ?? true }
    }
}
