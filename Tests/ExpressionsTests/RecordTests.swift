import Expressions
import JSON
import XCTest

final class RecordTests: XCTestCase {
    private static let order = ObjectType(
        name: "order",
        fields: [
            .init("order_id", .string), .init("customer_id", .string), .init("amount", .dyn),
            .init("currency", .string),
            .init("status", .string), .init("order_timestamp", .timestamp), .init("items_count", .int),
            .init("coupon", .nullable(.string)), .init("weight", .double),
            .init("address", .object(ObjectType(name: "address", fields: [.init("city", .string)]))),
            .init("tags", .list(.string)),
        ])

    private static let text = #"""
        {"order_id":"ORD-1","customer_id":"CUST-EU-007","amount":"123.45","currency":"EUR","status":"confirmed",
        "order_timestamp":"2025-01-13T15:00:00.250Z","items_count":3,"coupon":null,"weight":1.5,
        "address":{"city":"Lyon"},"tags":["new","gift"]}
        """#

    private func environment() -> Environment {
        var environment = Environment()
        environment.declareRecord(Self.order)
        environment.declare("regions", .map(key: .string, value: .string))
        environment.declare("rates", .map(key: .string, value: .decimal))
        environment.declare("region", .string)
        environment.declareRecordMetadata()
        return environment
    }

    private func context(_ environment: Environment) throws -> EvaluationContext {
        let context = EvaluationContext(environment)
        context.set("regions", ["us": "us", "eu": "eu"])
        context.set("rates", .map(ValueMap([("eu", .decimal(try XCTUnwrap(Decimal("0.21"))))])))
        context.set(RecordMetadata.topic, "orders")
        context.set(RecordMetadata.partition, 3)
        context.set(RecordMetadata.key, .null)
        return context
    }

    /// Evaluates over the order and answers the output's JSON. The bytes stay borrowed while `body` runs.
    private func json(_ source: String, over text: String = RecordTests.text) throws -> String {
        let environment = environment()
        let expression = try environment.compile(source)
        let context = try context(environment)
        let output = OutputBuffer()
        try Array(text.utf8).withUnsafeBytes { bytes in
            try context.read(bytes)
            context.now = Instant("2025-01-13T15:00:01Z")
            try environment.compile(#"customer_id.split("-")[1].lowerAscii()"#)
                .evaluate(in: context, into: try XCTUnwrap(context.slot("region")))
            try expression.writeJSON(in: context, to: output)
            XCTAssert(
                isSame(try expression.evaluate(in: context), try expression.evaluateGenerally(in: context)), source)
        }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    func testPipelineExpressions() throws {
        let rows = [
            (#"regions[?customer_id.split("-")[?1].orValue("").lowerAscii()].orValue("ca")"#, #""eu""#),
            ("(decimal(amount) * rates[region]).round(2)", "25.92"),
            (
                #""MERCH-" + region.upperAscii() + "-" + string(customer_id.codepoints().sum() % 100).padStart(3, "0")"#,
                #""MERCH-EU-014""#
            ),
            ("milliseconds(now() - order_timestamp)", "750"),
            (
                #"decimal(amount) < decimal("50") ? "small" : decimal(amount) <= decimal("500") ? "medium" : "large""#,
                #""medium""#
            ),
            (#"status in ["confirmed", "pending_payment"] && decimal(amount) >= decimal("0.01")"#, "true"),
            ("items_count * 2 + 1", "7"), ("weight / 2.0", "0.75"), ("address.city", #""Lyon""#),
            ("tags", #"["new","gift"]"#),
            ("coupon == null", "true"), ("has(coupon)", "true"), ("has(value.coupon)", "true"),
            ("value.address", #"{"city":"Lyon"}"#),
            ("order_timestamp", #""2025-01-13T15:00:00.250Z""#), (#"duration("1500ms")"#, #""1.5s""#),
            (#"b"\xff""#, #""/w==""#),
            ("record.topic + string(record.partition)", #""orders3""#), ("record.key == null", "true"),
            ("amount == 123.45", "false"),
            ("{1: 'a', true: [1.0]}", #"{"1":"a","true":[1]}"#), (#""a\"\n\u0001""#, #""a\"\n\u0001""#),
        ]
        for (source, wanted) in rows { XCTAssertEqual(try json(source), wanted, source) }
        XCTAssertEqual(
            try json("value.?tags.orValue([])", over: Self.text.replacing("\"tags\"", with: "\"others\"")), "[]")
    }

    func testAMisspeltFieldIsRefusedWithTheNearestName() throws {
        assertRefused(
            [
                ("amuont > 1", "'amuont' is neither a field of order nor a declared name; did you mean 'amount'?"),
                ("value.amuont", "order has no field 'amuont'; did you mean 'amount'?"),
                ("address.ctiy", "did you mean 'city'?"),
                ("record.topci", "did you mean 'record.topic'?"), ("has(value.cupon)", "did you mean 'coupon'?"),
                ("items_count + 'a'", "int + string"), ("staus == 'a' && curency == 'b'", "did you mean 'currency'?"),
            ], in: environment())
    }

    func testResultTypeIsCheckedWhenItIsKnown() throws {
        XCTAssertThrowsError(try environment().compile("items_count", expecting: .bool)) { error in
            XCTAssert("\(error)".contains("the result must be bool, but it is int"), "\(error)")
        }
        XCTAssertNoThrow(try environment().compile("amount", expecting: .bool))
        let environment = environment()
        let expression = try environment.compile("amount", expecting: .bool)
        let context = try context(environment)
        try Array(Self.text.utf8).withUnsafeBytes { bytes in
            try context.read(bytes)
            XCTAssertThrowsError(try expression.bool(in: context)) { error in
                XCTAssert("\(error)".contains("the result is string, not a bool"), "\(error)")
            }
        }
    }

    func testErrorsNameTheField() throws {
        let rows = [
            (#"{"items_count":"3"}"#, "items_count > 1", "items_count", "the field 'items_count' is the string \"3\""),
            (
                #"{"items_count":3.5}"#, "items_count > 1", "items_count",
                "is the number 3.5, which is not a value of type int"
            ),
            (#"{}"#, "items_count > 1", "items_count", "the record has no field 'items_count'"),
            (#"{"order_timestamp":"yesterday"}"#, "order_timestamp", "order_timestamp", #"the string "yesterday""#),
            (#"{"status":null}"#, #"status == "a""#, "status", "is null"),
            (#"{"tags":["a",1]}"#, "tags.size()", "tags[1]", "the number 1"),
            (#"{"address":{"city":5}}"#, "address.city == ''", "address.city", "the number 5"),
            ("[]", "status", "status", "no field"),
            (#"{"address":null}"#, "address.city", "address", "is null"),
            (#"{"address":{}}"#, "address.city", "address.city", "no such key"),
            (#"{}"#, "has(address.city)", "address", "no such key"),
            (#"{"amount":5}"#, "amount.value == 5", "amount", "no such overload"),
            (#"{"coupon":5}"#, "coupon == null", "coupon", "not a value of type string"),
        ]
        let environment = environment()
        for (text, source, field, message) in rows {
            let expression = try environment.compile(source)
            let context = try context(environment)
            try Array(text.utf8).withUnsafeBytes { bytes in
                try context.read(bytes)
                XCTAssertThrowsError(try expression.evaluate(in: context), source) { error in
                    let error = error as? EvaluationError
                    XCTAssertEqual(error?.field, field)
                    XCTAssert(error?.description.contains(message) ?? false, "\(source): \(String(describing: error))")
                    XCTAssertNotNil(error?.location)
                }
            }
        }
    }

    func testNumbersOfUnknownType() throws {
        let rows = [
            ("5", "amount == 5", "true"), ("5", "type(amount) == int", "true"),
            ("18446744073709551615", "type(amount) == uint", "true"),
            ("5.0", "amount == 5", "true"), ("5.5", "amount > 5", "true"), ("5.5", "amount <= 5.5", "true"),
            ("5", "amount < 5.5", "true"),
            ("1.10", "string(decimal(amount))", #""1.10""#), ("\"1.10\"", "decimal(amount) * 2", "2.20"),
            ("0.1", "decimal(amount) == decimal('0.1')", "true"),
            ("9007199254740993", "amount == 9007199254740992", "false"), ("\"5\"", "amount == 5", "false"),
            ("null", "amount != 5", "true"),
            ("[1, 2.50]", "decimal(amount[1])", "2.50"), ("{\"a\": 1e2}", "amount.a", "1e2"),
            ("12345678901234567890123", "decimal(amount)", "12345678901234567890123"),
        ]
        for (amount, source, wanted) in rows {
            XCTAssertEqual(
                try json(source, over: Self.text.replacing("\"123.45\"", with: amount)), wanted, "\(amount): \(source)")
        }
    }

    func testEscapedStringsAreDecoded() throws {
        let text = Self.text.replacing("confirmed", with: #"conf\u0069rmed"#).replacing(
            "CUST-EU", with: #"C\u00dcST-EU"#)
        XCTAssertEqual(try json(#"status == "confirmed""#, over: text), "true")
        XCTAssertEqual(try json("customer_id.size()", over: text), "11")
        XCTAssertEqual(try json("customer_id.lowerAscii()", over: text), #""cÜst-eu-007""#)
    }

    func testAnOpenRecordMakesFieldsOfNames() throws {
        var environment = Environment()
        environment.declareOpenRecord()
        let context = EvaluationContext(environment)
        try Array(#"{"a":1,"b":{"c":"x","d":{"e":{"f":2}}},"amount":"2.5"}"#.utf8).withUnsafeBytes { bytes in
            try context.read(bytes)
            for source in [
                "a > 0.5", "b.c == 'x'", "b.d.e.f == 2 && !has(b.d.e.g) && has(b.d.e)", "has(a) && !has(z)",
                "value.?z.orValue(1) == 1", "decimal(amount) > 2",
                "a in [1, 2]",
            ] {
                XCTAssert(try environment.compile(source).bool(in: context), source)
            }
            XCTAssertThrowsError(try environment.compile("z == 1").bool(in: context)) {
                XCTAssertEqual(($0 as? EvaluationError)?.field, "z")
            }
        }
    }

    func testPipelineExpressionsAreCompiledForOpenRecordsToo() throws {
        var environment = Environment()
        environment.declareOpenRecord()
        environment.declareRecordMetadata()
        environment.declare("regions", .map(key: .string, value: .string))
        environment.declare("rates", .map(key: .string, value: .decimal))
        environment.declare("region", .string)
        environment.declare("tax", .decimal)
        let sources = [
            #"regions[?customer_id.split("-")[?1].orValue("").lowerAscii()].orValue("ca")"#,
            "(decimal(amount) * rates[region]).round(2)",
            #""MERCH-" + region.upperAscii() + "-" + string(customer_id.codepoints().sum() % 100).padStart(3, "0")"#,
            "milliseconds(now() - timestamp(order_timestamp))", "decimal(amount) + tax",
            #"decimal(amount) < decimal("50") ? "small" : decimal(amount) <= decimal("500") ? "medium" : "large""#,
            #"status in ["confirmed", "pending_payment"] && decimal(amount) >= decimal("0.01")"#,
            #"status == "confirmed" && items_count > 3"#,
            #"currency + "/" + customer_id"#, #"payload.after.id > 5 && payload.op != "d""#,
            "timestamp(order_timestamp) > now() - duration('1h')",
            #"has(coupon) && coupon.startsWith("X")"#, #"region == "eu" || tax > decimal("1")"#,
        ]
        for source in sources { XCTAssert(try environment.compile(source).isSpecialised, source) }
    }

    func testReferenceDataIsSwappedBetweenRecords() throws {
        var environment = Environment()
        environment.declare("names", .map(key: .string, value: .string))
        environment.declare("k", .string)
        let expression = try environment.compile("names[?k].orValue('?') + (k in names ? '!' : '')")
        XCTAssert(expression.isSpecialised)
        let context = EvaluationContext(environment)
        context.set("k", "b")
        context.set("names", ["a": "1"])
        XCTAssert(isSame(try expression.evaluate(in: context), "?"))
        let many = ValueMap((0..<1_000).map { ("key\($0)", Value.string(Text("\($0)"))) } + [("b", "2")])
        context.set("names", .map(many))
        XCTAssert(isSame(try expression.evaluate(in: context), "2!"))
        context.set("names", nil)
        XCTAssertThrowsError(try expression.evaluate(in: context)) {
            XCTAssertEqual(($0 as? EvaluationError)?.reason, .unbound)
        }
    }

    func testValuesComputedForARecordEndWithIt() throws {
        let environment = environment()
        let context = try context(environment)
        let slot = try XCTUnwrap(context.slot("region"))
        let shout = try environment.compile("region.upperAscii() + '!'")
        try Array(Self.text.utf8).withUnsafeBytes { bytes in
            try context.read(bytes)
            try environment.compile("'x' + status").evaluate(in: context, into: slot)
            XCTAssert(isSame(try shout.evaluate(in: context), "XCONFIRMED!"))
            try context.read(bytes)
            XCTAssertThrowsError(try shout.evaluate(in: context))
            // What the caller binds after that stays.
            try environment.compile("'x' + status").evaluate(in: context, into: slot)
            context.set(slot, "mine")
            try context.read(bytes)
            XCTAssert(isSame(try shout.evaluate(in: context), "MINE!"))
        }
    }

    func testExpressionsWorkInContextsOfOtherEnvironments() throws {
        var first = Environment()
        first.declare("a", .string)
        first.declare("b", .string)
        first.declareOpenRecord()
        let early = EvaluationContext(first)
        // The same names at other places, and one that the context made before has no place for.
        var second = Environment()
        second.declareOpenRecord()
        second.declare("later", .string)
        second.declare("b", .string)
        first.declare("later", .string)
        early.set("b", "x")
        try Array(#"{"c":"y","d":1}"#.utf8).withUnsafeBytes { bytes in
            try early.read(bytes)
            for environment in [first, second] {
                XCTAssert(try environment.compile(#"b == "x" && d == 1 && c + b == "yx""#).bool(in: early))
                XCTAssertThrowsError(try environment.compile("later + b").evaluate(in: early)) {
                    XCTAssertEqual(($0 as? EvaluationError)?.reason, .unbound)
                }
            }
            XCTAssertNil(early.slot("later"))
        }
    }

    func testNowIsReadOncePerRecord() throws {
        let environment = environment()
        let context = try context(environment)
        let now = try environment.compile("now()")
        let first = try now.evaluate(in: context)
        XCTAssert(isSame(first, try now.evaluate(in: context)))
    }

    func testKeysAreWrittenAsBytes() throws {
        let environment = environment()
        let context = try context(environment)
        let output = OutputBuffer()
        try Array(Self.text.utf8).withUnsafeBytes { bytes in
            try context.read(bytes)
            try environment.compile("order_id + '/' + currency").writeBytes(in: context, to: output)
            try environment.compile("b'\\x01'").writeBytes(in: context, to: output)
            XCTAssertEqual(Array(output.bytes), Array("ORD-1/EUR\u{1}".utf8))
            XCTAssertThrowsError(try environment.compile("items_count").writeBytes(in: context, to: output))
            let length = output.count
            XCTAssertThrowsError(try environment.compile("[1.0, 0.0 / 0.0]").writeJSON(in: context, to: output))
            XCTAssertEqual(output.count, length)
            XCTAssertFalse(try environment.compile("tags[?9]").writeJSON(in: context, to: output))
            XCTAssertEqual(output.count, length)
        }
    }
}
