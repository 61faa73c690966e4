internal import JSON

/// What the schema in an event says of the columns: Kafka Connect's, with Debezium's semantic types by name.
enum DebeziumSchema {
    /// Adds the columns that the event's schema describes as other than plain.
    static func describe(_ schema: JSONValue, into encodings: inout RowEncodings) throws(ChangeEventFault) {
        guard let fields = schema.member("fields") else { return }
        for side in fields.elements {
            guard let name = side.member("field")?.string, name.isEqual(to: "after") || name.isEqual(to: "before"),
                let columns = side.member("fields")
            else { continue }
            for column in columns.elements {
                guard let name = column.member("field")?.string?.string else { continue }
                do {
                    if let encoding = try encoding(of: column) { encodings.set(name, encoding) }
                } catch {
                    throw .schema(column: name, problem: error.description)
                }
            }
            // The other side is the same.
            return
        }
    }

    private struct Problem: Error {
        let description: String
    }

    /// nil where the schema does not tell more than JSON does.
    private static func encoding(of type: JSONValue) throws(Problem) -> ColumnEncoding? {
        guard let name = type.member("name")?.string?.string else {
            guard type.member("type")?.string?.isEqual(to: "array") == true, let items = type.member("items"),
                let element = try encoding(of: items)
            else { return nil }
            return .array(of: element)
        }
        switch name {
        case "org.apache.kafka.connect.data.Decimal":
            return .decimal(scale: try scale(of: type))
        case "io.debezium.data.VariableScaleDecimal":
            return .decimal(scale: nil)
        case "io.debezium.time.Date", "io.debezium.time.IsoDate", "org.apache.kafka.connect.data.Date":
            return .date
        case "io.debezium.time.Time", "org.apache.kafka.connect.data.Time", "io.debezium.time.IsoTime":
            return .timeOfDay(.milliseconds)
        case "io.debezium.time.MicroTime":
            return .timeOfDay(.microseconds)
        case "io.debezium.time.NanoTime":
            return .timeOfDay(.nanoseconds)
        case "io.debezium.time.Timestamp", "org.apache.kafka.connect.data.Timestamp",
            "io.debezium.time.IsoTimestamp", "io.debezium.time.ZonedTimestamp":
            return .timestamp(.milliseconds)
        case "io.debezium.time.MicroTimestamp":
            return .timestamp(.microseconds)
        case "io.debezium.time.NanoTimestamp":
            return .timestamp(.nanoseconds)
        default:
            return nil
        }
    }

    /// Kafka Connect writes the scale as a string.
    private static func scale(of type: JSONValue) throws(Problem) -> Int {
        let written = type.member("parameters")?.member("scale")
        guard let written else { throw Problem(description: "a decimal without \"parameters\": {\"scale\": ...}") }
        let scale = written.string.flatMap { Int($0.string) } ?? written.int64.map { Int($0) }
        guard let scale, DecimalText.scales.contains(scale) else {
            throw Problem(description: "a decimal with the scale \(String(decoding: written.bytes, as: UTF8.self))")
        }
        return scale
    }
}
