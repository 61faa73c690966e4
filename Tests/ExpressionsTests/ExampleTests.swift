import Expressions
import JSON
import XCTest

/// What the documentation comments show, as an outsider would write it.
final class ExampleTests: XCTestCase {
    func testExpressionsOverARecord() throws {
        var environment = Environment()
        environment.declare("rates", .map(key: .string, value: .decimal))
        environment.declareRecord(ObjectType(name: "order", fields: [.init("amount", .dyn), .init("region", .string)]))
        let tax = try environment.compile("(decimal(amount) * rates[region]).round(2)", expecting: .decimal)
        let isLarge = try environment.compile(#"decimal(amount) >= decimal("100")"#, expecting: .bool)

        let context = EvaluationContext(environment)
        var rates = ValueMap()
        XCTAssertTrue(rates.set("eu", .decimal(try XCTUnwrap(Decimal("0.0825")))))
        context.set("rates", .map(rates))
        let output = OutputBuffer()
        let bytes = Array(#"{"amount":"129.95","region":"eu"}"#.utf8)
        try bytes.withUnsafeBytes { bytes in
            try context.read(bytes)
            XCTAssertTrue(try isLarge.bool(in: context))
            try tax.writeJSON(in: context, to: output)
        }
        XCTAssertEqual(String(decoding: output.bytes, as: UTF8.self), "10.72")
    }

    func testAMisspeltFieldFailsBeforeAnyRecord() {
        var environment = Environment()
        environment.declareRecord(ObjectType(name: "order", fields: [.init("amount", .dyn)]))
        XCTAssertThrowsError(try environment.compile("decimal(amuont)")) { error in
            XCTAssertEqual(
                "\(error)",
                "1:9: 'amuont' is neither a field of order nor a declared name; did you mean 'amount'?\n"
                    + " | decimal(amuont)\n |         ^")
        }
    }

    func testAnErrorOfALongExpressionShowsItsSurroundings() {
        let long = String(repeating: "1 + ", count: 5_000)
        XCTAssertThrowsError(try Environment().compile(long + "é.x" + String(repeating: " + 1", count: 5_000))) {
            error in
            let lines = "\(error)".split(separator: "\n")
            XCTAssertEqual(lines.count, 3)
            XCTAssertLessThan("\(error)".utf8.count, 700)
            XCTAssertTrue(lines[0].hasPrefix("1:20001: "), "\(lines[0])")
        }
    }
}
