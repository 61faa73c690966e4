public import Expressions
public import JSON

/// What an expression yields, as JSON text.
///
/// Decimals are strings, since most readers of JSON numbers round them; timestamps are RFC 3339 in UTC with milliseconds, or
/// as many digits as they have; durations are seconds with an `s`; bytes are base64.
public enum ValueJSON {
    /// Appends the value. False if it has no JSON form (a type, a map with keys that are no strings).
    public static func append(_ value: Value, to writer: JSONWriter) -> Bool {
        switch value {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .int(let value): writer.integer(value)
        case .uint(let value): writer.integer(value)
        case .double(let value): writer.float(value)
        case .number(let number): number.text.utf8.withUnsafeBytes { writer.raw($0) }
        case .string(let text): text.utf8.withUnsafeBytes { writer.string(utf8: $0) }
        case .bytes(let bytes): bytes.withUnsafeBytes { base64($0, to: writer) }
        case .decimal(let decimal): writer.string(decimal.description)
        case .timestamp(let instant):
            writer.instant(instant, fraction: instant.nanoseconds % 1_000_000 == 0 ? .exactly(3) : .asNeeded)
        case .duration(let nanoseconds):
            writer.string("\(Decimal(mantissa: Int128(nanoseconds), scale: 9)?.normalized ?? .zero)s")
        case .list(let values):
            writer.beginArray()
            for value in values where !append(value, to: writer) { return false }
            writer.endArray()
        case .map(let map):
            writer.beginObject()
            for (key, value) in map.entries {
                guard case .string(let name) = key else { return false }
                writer.key(name.string)
                if !append(value, to: writer) { return false }
            }
            writer.endObject()
        case .optional(let value): return append(value ?? .null, to: writer)
        case .type: return false
        }
        return true
    }

    private static func base64(_ bytes: UnsafeRawBufferPointer, to writer: JSONWriter) {
        let output = OutputBuffer()
        output.appendBase64(bytes)
        writer.raw(output.bytes)
    }
}
