public import JSON
public import Kafka

/// Records as people or programs read them.
public struct RecordText {
    public enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    private let format: Format
    private let isColored: Bool

    public init(_ format: Format, isColored: Bool) {
        self.format = format
        self.isColored = isColored
    }

    /// Appends a record and a line feed.
    public func append(_ record: ConsumedRecord, of partition: TopicPartition, to output: OutputBuffer) {
        switch format {
        case .text: appendText(record, partition, output)
        case .json: appendJSON(record, partition, output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    // MARK: Text

    /// `orders-0@42 2026-01-13T15:30:45.123Z key [name=value] value`
    private func appendText(_ record: ConsumedRecord, _ partition: TopicPartition, _ output: OutputBuffer) {
        dim(output) { $0.append("\(partition)@\(record.offset) ") }
        dim(output) { output in
            if let timestamp = record.timestampMilliseconds {
                output.append(Instant(millisecondsSinceEpoch: timestamp), fraction: .exactly(3))
            } else {
                output.append("-" as StaticString)
            }
        }
        output.append(UInt8(ascii: " "))
        EscapedText.append(record.key, to: output)
        if let headers = record.headers, !headers.isEmpty {
            var isFirst = true
            dim(output) { output in
                output.append(" [" as StaticString)
                headers.forEach { name, value in
                    if !isFirst { output.append(", " as StaticString) }
                    isFirst = false
                    EscapedText.append(name, to: output)
                    output.append(UInt8(ascii: "="))
                    EscapedText.append(value, to: output)
                }
                output.append(UInt8(ascii: "]"))
            }
        }
        output.append(UInt8(ascii: " "))
        EscapedText.append(record.value, to: output)
    }

    private func dim(_ output: OutputBuffer, _ body: (OutputBuffer) -> Void) {
        if isColored { output.append("\u{1B}[2m" as StaticString) }
        body(output)
        if isColored { output.append("\u{1B}[0m" as StaticString) }
    }

    // MARK: JSON

    private func appendJSON(_ record: ConsumedRecord, _ partition: TopicPartition, _ output: OutputBuffer) {
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key("topic")
        writer.string(partition.topic)
        writer.key("partition")
        writer.integer(Int64(partition.partition))
        writer.key("offset")
        writer.integer(record.offset)
        writer.key("timestamp")
        if let timestamp = record.timestampMilliseconds {
            writer.instant(Instant(millisecondsSinceEpoch: timestamp), fraction: .exactly(3))
        } else {
            writer.null()
        }
        member("key", record.key, writer)
        writer.key("headers")
        writer.beginArray()
        record.headers?.forEach { name, value in
            writer.beginObject()
            writer.key("name")
            writer.string(utf8: name)
            member("value", value, writer)
            writer.endObject()
        }
        writer.endArray()
        member("value", record.value, writer)
        writer.endObject()
    }

    /// Bytes that are no text stand as base64, and a second member says so.
    private func member(_ name: String, _ bytes: UnsafeRawBufferPointer?, _ writer: JSONWriter) {
        writer.key(name)
        guard let bytes else { return writer.null() }
        if String(validating: bytes, as: UTF8.self) != nil { return writer.string(utf8: bytes) }
        writer.output.appendBase64(bytes)
        writer.key("\(name)_encoding")
        writer.string("base64")
    }
}

/// Bytes that a terminal can show without being steered by them.
public enum EscapedText {
    /// Text as it is; control characters, and bytes that are not UTF-8, as `\n`, `\t` or `\x1b`. Null is `null`.
    public static func append(_ bytes: UnsafeRawBufferPointer?, to output: OutputBuffer) {
        guard let bytes else { return output.append("null" as StaticString) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            for byte in bytes {
                if byte >= 0x20 && byte < 0x7F { output.append(byte) } else { append(escaped: byte, output) }
            }
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F: append(escaped: UInt8(truncatingIfNeeded: scalar.value), output)
            // The second control block, the line separators, and marks that turn the direction of writing.
            case 0x80..<0xA0, 0x2028...0x202E, 0x2066...0x2069:
                output.append("\\u{\(String(scalar.value, radix: 16))}")
            default: output.append(String(scalar))
            }
        }
    }

    private static func append(escaped byte: UInt8, _ output: OutputBuffer) {
        switch byte {
        case UInt8(ascii: "\n"): output.append(#"\n"# as StaticString)
        case UInt8(ascii: "\r"): output.append(#"\r"# as StaticString)
        case UInt8(ascii: "\t"): output.append(#"\t"# as StaticString)
        default:
            let digits = Array("0123456789abcdef".utf8)
            output.append(#"\x"# as StaticString)
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 15)])
        }
    }
}
