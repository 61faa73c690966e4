import JSON
import XCTest

/// What the documentation comments show, as an outsider would write it.
final class ExampleTests: XCTestCase {
    func testReadingAndSplicing() throws {
        let record = JSONRecord()
        let splice = JSONSplice(record)
        let amount = record.declare("amount")
        let tax = splice.field("tax")
        let output = OutputBuffer()
        let bytes = Array(#"{"order_id":"ORD-1","amount":129.95}"#.utf8)
        try bytes.withUnsafeBytes { bytes in
            try record.read(bytes)
            XCTAssertEqual(record.field(amount)?.decimal, Decimal("129.95"))
            XCTAssertEqual(record.root.members.map { $0.key.string }, ["order_id", "amount"])
            splice.begin()
            splice.set(tax)
            splice.values.append("10.72" as StaticString)
            splice.finish(into: output)
        }
        XCTAssertEqual(
            String(decoding: output.bytes, as: UTF8.self), #"{"order_id":"ORD-1","amount":129.95,"tax":10.72}"#)
    }

    func testDecimals() throws {
        let amount = try XCTUnwrap(Decimal("129.95"))
        let rate = try XCTUnwrap(Decimal("0.0825"))
        XCTAssertEqual(try amount.multiplied(by: rate).rounded(scale: 2).description, "10.72")
        XCTAssertEqual(try amount.divided(by: Decimal(3), scale: 4, rounding: .down).description, "43.3166")
        XCTAssertEqual(Decimal("1E+3")?.description, "1000")
        XCTAssertThrowsError(try XCTUnwrap(Decimal("9E+37")).multiplied(by: Decimal(10)))
    }

    func testInstants() throws {
        let placed = try XCTUnwrap(Instant("2026-11-21T14:30:05.120+01:00"))
        XCTAssertEqual(placed.description, "2026-11-21T13:30:05.120Z")
        XCTAssertEqual(placed.millisecondsSinceEpoch, 1_795_267_805_120)
    }

    func testWriting() {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key("order_id")
        writer.string("ORD-1")
        writer.key("amount")
        writer.integer(Int64(130))
        writer.endObject()
        XCTAssertEqual(String(decoding: output.bytes, as: UTF8.self), #"{"order_id":"ORD-1","amount":130}"#)
    }
}
