import JSON
import TestSupport
import XCTest

final class JSONRecordTests: XCTestCase {
    private let record = JSONRecord()

    private func error(_ text: String, in record: JSONRecord? = nil) -> JSONError? {
        error(Array(text.utf8), in: record)
    }

    private func error(_ bytes: [UInt8], in record: JSONRecord? = nil) -> JSONError? {
        do {
            try (record ?? self.record).withRead(bytes) { _ in }
            return nil
        } catch {
            return error as? JSONError
        }
    }

    /// Keys are recognised by words, of long ones from both ends: every length, and a difference at every place.
    func testKnowsItsKeysFromThoseThatDifferInOneByte() throws {
        for count in 1...48 {
            let key = (0..<count).map { Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0 % 23))) }
            for rest in ["", #","y":3"#, #","y":"# + #""a string of more than two words of bytes""#] {
                let record = JSONRecord()
                let slot = record.declare(String(key))
                func read(_ key: String) throws -> Int64? {
                    try record.withRead(#"{"x":1,""# + key + #"":2"# + rest + "}") { _ in record.field(slot)?.int64 }
                }
                // Twice: the second time it is expected where it stands.
                for _ in 0..<2 { XCTAssertEqual(try read(String(key)), 2, "\(count)") }
                for place in 0..<count {
                    var other = key
                    other[place] = "Z"
                    XCTAssertNil(try read(String(other)), "\(count) \(place)")
                    XCTAssertEqual(try read(String(key)), 2, "\(count) \(place)")
                }
                XCTAssertNil(try read(String(key) + "Z"), "\(count)")
                XCTAssertNil(try read(String(key.dropLast())), "\(count)")
            }
        }
    }

    func testReadsDeclaredFieldsBySlotRecordAfterRecord() throws {
        let amount = record.declare("amount")
        let status = record.declare("status")
        let long = record.declare("a_key_that_is_longer_than_sixteen_bytes")
        let missing = record.declare("missing")
        XCTAssertEqual(record.declare("amount"), amount)
        for text in [
            #"{"amount":129.95,"status":"ok","a_key_that_is_longer_than_sixteen_bytes":7}"#,
            #"{"amount":129.95,"status":"ok","a_key_that_is_longer_than_sixteen_bytes":7}"#,
            #" { "status" : "ok" , "other" : [1, {"amount": 1}] , "amount" : 129.95 , "a_key_that_is_longer_than_sixteen_bytes" : 7 } "#,
            #"{"\u0061mount":129.95,"a_key_that_is_longer_than_sixteen_byteX":0,"a_key_that_is_longer_than_sixteen_bytes":7,"status":"ok"}"#,
            #"{"a_key_that_is_longer_than_sixteen_bytes":7,"status":"o\u006b","amount":129.95}"#,
        ] {
            try record.withRead(text) { root in
                XCTAssertEqual(root.kind, .object)
                XCTAssertEqual(record.field(amount)?.decimal?.description, "129.95", text)
                XCTAssertEqual(record.field(status)?.string?.string, "ok", text)
                XCTAssertEqual(record.field(long)?.int64, 7, text)
                XCTAssertNil(record.field(missing))
                XCTAssertNil(record.field(named: "missing"))
                XCTAssertEqual(record.field(named: "amount")?.decimal, record.field(amount)?.decimal)
            }
        }
        try record.withRead("{}") { _ in XCTAssertNil(record.field(amount)) }
        try record.withRead(#"[{"amount":1}]"#) { _ in XCTAssertNil(record.field(amount)) }
        XCTAssertNotNil(error(#"{"amount":1,}"#))
        XCTAssertNil(record.field(amount))
        XCTAssertEqual(record.root.kind, .null)
    }

    func testKeysThatNeedEscapesAreFound() throws {
        let quote = record.declare("a\"b\\c\n")
        let empty = record.declare("")
        let letters = record.declare("größe")
        try record.withRead(#"{"a\"b\\c\u000A":1,"":2,"gr\u00f6\u00dfe":3}"#) { _ in
            XCTAssertEqual(record.field(quote)?.int64, 1)
            XCTAssertEqual(record.field(empty)?.int64, 2)
            XCTAssertEqual(record.field(letters)?.int64, 3)
        }
        try record.withRead(#"{"größe":4,"":5}"#) { _ in
            XCTAssertEqual(record.field(letters)?.int64, 4)
            XCTAssertEqual(record.field(empty)?.int64, 5)
            XCTAssertNil(record.field(quote))
        }
    }

    func testAnyValueMayBeAtTheTop() throws {
        for (text, kind) in [
            ("null", JSONKind.null), (" true", .true), ("false ", .false), ("-0.5e+3", .number), ("\"\"", .string),
            ("[]", .array),
            ("\r\n\t{}\n", .object), ("0", .number), ("[[[]],{}]", .array),
        ] {
            try record.withRead(text) { XCTAssertEqual($0.kind, kind, text) }
        }
    }

    func testNumbersKeepTheirTextAndAreExact() throws {
        try record.withRead(
            #"[9007199254740993, -9223372036854775808, 18446744073709551615, 1.10, 1e3, -0, 123456789012345678901234567890, 1e400, 0.1e-400]"#
        ) { root in
            let values = Array(root.elements)
            XCTAssertEqual(values[0].int64, 9_007_199_254_740_993)
            XCTAssertEqual(values[1].int64, .min)
            XCTAssertEqual(values[2].uint64, .max)
            XCTAssertNil(values[2].int64)
            XCTAssertNil(values[1].uint64)
            XCTAssertEqual(values[3].decimal?.description, "1.10")
            XCTAssertNil(values[3].int64)
            XCTAssertNil(values[4].int64)
            XCTAssertFalse(values[4].isWrittenAsInteger)
            XCTAssertEqual(values[4].decimal?.int64Value, 1000)
            XCTAssertEqual(values[5].int64, 0)
            XCTAssertEqual(values[5].double?.sign, .minus)
            XCTAssertNil(values[6].int64)
            XCTAssertEqual(values[6].decimal?.description, "123456789012345678901234567890")
            XCTAssertEqual(values[7].double, .infinity)
            XCTAssertNil(values[7].decimal)
            XCTAssertEqual(values[8].double, 0)
        }
        var random = SeededRandom(seed: 5)
        for _ in 0..<2_000 {
            let float = Double(bitPattern: random.next())
            guard float.isFinite else { continue }
            try record.withRead("\(float)") { XCTAssertEqual($0.double, float) }
            let short = Double(random.below(1_000_000_000)) / 10_000
            try record.withRead("\(short)") { XCTAssertEqual($0.double, short) }
        }
    }

    func testStringsAreDecoded() throws {
        let text = #"["plain", "\"\\\/\b\f\n\r\t", "\u00e9\u20AC\ud83d\uDE00\u0000", "grüß 日本 😀", "a\u0062c"]"#
        try record.withRead(text) { root in
            let strings = root.elements.compactMap { $0.string }
            XCTAssertEqual(strings.map { $0.string }, ["plain", "\"\\/\u{8}\u{c}\n\r\t", "é€😀\0", "grüß 日本 😀", "abc"])
            XCTAssertEqual(strings.map { $0.codePointCount }, [5, 8, 4, 9, 3])
            XCTAssertEqual(strings.map { $0.hasEscapes }, [false, true, true, false, true])
            XCTAssertEqual(strings.map { $0.isASCII }, [true, true, true, false, true])
            XCTAssertTrue(strings[4].isEqual(to: "abc"))
            XCTAssertFalse(strings[4].isEqual(to: "abcd"))
            XCTAssertFalse(strings[4].isEqual(to: "ab"))
            XCTAssertTrue(strings[0].isEqual(to: "plain"))
            XCTAssertNil(strings[4].utf8)
            XCTAssertEqual(strings[4].withUTF8(scratch: OutputBuffer()) { Array($0) }, Array("abc".utf8))
        }
        try record.withRead(#"["\u0061","a","\u0062"]"#) { root in
            let strings = root.elements.compactMap { $0.string }
            XCTAssertEqual(strings[0], strings[1])
            XCTAssertEqual(strings[1], strings[0])
            XCTAssertNotEqual(strings[0], strings[2])
        }
    }

    func testNestedValuesAreWalked() throws {
        try record.withRead(#"{"a":{"b":[1,{"c":[]},"x"],"d":null},"e":true}"#) { root in
            XCTAssertEqual(root.count, 2)
            let array = try XCTUnwrap(root.member("a")?.member("b"))
            XCTAssertEqual(array.count, 3)
            XCTAssertEqual(array.element(1)?.member("c")?.count, 0)
            XCTAssertEqual(array.element(2)?.string?.string, "x")
            XCTAssertNil(array.element(3))
            XCTAssertNil(array.element(-1))
            XCTAssertEqual(root.member("a")?.member("d")?.isNull, true)
            XCTAssertEqual(root.member("e")?.bool, true)
            XCTAssertNil(root.member("e")?.member("x"))
            XCTAssertEqual(array.bytes.count, #"[1,{"c":[]},"x"]"#.utf8.count)
            XCTAssertEqual(array.offset, 10)
        }
    }

    func testErrorsNameTheReasonAndTheByte() {
        for (text, expected) in [
            ("", "expected a value, found the end of the input at byte 0"),
            ("  ", "expected a value, found the end of the input at byte 2"),
            ("nul", "expected a value, found 'n' at byte 0"),
            ("1 2", "expected nothing more after the value, found '2' at byte 2"),
            (#"{"a":1,}"#, "expected a key in quotes, found '}' at byte 7"),
            ("{1:2}", "expected a key in quotes or '}', found '1' at byte 1"),
            (#"{"a" 1}"#, "expected ':' after the key, found '1' at byte 5"),
            (#"{"a":1 "b":2}"#, "expected ',' or '}', found '\"' at byte 7"),
            ("[1,]", "expected a value, found ']' at byte 3"), ("[1 2]", "expected ',' or ']', found '2' at byte 3"),
            ("[1", "expected ',' or ']', found the end of the input at byte 2"),
            ("01", "expected nothing more after the value, found '1' at byte 1"),
            ("-", "expected a digit, found the end of the input at byte 1"),
            ("1.", "expected a digit, found the end of the input at byte 2"),
            ("[1.e5]", "expected a digit, found 'e' at byte 3"),
            ("1e", "expected a digit, found the end of the input at byte 2"),
            ("+1", "expected a value, found '+' at byte 0"), ("NaN", "expected a value, found 'N' at byte 0"),
            ("\"abc", "string without its closing quote at byte 0"),
            ("[\"a\tb\"]", "control character 0x09 in a string at byte 3"),
            (#"{"k":"\x"}"#, "invalid escape in a string at byte 6"),
            (#""\u12G4""#, "invalid escape in a string at byte 1"),
            (#"["\ud800"]"#, "half of a surrogate pair in a string at byte 2"),
            (#""\udc00\ud800""#, "half of a surrogate pair in a string at byte 1"),
            (#""\ud83d\u0041""#, "half of a surrogate pair in a string at byte 1"),
            (#"{"a":1,"b":2,"a":3}"#, "duplicate key \"a\" at byte 13"),
            (#"{"x":{"k":1,"\u006b":2}}"#, "duplicate key \"k\" at byte 12"),
            ("\u{FEFF}1", "expected a value, found 0xEF at byte 0"), ("[tru]", "expected a value, found 't' at byte 1"),
            ("{\"a\":1,\"b\"}", "expected ':' after the key, found '}' at byte 10"),
        ] {
            XCTAssertEqual(error(text)?.description, expected, text)
        }
    }

    func testUTF8IsChecked() {
        for bytes: [UInt8] in [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82],
            [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFF],
            [0xFE],
        ] {
            for padding in 0...17 {
                let text = Array("\"".utf8) + Array(repeating: 0x61, count: padding) + bytes + Array("\"".utf8)
                XCTAssertEqual(error(text)?.reason, .invalidUTF8, "\(bytes)")
                XCTAssertEqual(error(text)?.offset, padding + 1, "\(bytes)")
                let key =
                    Array("{\"a\":1,\"".utf8) + Array(repeating: 0x61, count: padding) + bytes + Array("\":1}".utf8)
                XCTAssertEqual(error(key)?.reason, .invalidUTF8, "\(bytes)")
            }
        }
    }

    func testNestingIsLimited() {
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        XCTAssertNil(error(deep))
        XCTAssertEqual(error("[" + deep + "]")?.reason, .tooDeep(limit: 128))
        XCTAssertEqual(error(String(repeating: "[", count: 100_000))?.reason, .tooDeep(limit: 128))
        XCTAssertEqual(error(String(repeating: #"{"a":"#, count: 100_000))?.reason, .tooDeep(limit: 128))
        let flat = JSONRecord(maximumDepth: 1)
        XCTAssertNil(error(#"{"a":1}"#, in: flat))
        XCTAssertEqual(error(#"{"a":{}}"#, in: flat)?.reason, .tooDeep(limit: 1))
        XCTAssertEqual(error("{}", in: JSONRecord(maximumDepth: 0))?.reason, .tooDeep(limit: 0))
        XCTAssertNil(
            error(
                String(repeating: "[", count: 1_024) + String(repeating: "]", count: 1_024),
                in: JSONRecord(maximumDepth: .max)))
    }

    func testDuplicateKeysAreRefusedWhereverTheyAre() {
        func object(_ keys: [String], nested: Bool) -> String {
            let object = "{" + keys.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",") + "}"
            return nested ? "[\(object)]" : object
        }
        for count in [2, 3, 20, 33, 40, 300, 3_000] {
            for nested in [false, true] {
                var keys = (0..<count).map { "key\($0)" }
                XCTAssertNil(error(object(keys, nested: nested)), "\(count)")
                keys[count - 1] = keys[0]
                XCTAssertEqual(error(object(keys, nested: nested))?.reason, .duplicateKey("key0"), "\(count)")
                keys[count - 1] = #"\u006bey0"#
                XCTAssertEqual(error(object(keys, nested: nested))?.reason, .duplicateKey("key0"), "\(count)")
            }
        }
        let long = String(repeating: "x", count: 129)
        XCTAssertEqual(error(object([long, "a", long], nested: false))?.reason, .duplicateKey(String(long.dropLast())))
    }

    func testTheLastOfDuplicateKeysWinsWhereAllowed() throws {
        let record = JSONRecord(duplicateKeys: .lastWins)
        let slot = record.declare("a")
        try record.withRead(#"{"a":1,"b":{"c":1,"c":2,"\u0063":3},"a":2,"a":4}"#) { root in
            XCTAssertEqual(record.field(slot)?.int64, 4)
            XCTAssertEqual(root.count, 2)
            XCTAssertEqual(root.member("a")?.int64, 4)
            XCTAssertEqual(root.member("b")?.member("c")?.int64, 3)
            XCTAssertEqual(root.member("b")?.count, 1)
        }
        let many = "{" + (0..<200).map { "\"k\($0 % 100)\":\($0)" }.joined(separator: ",") + "}"
        for text in [many, "[\(many)]"] {
            try record.withRead(text) { root in
                let object = try XCTUnwrap(root.kind == .array ? root.element(0) : root)
                XCTAssertEqual(object.count, 100)
                XCTAssertEqual(object.member("k7")?.int64, 107)
            }
        }
    }

    func testLargeAndSmallRecordsTakeTurns() throws {
        let large = "[" + String(repeating: "1,", count: 300_000) + "[]]"
        for _ in 0..<3 {
            try record.withRead(large) { XCTAssertEqual($0.count, 300_001) }
            try record.withRead(#"{"a":[1,{"b":2}]}"#) {
                XCTAssertEqual($0.member("a")?.element(1)?.member("b")?.int64, 2)
            }
        }
    }

    func testRecordsWithEverNewKeysAreReadAndForgotten() throws {
        let slot = record.declare("id")
        for round in 0..<2_000 {
            try record.withRead("{\"id\":\(round),\"new\(round)\":1,\"other\(round)\":2}") { root in
                XCTAssertEqual(record.field(slot)?.int64, Int64(round))
                XCTAssertEqual(record.field(named: "new\(round)")?.int64, 1)
                XCTAssertEqual(root.count, 3)
            }
        }
    }
}
