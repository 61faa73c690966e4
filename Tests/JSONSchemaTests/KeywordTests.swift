import Foundation
import JSON
import JSONSchema
import XCTest

final class KeywordTests: XCTestCase {
    private func check(
        _ schema: String, valid: [String], invalid: [String], formats: JSONSchema.Formats = .annotation,
        file: StaticString = #filePath, line: UInt = #line
    ) throws {
        let validation = try Validation(schema, formats: formats)
        for instance in valid {
            XCTAssertEqual(try validation.messages(instance), [], "\(schema) on \(instance)", file: file, line: line)
        }
        for instance in invalid {
            XCTAssertFalse(try validation.isValid(instance), "\(schema) on \(instance)", file: file, line: line)
        }
    }

    func testTypes() throws {
        try check(
            #"{"type":"integer"}"#, valid: ["1", "-0", "1.0", "1e3", "10e-1", "1E400"],
            invalid: ["1.5", "1e-1", "\"1\"", "true"])
        try check(#"{"type":["string","null"]}"#, valid: ["\"\"", "null"], invalid: ["0", "[]", "{}", "false"])
        try check(#"{"type":["integer","number"]}"#, valid: ["1", "1.5"], invalid: ["null"])
        try check(#"{"type":"boolean"}"#, valid: ["true", "false"], invalid: ["null", "0"])
        try check("true", valid: ["1", "{}"], invalid: [])
        try check("false", valid: [], invalid: ["1", "{}"])
    }

    func testNumbersAreComparedExactly() throws {
        try check(
            #"{"minimum":0.1}"#, valid: ["0.1", "0.10", "1e-1", "0.1000000000000000000000000000000000000000000001"],
            invalid: ["0.0999999999999999999999999999999999999999999999", "-1"])
        try check(#"{"exclusiveMinimum":0}"#, valid: ["1", "1e-400"], invalid: ["0", "-0.0", "-1e400"])
        try check(
            #"{"maximum":9007199254740993}"#, valid: ["9007199254740993"],
            invalid: ["9007199254740994", "9007199254740993.1", "1e17"])
        try check(#"{"exclusiveMaximum":3,"minimum":-2.5}"#, valid: ["2", "2.999", "-2"], invalid: ["3", "3.0", "-3"])
        try check(
            #"{"maximum":18446744073709551616}"#, valid: ["18446744073709551616"], invalid: ["18446744073709551617"])
        try check(#"{"minimum":1e400}"#, valid: ["1e400", "10e399", "2e400"], invalid: ["1e399", "5"])
        try check(#"{"multipleOf":0.01}"#, valid: ["19.99", "0", "1e300", "-0.01"], invalid: ["0.001", "19.995"])
        try check(
            #"{"multipleOf":7}"#, valid: ["7e40", "123456789012345678901234567890123456789012340"],
            invalid: ["1e41", "7e-1"])
        try check(
            #"{"const":1.0}"#, valid: ["1", "10e-1"],
            invalid: ["1.0000000000000000000000000000000000000000000001", "true"])
    }

    func testStrings() throws {
        try check(
            #"{"minLength":2,"maxLength":3}"#, valid: [#""ab""#, #""é😀""#, #""\ud83d\ude00\n""#, "5"],
            invalid: [#""a""#, #""😀""#, #""abcd""#])
        try check(
            #"{"pattern":"^[A-Z]{3}$"}"#, valid: [#""EUR""#, #""\u0045UR""#],
            invalid: [#""eur""#, #""EURO""#, #""ÉUR""#])
        try check(#"{"pattern":"ö+"}"#, valid: [#""schön""#, #""sch\u00f6n""#], invalid: [#""schon""#])
        try check(
            #"{"enum":["a","","a longer text than sixteen bytes",1,[1],null]}"#,
            valid: [#""a""#, #""""#, #""a longer text than sixteen bytes""#, "1.0", "[1]", "null", #""\u0061""#],
            invalid: [#""b""#, #""a longer text than sixteen bytez""#, "[]", "false"])
        try check(#"{"enum":[]}"#, valid: [], invalid: ["1", #""a""#])
        try check(#"{"enum":["a","b"],"const":"a"}"#, valid: [#""a""#], invalid: [#""b""#])
        try check(#"{"enum":["b"],"const":"a"}"#, valid: [], invalid: [#""a""#, #""b""#])
    }

    func testObjects() throws {
        try check(
            #"{"properties":{"a":{"type":"string"},"b":false},"required":["a","z"]}"#,
            valid: [#"{"a":"","z":0}"#, "[]"], invalid: ["{}", #"{"a":"","b":1,"z":1}"#, #"{"a":1,"z":1}"#])
        try check(
            #"{"properties":{"a":true},"required":["r"],"additionalProperties":false}"#, valid: [],
            invalid: [#"{"r":1}"#, #"{"a":1,"r":1}"#, #"{"a":1}"#])
        try check(
            #"{"properties":{"a":true},"additionalProperties":{"type":"integer"}}"#,
            valid: [#"{"a":"x","b":1}"#, #"{"b":1,"c":2}"#], invalid: [#"{"b":"x"}"#, #"{"a":1,"\u0062":""}"#])
        try check(
            #"{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}"#, valid: [#"{"x-a":1}"#],
            invalid: [#"{"x-a":""}"#, #"{"y":1}"#])
        try check(
            #"{"propertyNames":{"maxLength":2},"minProperties":1,"maxProperties":2}"#,
            valid: [#"{"a":1}"#, #"{"aa":1,"bb":2}"#], invalid: ["{}", #"{"aaa":1}"#, #"{"a":1,"b":2,"c":3}"#])
        try check(
            #"{"dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"required":["d"]}}}"#,
            valid: ["{}", #"{"a":1,"b":1}"#, #"{"c":1,"d":1}"#, #"{"b":1}"#], invalid: [#"{"a":1}"#, #"{"c":1}"#])
        try check(
            #"{"dependencies":{"a":["b"],"c":{"required":["d"]}}}"#, valid: [#"{"a":1,"b":1}"#],
            invalid: [#"{"a":1}"#, #"{"c":1}"#])
    }

    func testPropertyNamesOfAllLengthsAreTold() throws {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        var names: [String] = []
        for length in 0...40 { names.append(String((0..<length).map { letters[($0 * 7 + length) % 26] })) }
        let properties = names.enumerated().map { "\"\($1)\":{\"const\":\($0)}" }.joined(separator: ",")
        func object(_ shift: Int) -> String {
            "{" + names.enumerated().map { "\"\($1)\":\($0 + shift)" }.joined(separator: ",") + "}"
        }
        let schema = "{\"properties\":{" + properties + "},\"additionalProperties\":false}"
        for (wrapped, schema) in [(false, schema), (true, "{\"items\":\(schema)}")] {
            let validation = try Validation(schema, limit: 100)
            func wrap(_ text: String) -> String { wrapped ? "[\(text)]" : text }
            XCTAssertEqual(try validation.messages(wrap(object(0))), [])
            XCTAssertEqual(try validation.violations(wrap(object(1))).count, names.count)
            for name in names.dropFirst(4) {
                let other = String(name.dropLast(2)) + "??"
                XCTAssertEqual(
                    try validation.violations(wrap("{\"\(other)\":1}")).map { $0.keyword }, ["additionalProperties"])
            }
        }
    }

    func testArrays() throws {
        try check(
            #"{"prefixItems":[{"type":"integer"}],"items":{"type":"string"}}"#, valid: ["[]", "[1]", #"[1,"a"]"#],
            invalid: [#"["a"]"#, "[1,1]"])
        try check(
            #"{"contains":{"const":1},"minContains":2,"maxContains":3}"#, valid: ["[1,1]", "[1,2,1,1]"],
            invalid: ["[1]", "[1,1,1,1]", "[]"])
        try check(#"{"contains":{"const":1},"minContains":0}"#, valid: ["[]", "[2]"], invalid: [])
        try check(#"{"minItems":1,"maxItems":2}"#, valid: ["[1]", "[[],{}]"], invalid: ["[]", "[1,2,3]"])
        let many = (0..<500).map { "{\"k\":\($0),\"l\":[\($0).0]}" }.joined(separator: ",")
        try check(
            #"{"uniqueItems":true}"#, valid: ["[]", "[1,true,\"1\",[1],{\"a\":1},null,0,false]", "[\(many)]"],
            invalid: [
                "[1,1.0]", #"["a","\u0061"]"#, #"[{"a":1,"b":2},{"b":2,"a":1e0}]"#,
                #"[\#(many),{"l":[4.2e2],"k":420}]"#, "[1,2,3,4,5,6,7,8,9,10,1]",
            ])
    }

    func testApplicators() throws {
        try check(#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, valid: ["2"], invalid: ["0", "4"])
        try check(#"{"anyOf":[{"type":"string"},{"minimum":5}]}"#, valid: [#""x""#, "7", "null"], invalid: ["3"])
        try check(#"{"oneOf":[{"minimum":1},{"maximum":3}]}"#, valid: ["0", "4"], invalid: ["2"])
        try check(#"{"not":{"type":"integer"}}"#, valid: ["1.5"], invalid: ["1"])
        try check(
            #"{"if":{"properties":{"k":{"const":"a"}},"required":["k"]},"then":{"required":["x"]},"else":{"required":["y"]}}"#,
            valid: [#"{"k":"a","x":1}"#, #"{"k":"b","y":1}"#, #"{"y":1}"#],
            invalid: [#"{"k":"a","y":1}"#, #"{"k":"b","x":1}"#])
    }

    func testReferences() throws {
        try check(
            ##"{"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"},"b":{"$ref":"#"}}}"##,
            valid: [##"{"a":1,"b":{"a":2,"b":{}}}"##], invalid: [##"{"b":{"a":"x"}}"##])
        try check(
            ##"{"$defs":{"x":{"$anchor":"num","type":"integer"},"a/b~c%":{"const":1}},"prefixItems":[{"$ref":"#num"},{"$ref":"#/$defs/a~1b~0c%25"}]}"##,
            valid: ["[1,1]"], invalid: [##"["x"]"##, "[1,2]"])
        let documents = [
            "https://example.org/schemas/money.json":
                #"{"type":"object","properties":{"currency":{"$ref":"codes.json#currency"}}}"#,
            "https://example.org/schemas/codes.json": #"{"$defs":{"c":{"$anchor":"currency","enum":["EUR","USD"]}}}"#,
        ]
        let validation = try Validation(
            #"{"$id":"https://example.org/schemas/order.json","properties":{"price":{"$ref":"money.json"},"code":{"$ref":"./codes.json#/$defs/c"}}}"#,
            documents: documents)
        XCTAssertTrue(try validation.isValid(#"{"price":{"currency":"EUR"},"code":"USD"}"#))
        XCTAssertEqual(
            try validation.violations(#"{"price":{"currency":"XXX"}}"#).map { $0.schemaLocation },
            ["https://example.org/schemas/codes.json#/$defs/c/enum"])
        try check(
            #"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#,
            valid: [#"{"type":"integer","items":{"minLength":1}}"#, "true"],
            invalid: [#"{"items":{"minLength":-1}}"#, "1"])
    }

    func testFilesReferToFilesBesideThem() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("schemas \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(#"{"enum":["EUR"]}"#.utf8).write(to: folder.appendingPathComponent("codes.json"))
        let path = folder.appendingPathComponent("order.json").path
        try Data(#"{"properties":{"currency":{"$ref":"codes.json"}}}"#.utf8).write(to: URL(fileURLWithPath: path))
        let schema = try JSONSchema(SchemaFile.read(path: path), uri: SchemaFile.uri(path: path), load: SchemaFile.load)
        let record = JSONRecord()
        let validator = SchemaValidator(schema, record: record)
        for (text, valid) in [(#"{"currency":"EUR"}"#, true), (#"{"currency":"USD"}"#, false)] {
            try Array(text.utf8).withUnsafeBytes { bytes in
                try record.read(bytes)
                XCTAssertEqual(validator.isValid(), valid)
                record.clear()
            }
        }
        let broken = Array(#"{"$ref":"missing.json"}"#.utf8)
        XCTAssertThrowsError(try JSONSchema(broken, uri: SchemaFile.uri(path: path), load: SchemaFile.load)) {
            XCTAssertTrue("\($0)".contains("missing.json: No such file or directory"), "\($0)")
        }
        XCTAssertNil(try SchemaFile.load("https://example.org/x.json"))
    }

    func testDynamicReferencesFindTheOutermostAnchor() throws {
        let tree =
            ##"{"$id":"https://example.org/tree","$dynamicAnchor":"node","type":"object","properties":{"data":true,"children":{"type":"array","items":{"$dynamicRef":"#node"}}}}"##
        let strict = try Validation(
            #"{"$id":"https://example.org/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false}"#,
            documents: ["https://example.org/tree": tree])
        XCTAssertTrue(try strict.isValid(#"{"children":[{"data":1,"children":[]}]}"#))
        XCTAssertFalse(try strict.isValid(#"{"children":[{"daat":1}]}"#))
        XCTAssertTrue(try Validation(tree).isValid(#"{"children":[{"daat":1}]}"#))
    }

    func testDynamicAnchorsMayBringTheMetaSchemaAlong() throws {
        let schema =
            ##"{"$id":"https://example.org/a","$dynamicAnchor":"meta","properties":{"x":{"$dynamicRef":"#meta"},"y":{"$ref":"b"}}}"##
        let other = ##"{"$dynamicAnchor":"meta","$ref":"https://json-schema.org/draft/2020-12/schema"}"##
        let validation = try Validation(schema, documents: ["https://example.org/b": other])
        XCTAssertTrue(try validation.isValid(#"{"x":{"y":{"properties":{"z":{"minimum":1}}}}}"#))
        XCTAssertFalse(try validation.isValid(#"{"y":{"minLength":"1"}}"#))
    }

    func testUnevaluated() throws {
        try check(
            #"{"allOf":[{"properties":{"a":true}}],"anyOf":[{"properties":{"b":{"const":1}},"required":["b"]},{"properties":{"c":true}}],"unevaluatedProperties":false}"#,
            valid: [#"{"a":1,"b":1,"c":2}"#, #"{"a":1,"c":1}"#], invalid: [#"{"b":2}"#, #"{"d":1}"#])
        try check(
            #"{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":{"type":"integer"}}"#,
            valid: [#"[null,1,"a"]"#], invalid: [#"[null,true,"a"]"#])
        try check(
            #"{"not":{"properties":{"a":true}},"unevaluatedProperties":false}"#, valid: [],
            invalid: [#"{"a":1}"#, "{}"])
        try check(
            #"{"properties":{"a":{"unevaluatedProperties":false,"properties":{"x":true}}},"unevaluatedProperties":false}"#,
            valid: [#"{"a":{"x":1}}"#], invalid: [#"{"a":{"y":1}}"#, #"{"x":{}}"#])
    }

    func testFormatsAreAssertedOnlyWhenAsked() throws {
        for (format, valid, invalid) in [
            ("iri", ["http://ƒøø.ßår/?∂éœ=πîx#πîüx", "urn:é"], ["/é", "http://é é", "http://[é]", "a:\u{FFFF}"]),
            ("iri-reference", ["é/ß?\u{E000}", "#ƒ", ""], ["\\\\é", "\u{E000}", "é:b c"]),
            (
                "uri-template", ["http://a/{term:1}/{+x,y*}{?q.r,%41}", "é"],
                ["{", "}", "{a:0}", "{a:12345}", "{a b}", "%4", "{}"]
            ),
            ("idn-email", ["실례@실례.테스트", "joe@é.org"], ["2962", "@é", "a b@é", "é@-é"]),
            ("date-time", ["2026-11-21T10:00:00Z", "1990-12-31T23:59:60Z"], ["2026-02-30T10:00:00Z", "2026-11-21"]),
            ("date", ["2024-02-29"], ["2023-02-29", "24-02-29"]),
            ("time", ["10:00:00Z", "23:59:60+00:00"], ["10:00:00", "24:00:00Z"]),
            ("duration", ["P1Y2M3D", "PT1H", "P2W"], ["P", "PT", "P1H", "1D", "P1DT"]),
            (
                "email", ["a.b@example.org", #"\"a b\"@[127.0.0.1]"#, #"\"\\a\\\"\"@x"#, "a@[ipv6:::1]"],
                ["a@", "@b", "a..b@c", "a b@c.d", #"\"\\é\"@x"#, #"\"a\\\"@x"#, "a@[ipv7:::1]"]
            ),
            ("hostname", ["a-b.example"], ["-a", "a_b", "a..b", ""]),
            ("ipv4", ["127.0.0.1"], ["256.1.1.1", "1.2.3", "01.2.3.4"]),
            (
                "ipv6", ["::1", "1::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"],
                ["1::2::3", "12345::", ":1", "1:2:3:4:5:6:7", "1.2.3.4"]
            ),
            ("uri", ["https://a@b.c:1/d?e#f", "urn:x:y"], ["//a", "a b", "http://[::1", "\\\\\\\\x"]),
            ("uri-reference", ["../a?b", "#", ""], ["a b", "%4", "1:2"]),
            (
                "uuid", ["2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
                ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"]
            ), ("regex", ["(?=a)\\\\1", "[a-z]+"], ["(", "a**", "\\\\a"]),
            ("json-pointer", ["", "/a~1b"], ["a", "/~2", "/~"]),
            ("relative-json-pointer", ["0", "1/a", "0#"], ["", "01", "/a", "-1"]),
        ] as [(String, [String], [String])] {
            let quote = { (text: String) in "\"\(text)\"" }
            try check(
                #"{"format":"\#(format)"}"#, valid: valid.map(quote) + ["1"], invalid: invalid.map(quote),
                formats: .assertion)
            try check(#"{"format":"\#(format)"}"#, valid: invalid.map(quote), invalid: [])
        }
        XCTAssertEqual(
            try JSONSchema(#"{"format":"card-number"}"#, formats: .assertion).warnings.map { $0.description },
            ["#/format: the format card-number is not checked"])
    }
}
