public import JSON

/// What happened to a row, or to its table.
public enum ChangeOperation: String, Sendable, Hashable, CaseIterable {
    case create = "c"
    /// A row as a snapshot found it.
    case read = "r"
    case update = "u"
    case delete = "d"
    case truncate = "t"
    /// A message written into the database's log; it belongs to no table.
    case message = "m"
    /// No value at all: compaction may forget the key. It follows a delete, which has said everything.
    case tombstone = ""
}

/// Which picture of a row.
public enum ChangeSide: String, Sendable, Hashable, CaseIterable {
    case before
    case after
}

/// One change, as a connector wrote it: a borrowed view, decoded when asked.
///
/// It is valid until its decoder decodes again and as long as the bytes that were decoded stay.
public struct ChangeEvent {
    public let operation: ChangeOperation
    let envelope: Envelope
    let writer: RowWriter
    let encodings: RowEncodings

    /// The parts of an event that are there and not null.
    struct Envelope {
        var operation: JSONValue?
        var before: JSONValue?
        var after: JSONValue?
        var source: JSONValue?
        var transaction: JSONValue?
        var message: JSONValue?
        var timestampMilliseconds: JSONValue?
    }

    // MARK: Where it comes from

    /// A field of the event's `source`: `lsn`, `txId`, `snapshot`, and what else the connector says.
    public func sourceField(_ name: String) -> JSONValue? {
        guard let value = envelope.source?.member(name), !value.isNull else { return nil }
        return value
    }

    /// The table's name; nil for messages and tombstones.
    public var table: String? { name("table") }

    /// The name of the table's schema: a namespace, not a description.
    public var schema: String? { name("schema") }

    public var database: String? { name("db") }

    /// Whether a snapshot read the row, rather than the log of changes.
    public var isSnapshot: Bool {
        guard let snapshot = sourceField("snapshot") else { return false }
        if let text = snapshot.string { return !text.isEqual(to: "false") }
        return snapshot.bool ?? false
    }

    /// When the database made the change, in milliseconds since 1970; for a snapshot, when it was read.
    public var changedAtMilliseconds: Int64? { sourceField("ts_ms")?.int64 }

    /// When the connector wrote the event, in milliseconds since 1970.
    public var capturedAtMilliseconds: Int64? { envelope.timestampMilliseconds?.int64 }

    private func name(_ field: String) -> String? {
        guard let name = sourceField(field)?.string?.string, !name.isEmpty else { return nil }
        return name
    }

    // MARK: Rows

    /// The row as the connector wrote it; nil where it gives none.
    ///
    /// What `before` holds is the database's choice. PostgreSQL's default, `REPLICA IDENTITY DEFAULT`, gives nothing for updates,
    /// and for deletes the key columns alone: the connector makes up the others from zeros and column defaults.
    public func rawRow(_ side: ChangeSide) -> JSONValue? {
        side == .before ? envelope.before : envelope.after
    }

    /// Appends the row as a plain JSON object: see ``write(into:)``. `null` where there is none.
    public func writeRow(_ side: ChangeSide, into output: OutputBuffer) throws(ChangeEventFault) {
        guard let row = rawRow(side) else { return output.append("null" as StaticString) }
        try writer.write(row, side: side, encodings: encodings, into: output)
    }

    /// Appends the event as one plain JSON object, in which expressions find what they need:
    ///
    ///     {"op":"c","database":"shop","schema":"public","table":"orders","snapshot":false,"changed_at_ms":1772359200123,
    ///      "captured_at_ms":1772359200491,"before":null,"after":{...},"unavailable":[],"source":{...},"transaction":null,
    ///      "message":null}
    ///
    /// In rows, decimals are plain numbers (in a string, unless ``DebeziumDecoder/Options/decimals`` says otherwise) and times are
    /// RFC 3339 (unless ``DebeziumDecoder/Options/times`` says otherwise); all else is as the connector wrote it. A column whose value the
    /// database did not give (TOAST, unchanged) is left out of `after` and named in `unavailable`.
    ///
    /// What was appended before an error stays; the caller takes it back.
    public func write(into output: OutputBuffer) throws(ChangeEventFault) {
        let json = JSONWriter(output)
        json.beginObject()
        json.key("op")
        json.string(operation.rawValue)
        for (key, field) in [("database", "db"), ("schema", "schema"), ("table", "table")] {
            json.key(key)
            write(sourceField(field), to: json)
        }
        json.key("snapshot")
        json.bool(isSnapshot)
        json.key("changed_at_ms")
        write(sourceField("ts_ms"), to: json)
        json.key("captured_at_ms")
        write(envelope.timestampMilliseconds, to: json)
        json.key("before")
        try writeRow(.before, into: output)
        json.key("after")
        try writeRow(.after, into: output)
        json.key("unavailable")
        json.beginArray()
        if let after = envelope.after {
            for (key, value) in after.members where writer.isUnavailable(value) { json.string(key.string) }
        }
        json.endArray()
        for (key, value) in [
            ("source", envelope.source), ("transaction", envelope.transaction), ("message", envelope.message),
        ] {
            json.key(key)
            write(value, to: json)
        }
        json.endObject()
    }

    private func write(_ value: JSONValue?, to json: JSONWriter) {
        if let value { json.value(value) } else { json.null() }
    }
}
