import ChangeData
import Foundation
import JSON
import XCTest

/// Small samples in the shapes that Debezium 3.6 writes.
final class DebeziumDecoderTests: XCTestCase {
    private static let source =
        #"{"version":"3.6.3.Final","connector":"postgresql","name":"dbserver1","ts_ms":1772359200123,"snapshot":"false","#
        + #""db":"shop","schema":"public","table":"orders","txId":1069,"lsn":55126216}"#

    private func event(_ op: String, before: String = "null", after: String = "null") -> String {
        #"{"before":\#(before),"after":\#(after),"source":\#(Self.source),"transaction":null,"op":"\#(op)","ts_ms":1772359200491}"#
    }

    /// An event with a schema whose row has one column.
    private func event(column: String, type: String, value: String) -> String {
        let row =
            #"{"type":"struct","fields":[{\#(type),"optional":true,"field":"\#(column)"}],"optional":true,"field":"after"}"#
        return #"{"schema":{"type":"struct","fields":[\#(row)],"name":"e"},"payload":"#
            + event("c", after: #"{"\#(column)":\#(value)}"#) + "}"
    }

    private func decode(
        _ text: String, _ options: DebeziumDecoder.Options = .init(), _ body: (ChangeEvent) throws -> Void
    ) throws {
        let decoder = DebeziumDecoder(options)
        try Array(text.utf8).withUnsafeBytes { try body(try decoder.decode($0)) }
    }

    private func after(_ text: String, _ options: DebeziumDecoder.Options = .init()) throws -> String {
        let output = OutputBuffer()
        try decode(text, options) { try $0.writeRow(.after, into: output) }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private func options(_ columns: [String: ColumnEncoding]) -> DebeziumDecoder.Options {
        var options = DebeziumDecoder.Options()
        options.columns = columns
        return options
    }

    private func assertFault(
        _ text: String, _ options: DebeziumDecoder.Options = .init(), contains parts: String..., line: UInt = #line
    ) {
        do {
            let row = try after(text, options)
            XCTFail("no fault, but \(row)", line: line)
        } catch {
            for part in parts {
                XCTAssertTrue("\(error)".contains(part), "\"\(error)\" does not say \"\(part)\"", line: line)
            }
        }
    }

    // MARK: Envelopes

    func testEveryOperationIsNamed() throws {
        for operation in ChangeOperation.allCases where operation != .tombstone {
            try decode(event(operation.rawValue)) { XCTAssertEqual($0.operation, operation) }
        }
    }

    func testNoValueIsATombstone() throws {
        let event = try DebeziumDecoder().decode(nil)
        XCTAssertEqual(event.operation, .tombstone)
        XCTAssertNil(event.table)
        let output = OutputBuffer()
        try event.writeRow(.before, into: output)
        XCTAssertEqual(String(decoding: output.bytes, as: UTF8.self), "null")
    }

    func testPayloadOfNullIsATombstone() throws {
        try decode(#"{"schema":null,"payload":null}"#) { XCTAssertEqual($0.operation, .tombstone) }
    }

    func testSourceIsRead() throws {
        try decode(event("u")) { event in
            XCTAssertEqual(event.table, "orders")
            XCTAssertEqual(event.schema, "public")
            XCTAssertEqual(event.database, "shop")
            XCTAssertFalse(event.isSnapshot)
            XCTAssertEqual(event.changedAtMilliseconds, 1_772_359_200_123)
            XCTAssertEqual(event.capturedAtMilliseconds, 1_772_359_200_491)
            XCTAssertEqual(event.sourceField("lsn")?.int64, 55_126_216)
            XCTAssertNil(event.sourceField("xmin"))
        }
    }

    func testSchemaEnvelopeAndBareOneGiveTheSame() throws {
        let bare = event("c", after: #"{"id":7,"name":"é \"q\""}"#)
        XCTAssertEqual(try after(bare), #"{"id":7,"name":"é \"q\""}"#)
        XCTAssertEqual(try after(#"{"schema":{"type":"struct","fields":[]},"payload":\#(bare)}"#), try after(bare))
    }

    func testWholeEventIsWrittenPlain() throws {
        let output = OutputBuffer()
        let text = event(
            "u", before: #"{"id":7}"#, after: #"{"id":7,"amount":"Msc=","blob":"__debezium_unavailable_value"}"#)
        try decode(text, options(["amount": .decimal(scale: 2)])) { try $0.write(into: output) }
        XCTAssertEqual(
            String(decoding: output.bytes, as: UTF8.self),
            #"{"op":"u","database":"shop","schema":"public","table":"orders","snapshot":false,"#
                + #""changed_at_ms":1772359200123,"captured_at_ms":1772359200491,"before":{"id":7},"#
                + #""after":{"id":7,"amount":"129.99"},"unavailable":["blob"],"source":\#(Self.source),"#
                + #""transaction":null,"message":null}"#)
        XCTAssertNoThrow(try JSONRecord().read(output.bytes))
    }

    func testWhatIsNoChangeEventSaysWhatItIs() {
        assertFault("{", contains: "malformed change event", "at byte 1")
        assertFault("[]", contains: "not a change event", "an array")
        assertFault(#"{"id":1,"amount":"1.00"}"#, contains: "no field \"op\"", "\"id\", \"amount\"")
        assertFault(#"{"op":"x"}"#, contains: "unknown operation \"x\"")
        assertFault(#"{"op":""}"#, contains: "unknown operation \"\"")
        assertFault(#"{"op":3}"#, contains: "\"op\" of the change event is a number")
        assertFault(#"{"op":"c","after":[1]}"#, contains: "\"after\" of the change event is an array", "an object")
    }

    // MARK: Decimals

    func testPreciseDecimalsTakeTheirScaleFromConfiguration() throws {
        let cases = [
            ("Msc=", 2, "129.99"), ("AA==", 2, "0.00"), ("/w==", 2, "-0.01"), ("gA==", 2, "-1.28"), ("fw==", 2, "1.27"),
            ("AIA=", 2, "1.28"), ("AP8=", 2, "2.55"), ("AQA=", 2, "2.56"), ("AOjUpQ//", 2, "9999999999.99"),
            ("/xcrWvAB", 2, "-9999999999.99"), ("AYaf", 0, "99999"), ("hQ==", 21, "-0.000000000000000000123"),
            ("AY7pD/bDc+DuDATVFQ==", 10, "12345678901234567890.0123456789"), ("BQ==", -2, "500"),
            ("tMSzV6V5O4X2dd3AAAAAAQ==", 10, "-9999999999999999999999999999.9999999999"), ("AA==", -2, "0"),
        ]
        for (text, scale, expected) in cases {
            let row = try after(
                event("c", after: #"{"amount":"\#(text)"}"#), options(["amount": .decimal(scale: scale)]))
            XCTAssertEqual(row, #"{"amount":"\#(expected)"}"#)
        }
    }

    func testDecimalsLongerThanArithmeticKeepAllTheirDigits() throws {
        // 2^200 and -2^200: 26 bytes of two's complement.
        let digits = "1606938044258990275541962092341162602522202993782792835301376"
        let wide = options(["n": .decimal(scale: 0)])
        let text = Data([1] + [UInt8](repeating: 0, count: 25)).base64EncodedString()
        XCTAssertEqual(try after(event("c", after: #"{"n":"\#(text)"}"#), wide), #"{"n":"\#(digits)"}"#)
        let negative = Data([255] + [UInt8](repeating: 0, count: 25)).base64EncodedString()
        XCTAssertEqual(try after(event("c", after: #"{"n":"\#(negative)"}"#), wide), #"{"n":"-\#(digits)"}"#)
        let scaled = options(["n": .decimal(scale: 70)])
        XCTAssertEqual(
            try after(event("c", after: #"{"n":"\#(text)"}"#), scaled), #"{"n":"0.000000000\#(digits)"}"#)
        let long = String(repeating: "9", count: 100)
        XCTAssertEqual(
            try after(event("c", after: #"{"n":"\#(long)"}"#), options(["n": .decimal(scale: nil)])),
            #"{"n":"\#(long)"}"#)
        assertFault(
            event("c", after: #"{"n":"\#(String(repeating: "AAAA", count: 1_000))"}"#), wide,
            contains: "more than 1000 digits")
    }

    func testPreciseDecimalsTakeTheirScaleFromTheSchema() throws {
        let type =
            #""type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}"#
        let text = event(column: "amount", type: type, value: #""Msc=""#)
        XCTAssertEqual(try after(text), #"{"amount":"129.99"}"#)
        // The schema knows better than configuration.
        XCTAssertEqual(try after(text, options(["amount": .decimal(scale: 4)])), #"{"amount":"129.99"}"#)
    }

    func testSchemaOfADecimalWithoutScaleIsAFault() {
        let type = #""type":"bytes","name":"org.apache.kafka.connect.data.Decimal""#
        assertFault(event(column: "amount", type: type, value: #""Msc=""#), contains: "\"amount\"", "scale")
        let huge = type + #","parameters":{"scale":"99999999999"}"#
        assertFault(event(column: "amount", type: huge, value: #""Msc=""#), contains: "scale \"99999999999\"")
    }

    func testArraysOfDecimals() throws {
        let element = #"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}"#
        let type = #""type":"array","items":\#(element)"#
        XCTAssertEqual(
            try after(event(column: "prices", type: type, value: #"["bg==",null,"/yQ="]"#)),
            #"{"prices":["1.10",null,"-2.20"]}"#)
    }

    func testVariableScaleDecimals() throws {
        let row = #"{"n":{"scale":6,"value":"At/cHDU="}}"#
        XCTAssertEqual(
            try after(event("c", after: row), options(["n": .decimal(scale: nil)])), #"{"n":"12345.678901"}"#)
        XCTAssertEqual(
            try after(
                event(
                    column: "n", type: #""type":"struct","name":"io.debezium.data.VariableScaleDecimal""#,
                    value: #"{"scale":6,"value":"At/cHDU="}"#)),
            #"{"n":"12345.678901"}"#)
        assertFault(
            event("c", after: #"{"n":{"scale":6}}"#), options(["n": .decimal(scale: nil)]),
            contains: "\"scale\" and \"value\"")
        assertFault(
            event("c", after: #"{"n":{"scale":600000,"value":"AA=="}}"#), options(["n": .decimal(scale: nil)]),
            contains: "scale of 600000")
    }

    func testTextAndFloatDecimals() throws {
        let text = options(["n": .decimal(scale: nil)])
        for (value, expected) in [
            (#""129.99""#, "129.99"), (#""1E+3""#, "1000"), (#""-1.5E-3""#, "-0.0015"), (#""1.10""#, "1.10"),
            (#""NAN""#, "NaN"), (#""POSITIVE_INFINITY""#, "Infinity"), (#""NEGATIVE_INFINITY""#, "-Infinity"),
            (#""NaN""#, "NaN"), (#""Infinity""#, "Infinity"), (#""-Infinity""#, "-Infinity"), ("12.5", "12.5"),
            ("1.2345678901234567E19", "12345678901234567000"),
        ] {
            XCTAssertEqual(try after(event("c", after: #"{"n":\#(value)}"#), text), #"{"n":"\#(expected)"}"#)
        }
        XCTAssertEqual(
            try after(event("c", after: #"{"n":5.0}"#), options(["n": .decimal(scale: 2)])), #"{"n":"5.00"}"#)
        XCTAssertEqual(
            try after(event("c", after: #"{"n":5.125}"#), options(["n": .decimal(scale: 2)])), #"{"n":"5.125"}"#)
    }

    func testDecimalsAsNumbers() throws {
        var numbers = options(["n": .decimal(scale: nil)])
        numbers.decimals = .number
        XCTAssertEqual(try after(event("c", after: #"{"n":"129.90"}"#), numbers), #"{"n":129.90}"#)
        // There is no such number in JSON.
        XCTAssertEqual(try after(event("c", after: #"{"n":"NAN"}"#), numbers), #"{"n":"NaN"}"#)
    }

    func testFaultsOfDecimalsNameColumnValueAndRemedy() {
        assertFault(
            event("c", after: #"{"amount":"129.99"}"#), options(["amount": .decimal(scale: 2)]),
            contains: "column \"amount\" in \"after\"", "\"129.99\" is not base64", "without a scale")
        assertFault(
            event("c", after: #"{"amount":"Msc="}"#), options(["amount": .decimal(scale: nil)]),
            contains: "\"Msc=\" is not a decimal", "decimal(2)")
        for value in [#"true"#, #"[1]"#] {
            assertFault(
                event("c", after: #"{"amount":\#(value)}"#), options(["amount": .decimal(scale: 2)]),
                contains: "where a decimal is expected")
        }
        for text in ["", "A", "AAA", "A===", "====", "AA=A", "A A=", "Ms\\u00ff="] {
            assertFault(
                event("c", after: #"{"amount":"\#(text)"}"#), options(["amount": .decimal(scale: 2)]),
                contains: "not base64")
        }
    }

    // MARK: Times

    func testTimesByTheNameOfTheirSchema() throws {
        let cases = [
            ("int32", "io.debezium.time.Date", "20512", #""2026-02-28""#),
            ("int32", "io.debezium.time.Date", "-735160", #""-000043-03-15""#),
            ("int32", "io.debezium.time.Date", "-2147472692", #""infinity""#),
            ("string", "io.debezium.time.IsoDate", #""2026-02-28Z""#, #""2026-02-28""#),
            ("int32", "io.debezium.time.Time", "47655123", #""13:14:15.123""#),
            ("int64", "io.debezium.time.MicroTime", "47655123456", #""13:14:15.123456""#),
            ("int64", "io.debezium.time.MicroTime", "86400000000", #""24:00:00""#),
            ("int64", "io.debezium.time.NanoTime", "1", #""00:00:00.000000001""#),
            ("string", "io.debezium.time.IsoTime", #""13:14:15.123Z""#, #""13:14:15.123""#),
            ("string", "io.debezium.time.ZonedTime", #""11:14:15.123456Z""#, #""11:14:15.123456Z""#),
            ("int64", "io.debezium.time.Timestamp", "1772284455123", #""2026-02-28T13:14:15.123Z""#),
            ("int64", "io.debezium.time.MicroTimestamp", "1772284455123456", #""2026-02-28T13:14:15.123456Z""#),
            ("int64", "io.debezium.time.MicroTimestamp", "-1", #""1969-12-31T23:59:59.999999Z""#),
            ("int64", "io.debezium.time.MicroTimestamp", "9223372036825200000", #""infinity""#),
            ("int64", "io.debezium.time.MicroTimestamp", "-9223372036832400000", #""-infinity""#),
            ("int64", "io.debezium.time.NanoTimestamp", "1772284455123456789", #""2026-02-28T13:14:15.123456789Z""#),
            ("string", "io.debezium.time.IsoTimestamp", #""2026-02-28T13:14:15Z""#, #""2026-02-28T13:14:15Z""#),
            (
                "string", "io.debezium.time.ZonedTimestamp", #""2026-02-28T11:14:15.123456Z""#,
                #""2026-02-28T11:14:15.123456Z""#
            ),
            (
                "string", "io.debezium.time.ZonedTimestamp", #""+12345-01-01T00:00:00.000000Z""#,
                #""+12345-01-01T00:00:00.000000Z""#
            ),
            ("string", "io.debezium.time.ZonedTimestamp", #""infinity""#, #""infinity""#),
            ("int32", "org.apache.kafka.connect.data.Date", "20512", #""2026-02-28""#),
            ("int32", "org.apache.kafka.connect.data.Time", "47655123", #""13:14:15.123""#),
            ("int64", "org.apache.kafka.connect.data.Timestamp", "0", #""1970-01-01T00:00:00Z""#),
            ("int64", "io.debezium.time.MicroDuration", "37091106789000", "37091106789000"),
            ("int64", "io.debezium.time.MicroTimestamp", "null", "null"),
        ]
        for (type, name, value, expected) in cases {
            XCTAssertEqual(
                try after(event(column: "t", type: #""type":"\#(type)","name":"\#(name)","version":1"#, value: value)),
                #"{"t":\#(expected)}"#, name)
        }
    }

    func testTimesByConfiguration() throws {
        let row = event("c", after: #"{"created_at":"2026-03-01T10:00:00.5Z","updated_at":1772359200123456,"day":0}"#)
        var columns = options([
            "created_at": .timestamp(.milliseconds), "updated_at": .timestamp(.microseconds), "day": .date,
        ])
        XCTAssertEqual(
            try after(row, columns),
            #"{"created_at":"2026-03-01T10:00:00.5Z","updated_at":"2026-03-01T10:00:00.123456Z","day":"1970-01-01"}"#)
        columns.times = .epochMilliseconds
        XCTAssertEqual(
            try after(row, columns), #"{"created_at":1772359200500,"updated_at":1772359200123,"day":"1970-01-01"}"#)
    }

    func testColumnsOfOneTableComeBeforeThoseOfAll() throws {
        let row = event("c", after: #"{"amount":"Msc="}"#)
        XCTAssertEqual(
            try after(row, options(["amount": .decimal(scale: 2), "orders.amount": .decimal(scale: 4)])),
            #"{"amount":"1.2999"}"#)
        XCTAssertEqual(
            try after(row, options(["amount": .decimal(scale: 2), "items.amount": .decimal(scale: 4)])),
            #"{"amount":"129.99"}"#)
        XCTAssertEqual(
            try after(row, options(["amount": .decimal(scale: 2), "orders.amount": .plain])), #"{"amount":"Msc="}"#)
    }

    func testFaultsOfTimes() {
        var epoch = options(["t": .timestamp(.microseconds), "d": .date, "o": .timeOfDay(.milliseconds)])
        assertFault(
            event("c", after: #"{"t":"yesterday"}"#), epoch, contains: "\"yesterday\" is not a time in ISO 8601")
        assertFault(event("c", after: #"{"t":1.5}"#), epoch, contains: "a number where a time since 1970")
        assertFault(event("c", after: #"{"t":true}"#), epoch, contains: "a boolean where")
        assertFault(event("c", after: #"{"d":9223372036854775807}"#), epoch, contains: "days")
        assertFault(event("c", after: #"{"o":86400001}"#), epoch, contains: "time of day of 86400001")
        assertFault(event("c", after: #"{"o":-1}"#), epoch, contains: "time of day of -1")
        epoch.times = .epochMilliseconds
        assertFault(event("c", after: #"{"t":9223372036825200000}"#), epoch, contains: "infinity cannot be written")
        assertFault(event("c", after: #"{"t":"infinity"}"#), epoch, contains: "\"infinity\" cannot be written")
    }

    // MARK: Values not given

    func testUnavailableValuesAreLeftOut() throws {
        let base64 = Data("__debezium_unavailable_value".utf8).base64EncodedString()
        let row =
            #"{"id":1,"text":"__debezium_unavailable_value","bytes":"\#(base64)","#
            + #""list":["__debezium_unavailable_value"],"two":["__debezium_unavailable_value",1]}"#
        XCTAssertEqual(
            try after(event("u", after: row)), #"{"id":1,"two":["__debezium_unavailable_value",1]}"#)
        var other = DebeziumDecoder.Options()
        other.unavailableValue = "gone"
        XCTAssertEqual(try after(event("u", after: #"{"a":"gone","b":1}"#), other), #"{"b":1}"#)
    }

    // MARK: Configuration

    func testEncodingsAsConfigurationWritesThem() {
        let good: [(String, ColumnEncoding)] = [
            ("plain", .plain), ("decimal", .decimal(scale: nil)), ("decimal(2)", .decimal(scale: 2)),
            ("decimal(-2)", .decimal(scale: -2)), ("date", .date), ("time(milliseconds)", .timeOfDay(.milliseconds)),
            ("timestamp(nanoseconds)", .timestamp(.nanoseconds)), ("array(decimal(2))", .array(of: .decimal(scale: 2))),
        ]
        for (text, encoding) in good { XCTAssertEqual(ColumnEncoding(text), encoding) }
        for text in [
            "", "decimal(", "decimal()", "decimal(x)", "decimal(1001)", "date()", "time", "timestamp(seconds)", "array",
            "array(x)", "numeric",
        ] {
            XCTAssertNil(ColumnEncoding(text), text)
        }
    }

    // MARK: Robustness

    /// No bytes may do worse than a fault: each prefix and many single-byte changes of a good event.
    func testSpoiledEventsAreFaultsOrEventsButNeverMore() throws {
        let text = Array(
            event(
                "u", before: #"{"n":{"scale":6,"value":"At/cHDU="}}"#, after: #"{"amount":"Msc=","t":1772359200123456}"#
            ).utf8)
        let decoder = DebeziumDecoder(
            options(["amount": .decimal(scale: 2), "n": .decimal(scale: nil), "t": .timestamp(.microseconds)]))
        let output = OutputBuffer()
        var written = 0
        func attempt(_ bytes: [UInt8]) throws {
            output.removeAll()
            do {
                try bytes.withUnsafeBytes { try decoder.decode($0).write(into: output) }
            } catch is ChangeEventFault {
                return
            }
            // What is written is JSON that any reader takes.
            try JSONRecord(duplicateKeys: .lastWins).read(output.bytes)
            written += 1
        }
        for end in text.indices { try attempt(Array(text[..<end])) }
        XCTAssertEqual(written, 0, "a prefix is no event")
        for position in text.indices {
            for byte: UInt8 in [0, 0x22, 0x2C, 0x2D, 0x39, 0x3D, 0x41, 0x7B, 0xFF] {
                var spoiled = text
                spoiled[position] = byte
                try attempt(spoiled)
            }
        }
        XCTAssertGreaterThan(written, 100)
    }
}
