/// Writes JSON text into an ``OutputBuffer``, commas included: dead letters, aggregates, log lines.
///
/// Commas follow from the last byte written, so that a writer has no state of its own and pieces can be mixed with raw bytes: one
/// comes before whatever does not follow a bracket, a colon, a line's end or nothing. That brackets match, and that members have
/// keys, is the caller's part.
///
/// ```swift
/// let output = OutputBuffer()
/// let writer = JSONWriter(output)
/// writer.beginObject()
/// writer.key("order_id")
/// writer.string("ORD-1")
/// writer.key("amount")
/// writer.decimal(amount)
/// writer.endObject()                     // output.bytes is {"order_id":"ORD-1","amount":129.95}
/// ```
public struct JSONWriter {
    public let output: OutputBuffer

    public init(_ output: OutputBuffer) {
        self.output = output
    }

    public func beginObject() {
        separate()
        output.append(UInt8(ascii: "{"))
    }

    public func endObject() {
        output.append(UInt8(ascii: "}"))
    }

    public func beginArray() {
        separate()
        output.append(UInt8(ascii: "["))
    }

    public func endArray() {
        output.append(UInt8(ascii: "]"))
    }

    /// The key of the member whose value is written next.
    public func key(_ key: String) {
        separate()
        output.appendQuoted(key)
        output.append(UInt8(ascii: ":"))
    }

    public func string(_ text: String) {
        separate()
        output.appendQuoted(text)
    }

    /// A string of any bytes; what is not UTF-8 becomes U+FFFD.
    public func string(utf8: UnsafeRawBufferPointer) {
        separate()
        output.appendQuoted(utf8)
    }

    public func integer(_ value: Int64) {
        separate()
        output.append(value)
    }

    public func integer(_ value: UInt64) {
        separate()
        output.append(value)
    }

    /// A number with all its digits.
    public func decimal(_ value: Decimal) {
        separate()
        output.append(value)
    }

    /// A number; `null` where it is not finite.
    public func float(_ value: Double) {
        separate()
        output.append(value)
    }

    /// A string in RFC 3339.
    public func instant(_ value: Instant, fraction: FractionDigits = .asNeeded, offsetSeconds: Int = 0) {
        separate()
        output.append(UInt8(ascii: "\""))
        output.append(value, fraction: fraction, offsetSeconds: offsetSeconds)
        output.append(UInt8(ascii: "\""))
    }

    public func bool(_ value: Bool) {
        separate()
        output.append(value ? "true" : "false" as StaticString)
    }

    public func null() {
        separate()
        output.append("null" as StaticString)
    }

    /// A value as it stands in the record it comes from.
    public func value(_ value: JSONValue) {
        separate()
        output.append(value.bytes)
    }

    /// JSON text as it is.
    public func raw(_ json: UnsafeRawBufferPointer) {
        separate()
        output.append(json)
    }

    private func separate() {
        switch output.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "\n"): break
        default: output.append(UInt8(ascii: ","))
        }
    }
}
