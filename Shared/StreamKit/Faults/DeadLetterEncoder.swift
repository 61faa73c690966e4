import JSON

/// The value of a dead letter:
///
///     {"original_message":"...","error_type":"SCHEMA_VIOLATION","error_message":"...","error_timestamp":"...",
///      "attempted_order_id":"..."}
///
/// An original that is not UTF-8 stands there as base64, with `"original_message_encoding":"base64"`; one that would not fit
/// into a record is cut, with `"original_message_truncated":true` and its full size in `"original_message_bytes"`; a record
/// without a value has `null` there. A copied field that cannot be read is `null` too.
package final class DeadLetterEncoder {
    private let recordBytesMax: Int
    private let reader = JSONRecord(duplicateKeys: .lastWins)
    /// Each with the comma and the key that come before its value.
    private let fields: [(key: [UInt8], slot: FieldSlot)]
    private let output = OutputBuffer(capacity: 2048)

    package init(copiedFields: [(name: String, field: String)], recordBytesMax: Int) {
        self.recordBytesMax = recordBytesMax
        let reader = self.reader
        let key = OutputBuffer(capacity: 64)
        fields = copiedFields.map { name, field in
            key.removeAll()
            key.append(UInt8(ascii: ","))
            key.appendQuoted(name)
            key.append(UInt8(ascii: ":"))
            return (Array(key.bytes), reader.declare(field))
        }
    }

    /// The dead letter's value, valid until the next call.
    package func encode(_ refusal: Refusal, original: Bytes?, nowMilliseconds: Int64) -> Bytes {
        output.removeAll()
        let writer = JSONWriter(output)
        // Keys as they are written: dead letters come in their thousands where a producer has gone wrong.
        output.append(#"{"original_message":"# as StaticString)
        append(original, to: writer)
        output.append(#","error_type":"# as StaticString)
        writer.string(refusal.type)
        output.append(#","error_message":"# as StaticString)
        writer.string(refusal.message)
        output.append(#","error_timestamp":"# as StaticString)
        writer.instant(Instant(millisecondsSinceEpoch: nowMilliseconds), fraction: .exactly(3))
        for detail in refusal.details {
            writer.key(detail.name)
            var json = detail.json
            json.withUTF8 { writer.raw(Bytes($0)) }
        }
        copyFields(of: original, to: writer)
        writer.endObject()
        return output.bytes
    }

    private func append(_ original: Bytes?, to writer: JSONWriter) {
        guard let original else { return writer.null() }
        // A byte may take six (\u0000) or, in base64, four thirds.
        let isText = UTF8Text.isValid(original)
        let room = recordBytesMax / 2
        let start = output.count
        if isText { writer.string(utf8: original) } else { output.appendBase64(original) }
        let taken = output.count - start
        if taken > room {
            output.truncate(to: start)
            let kept = isText ? UTF8Text.prefix(of: original, bytesMax: room / 6) : room / 2
            let part = Bytes(rebasing: original[..<min(kept, original.count)])
            if isText { writer.string(utf8: part) } else { output.appendBase64(part) }
        }
        if !isText {
            writer.key("original_message_encoding")
            writer.string("base64")
        }
        if taken > room {
            writer.key("original_message_truncated")
            writer.bool(true)
            writer.key("original_message_bytes")
            writer.integer(Int64(original.count))
        }
    }

    private func copyFields(of original: Bytes?, to writer: JSONWriter) {
        if fields.isEmpty { return }
        var isReadable = false
        if let original { isReadable = (try? reader.read(original)) != nil }
        var room = recordBytesMax / 8
        for (key, slot) in fields {
            key.withBytes { output.append($0) }
            // A huge field is not copied: the original is there.
            if isReadable, let value = reader.field(slot), value.bytes.count <= room {
                room -= value.bytes.count
                writer.value(value)
            } else {
                writer.null()
            }
        }
    }
}

/// UTF-8 as the standard library judges it; on the way of dead letters only.
enum UTF8Text {
    static func isValid(_ bytes: Bytes) -> Bool {
        // Most is ASCII, which is known without making a string of it.
        var index = 0
        while index &+ 8 <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
            index &+= 8
        }
        while index < bytes.count, bytes[index] < 0x80 { index &+= 1 }
        if index == bytes.count { return true }
        return String(validating: Bytes(rebasing: bytes[index...]), as: UTF8.self) != nil
    }

    /// The text itself, or what of it fits into `bytesMax`, cut between two characters, with a sign that it was cut.
    static func cut(_ text: String, bytesMax: Int) -> String {
        if text.utf8.count <= bytesMax { return text }
        var text = text
        return text.withUTF8 { utf8 in
            String(decoding: utf8[..<prefix(of: Bytes(utf8), bytesMax: bytesMax)], as: UTF8.self) + " ..."
        }
    }

    /// At most `bytesMax`, cut between two characters.
    static func prefix(of bytes: Bytes, bytesMax: Int) -> Int {
        var end = min(bytesMax, bytes.count)
        while end > 0, end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }
}
