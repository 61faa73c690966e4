import XCTest
import YAML

final class YAMLDocumentTests: XCTestCase {
    func testTreeKeepsOrderAndTypes() throws {
        let text = """
            application: orders
            threads: 2
            rates: {us: 0.08, eu: "0.19"}
            inputs:
              - a
              - b
            nothing:
            flags: [yes, true, ~, 2024-01-01, 0x1F, 0o17, -5, 1e3, .5, 1_000, 12345678901234567890]
            """
        XCTAssertEqual(
            render(try parse(text)),
            "{application: 'orders', threads: 2, rates: {us: float(0.08), eu: '0.19'}, inputs: ['a', 'b'], nothing: null, "
                + "flags: ['yes', true, null, '2024-01-01', 31, 15, -5, float(1000.0), float(0.5), '1_000', "
                + "float(1.2345678901234567e+19)]}")
    }

    func testEveryValueAndKeyKnowsItsPlace() throws {
        let root = try parse("# comment\na: 1\nб: {c: \"д\", e: [x, y]}\n")
        let mapping = try XCTUnwrap(root.mapping)
        XCTAssertEqual(mapping.entries.map(\.keyMark.description), ["t.yaml:2:1", "t.yaml:3:1"])
        let inner = try XCTUnwrap(mapping["б"]?.mapping)
        XCTAssertEqual(inner["c"]?.mark.description, "t.yaml:3:8")
        XCTAssertEqual(inner["e"]?.sequence?.map(\.mark.column), [17, 20])
    }

    func testBlockScalarsKeepTheirText() throws {
        let root = try parse("literal: |\n  a: b\n  c\nfolded: >-\n  one\n  two\n")
        XCTAssertEqual(root.mapping?["literal"]?.scalar?.text, "a: b\nc\n")
        XCTAssertEqual(root.mapping?["literal"]?.scalar?.style, .literal)
        XCTAssertEqual(root.mapping?["folded"]?.scalar?.text, "one two")
    }

    func testQuotedScalarsAreText() throws {
        XCTAssertEqual(
            render(try parse(#"['5', "true", "", !!str 5, ! 7, !!int "5"]"#)), "['5', 'true', '', '5', '7', 5]")
        XCTAssertEqual(try parse(#""a\u0000\n\"""#).scalar?.text, "a\0\n\"")
    }

    func testEmptyDocumentsAreNull() throws {
        for text in ["", "\n", "# only a comment\n", "---\n", "---\n...\n", "\u{FEFF}"] {
            XCTAssertTrue(try parse(text).isNull, text.debugDescription)
        }
        XCTAssertEqual(render(try parse("\u{FEFF}a: 1")), "{a: 1}")
    }

    func testAnchorsAndMergeKeys() throws {
        let text = """
            base: &base {a: 1, b: 2}
            more: &more {b: 3, c: 4}
            one: {<<: *base, b: 9}
            two: {<<: [*base, *more]}
            copy: *base
            quoted: {"<<": 1}
            &key k: *key
            """
        XCTAssertEqual(
            render(try parse(text)),
            "{base: {a: 1, b: 2}, more: {b: 3, c: 4}, one: {b: 9, a: 1}, two: {a: 1, b: 2, c: 4}, "
                + "copy: {a: 1, b: 2}, quoted: {<<: 1}, k: 'k'}")
    }

    func testProblemsNameTheirPlace() {
        let cases: [(text: String, problems: [String])] = [
            (
                "a: 1\nb: 2\na: 3\nb: 4",
                [
                    "t.yaml:3:1: the key a is there already, on line 1",
                    "t.yaml:4:1: the key b is there already, on line 2",
                ]
            ),
            ("a: 1\n---\nb: 2", ["t.yaml:2:1: a second document begins; a file holds one"]),
            ("a:\n\tb: 1", ["t.yaml:2:1: a tab where only spaces may stand; indent with spaces"]),
            ("a: *x", ["t.yaml:1:4: the alias *x names no anchor before it"]),
            ("a: &x [1, *x]", ["t.yaml:1:11: the alias *x stands inside the value it names"]),
            ("a: !include file", ["t.yaml:1:4: the tag !include is not known here"]),
            ("a: !!int x", ["t.yaml:1:4: \"x\" is not what its tag tag:yaml.org,2002:int says"]),
            ("[1]: 2", ["t.yaml:1:1: a list or a mapping cannot be a key here"]),
            ("<<: 5", ["t.yaml:1:1: << takes a mapping or a list of mappings"]),
            (
                "a: [1, 2",
                ["t.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence that begins on line 1"]
            ),
            ("a: [${B}]", ["t.yaml:1:6: within [ ] and { } a value with ${...} must be quoted"]),
            ("a: b: c", ["t.yaml:1:5: mapping values are not allowed in this context"]),
        ]
        for (text, expected) in cases {
            XCTAssertEqual(problems(text), expected, text.debugDescription)
        }
    }

    func testInvalidUTF8NamesItsPlace() {
        XCTAssertThrowsError(try YAMLDocument.parse([0x61, 0x3A, 0x0A, 0x62, 0xFF], source: "t.yaml")) { error in
            XCTAssertTrue("\(error)".hasPrefix("t.yaml:2:2: not UTF-8 text"), "\(error)")
        }
    }

    func testAliasBombsAreBounded() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let found = problems(text)
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("more than 200000 values"), found[0])
    }

    func testDepthAndSizeAreBounded() {
        let deep = String(repeating: "[", count: 101) + String(repeating: "]", count: 101)
        XCTAssertEqual(problems(deep), ["t.yaml:1:101: nested deeper than 100 levels"])
        XCTAssertEqual(problems(String(repeating: "[", count: 100) + String(repeating: "]", count: 100)), [])
        XCTAssertEqual(
            problems(String(repeating: "[", count: 1_000_000)), ["t.yaml:1:101: nested deeper than 100 levels"])
        XCTAssertEqual(problems("a: 12345", limits: .init(bytes: 7)), ["t.yaml:1:1: 8 bytes; at most 7 are read"])
        XCTAssertEqual(
            problems("[1, 2, 3]", limits: .init(nodes: 3)),
            ["t.yaml:1:8: more than 3 values, counting what aliases repeat"])
    }
}
