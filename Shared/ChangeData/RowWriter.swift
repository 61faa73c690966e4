internal import JSON

/// Writes a row with its decimals and times in plain form.
struct RowWriter {
    let options: DebeziumDecoder.Options
    private let unavailableText: [UInt8]
    private let unavailableBase64: [UInt8]

    init(_ options: DebeziumDecoder.Options) {
        self.options = options
        unavailableText = [UInt8](options.unavailableValue.utf8)
        unavailableBase64 = Base64.encode(unavailableText)
    }

    func write(
        _ row: JSONValue, side: ChangeSide, encodings: RowEncodings, into output: OutputBuffer
    ) throws(ChangeEventFault) {
        let json = JSONWriter(output)
        json.beginObject()
        for (key, value) in row.members {
            if isUnavailable(value) { continue }
            if output.last != UInt8(ascii: "{") { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "\""))
            output.append(key.rawBytes)
            output.append("\":" as StaticString)
            guard let encoding = encoding(of: key, in: encodings) else {
                output.append(value.bytes)
                continue
            }
            do {
                try write(value, encoding, into: output)
            } catch {
                throw .column(side, name: key.string, problem: error)
            }
        }
        json.endObject()
    }

    private func encoding(of key: JSONString, in encodings: RowEncodings) -> ColumnEncoding? {
        for column in encodings.columns {
            if column.name.withUnsafeBytes({ key.isEqual(to: $0) }) { return column.encoding }
        }
        return nil
    }

    private func write(
        _ value: JSONValue, _ encoding: ColumnEncoding, into output: OutputBuffer
    ) throws(ColumnProblem) {
        if value.isNull { return output.append("null" as StaticString) }
        switch encoding {
        case .plain:
            output.append(value.bytes)
        case .decimal(let scale):
            try DecimalText.write(value, scale: scale, form: options.decimals, into: output)
        case .date:
            try TimeText.writeDate(value, into: output)
        case .timeOfDay(let unit):
            try TimeText.writeTimeOfDay(value, unit: unit, into: output)
        case .timestamp(let unit):
            try TimeText.writeTimestamp(value, unit: unit, form: options.times, into: output)
        case .array(let element):
            guard value.kind == .array else { throw .kind(value.kind, expected: "an array") }
            output.append(UInt8(ascii: "["))
            for item in value.elements {
                if output.last != UInt8(ascii: "[") { output.append(UInt8(ascii: ",")) }
                try write(item, element, into: output)
            }
            output.append(UInt8(ascii: "]"))
        }
    }

    /// Whether the value stands for one that the database did not give: the placeholder itself, its base64 for a column of
    /// bytes, or an array of it.
    func isUnavailable(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .string:
            guard let text = value.string else { return false }
            return unavailableText.withUnsafeBytes { text.isEqual(to: $0) }
                || unavailableBase64.withUnsafeBytes { text.isEqual(to: $0) }
        case .array:
            guard let first = value.element(0), first.kind == .string, value.element(1) == nil else { return false }
            return isUnavailable(first)
        default:
            return false
        }
    }
}
