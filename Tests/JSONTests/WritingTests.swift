import JSON
import TestSupport
import XCTest

final class WritingTests: XCTestCase {
    private func text(_ buffer: OutputBuffer) -> String {
        String(decoding: buffer.bytes, as: UTF8.self)
    }

    func testWriterPlacesCommas() throws {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key("text")
        writer.string("a\"b\\c\n\u{1}é😀")
        writer.key("list")
        writer.beginArray()
        writer.integer(Int64.min)
        writer.integer(UInt64.max)
        writer.decimal(try XCTUnwrap(Decimal("-0.50")))
        writer.float(1e300)
        writer.float(.nan)
        writer.bool(true)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.endArray()
        writer.key("at")
        writer.instant(.epoch, fraction: .exactly(3))
        writer.endObject()
        XCTAssertEqual(
            text(output),
            #"{"text":"a\"b\\c\n\u0001é😀","list":[-9223372036854775808,18446744073709551615,-0.50,1e+300,null,true,null,{},[]],"at":"1970-01-01T00:00:00.000Z"}"#
        )
        XCTAssertNotNil(NaiveParser.parse(Array(output.bytes)))
    }

    func testBytesThatAreNotUTF8BecomeReplacementCharacters() {
        let output = OutputBuffer()
        ([0x61, 0xFF, 0xC3, 0xA9, 0xE2, 0x82, 0x62] as [UInt8]).withUnsafeBytes { output.appendQuoted($0) }
        XCTAssertEqual(text(output), "\"a\u{FFFD}é\u{FFFD}\u{FFFD}b\"")
    }

    func testAnyTextSurvivesWritingAndReading() throws {
        var random = SeededRandom(seed: 11)
        let record = JSONRecord()
        for _ in 0..<3_000 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<random.below(40) {
                let bound = [0x20, 0x80, 0x800, 0x11_0000][random.below(4)]
                if let scalar = Unicode.Scalar(UInt32(random.below(bound))) { scalars.append(scalar) }
            }
            let original = String(scalars)
            let output = OutputBuffer()
            output.appendQuoted(original)
            try record.withRead(Array(output.bytes)) { root in
                XCTAssertEqual(root.string.map { Array($0.string.utf8) }, Array(original.utf8))
            }
        }
    }

    /// Long texts are escaped in parts: what lies across two of them, and an escape there, is as elsewhere.
    func testLongTextsAreEscapedLikeShortOnes() {
        var random = SeededRandom(seed: 12)
        for round in 0..<300 {
            let length = 4_080 + random.below(40) + (round % 3) * 4_096
            let density = [2, 9, 2_000][random.below(3)]
            let bytes = (0..<length).map { _ in
                random.below(density) == 0 ? Array(#""\"#.utf8 + [0x0A, 0xC3])[random.below(4)] : UInt8(ascii: "a")
            }
            let output = OutputBuffer()
            bytes.withUnsafeBytes { output.appendEscaped($0) }
            let expected = bytes.reduce(into: [UInt8]()) { text, byte in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
                case 0x0A: text += Array(#"\n"#.utf8)
                case 0xC3: text += Array("\u{FFFD}".utf8)
                default: text.append(byte)
                }
            }
            XCTAssertEqual(Array(output.bytes), expected, "\(length) bytes, one of \(density)")
        }
    }

    func testBufferGrowsAndTruncates() {
        let output = OutputBuffer(capacity: 0)
        for number in 0..<10_000 { output.append(Int64(number % 10)) }
        XCTAssertEqual(output.count, 10_000)
        output.truncate(to: 3)
        XCTAssertEqual(text(output), "012")
        XCTAssertEqual(output.last, UInt8(ascii: "2"))
        output.truncate(to: 99)
        XCTAssertEqual(output.count, 3)
        output.removeAll()
        XCTAssertTrue(output.isEmpty)
        XCTAssertNil(output.last)
    }

    func testSpliceAddsReplacesAndRemoves() throws {
        let record = JSONRecord()
        let splice = JSONSplice(record)
        let tax = splice.field("tax")
        let region = splice.field("re\"gion")
        let amount = splice.field("amount")
        let status = splice.field("status")
        XCTAssertEqual(splice.field("tax"), tax)

        func spliced(_ text: String, _ changes: () -> Void) throws -> String {
            try record.withRead(text) { _ in
                splice.begin()
                changes()
                let output = OutputBuffer()
                output.append("[" as StaticString)
                XCTAssertTrue(splice.finish(into: output))
                output.append("]" as StaticString)
                return self.text(output)
            }
        }
        func add() {
            splice.set(tax)
            splice.values.append("1.5" as StaticString)
            splice.set(region)
            splice.values.append("\"eu\"" as StaticString)
        }
        let order = #"{"amount": 10.0 , "status":"ok","items":[1, 2]}"#
        XCTAssertEqual(try spliced(order) {}, "[\(order)]")
        XCTAssertEqual(
            try spliced(order, add), #"[{"amount": 10.0 , "status":"ok","items":[1, 2],"tax":1.5,"re\"gion":"eu"}]"#)
        XCTAssertEqual(try spliced("{}", add), #"[{"tax":1.5,"re\"gion":"eu"}]"#)
        XCTAssertEqual(try spliced(" { \n} ", add), #"[{"tax":1.5,"re\"gion":"eu"}]"#)
        XCTAssertEqual(try spliced(#"{"a":1 }"#, add), #"[{"a":1,"tax":1.5,"re\"gion":"eu"}]"#)
        XCTAssertEqual(
            try spliced(#"{"re\u0022gion":"us","a":[ ],"tax":0,"b":2}"#, add),
            #"[{"re\"gion":"eu","a":[ ],"tax":1.5,"b":2}]"#)
        XCTAssertEqual(try spliced(order) { splice.remove(amount) }, #"[{"status":"ok","items":[1, 2]}]"#)
        XCTAssertEqual(try spliced(order) { splice.remove(status) }, #"[{"amount": 10.0,"items":[1, 2]}]"#)
        XCTAssertEqual(try spliced(#"{"amount":1}"#) { splice.remove(amount) }, "[{}]")
        XCTAssertEqual(
            try spliced(#"{"status":1,"amount":1}"#) {
                splice.remove(amount)
                splice.remove(status)
                add()
            }, #"[{"tax":1.5,"re\"gion":"eu"}]"#)
        XCTAssertEqual(
            try spliced(order) {
                splice.remove(tax)
                splice.set(amount)
                splice.values.append("1" as StaticString)
                XCTAssertEqual(splice.value(amount).map { Array($0) }, Array("1".utf8))
                XCTAssertNil(splice.value(tax))
                splice.set(amount)
                splice.values.append("20" as StaticString)
                splice.remove(status)
            }, #"[{"amount":20,"items":[1, 2]}]"#)
        XCTAssertFalse(try record.withRead("[]") { _ in splice.finish(into: OutputBuffer()) })
    }

    func testSpliceTakesAnyNumberOfFields() throws {
        let record = JSONRecord()
        let splice = JSONSplice(record)
        let fields = (0..<50).map { splice.field("f\($0)") }
        let text = "{" + (0..<50).filter { $0 % 2 == 0 }.map { "\"f\($0)\":0" }.joined(separator: ",") + "}"
        let output = OutputBuffer()
        try record.withRead(text) { _ in
            splice.begin()
            for (number, field) in fields.enumerated().reversed() {
                splice.set(field)
                splice.values.append(Int64(number))
            }
            splice.finish(into: output)
        }
        try record.withRead(Array(output.bytes)) { root in
            XCTAssertEqual(root.count, 50)
            for number in 0..<50 { XCTAssertEqual(root.member("f\(number)")?.int64, Int64(number)) }
        }
    }

    func testSpliceDropsSupersededKeys() throws {
        let record = JSONRecord(duplicateKeys: .lastWins)
        let splice = JSONSplice(record)
        let amount = splice.field("a")
        let output = OutputBuffer()
        try record.withRead(#"{"a":1,"b":2,"a":3,"c":4}"#) { _ in
            splice.begin()
            splice.set(amount)
            splice.values.append("9" as StaticString)
            splice.finish(into: output)
        }
        XCTAssertEqual(text(output), #"{"b":2,"a":9,"c":4}"#)
    }
}
