import XCTest
import YAML

final class SubstitutionTests: XCTestCase {
    private let variables = ["PREFIX": "shop", "EMPTY": "", "COUNT": "4", "EVIL": "x\nadmin: true\n- [", "ACCENT": "é"]

    private func text(_ yaml: String) throws -> String {
        render(try parse(yaml, variables: variables))
    }

    func testVariablesAndDefaults() throws {
        XCTAssertEqual(try text("${PREFIX}.orders"), "'shop.orders'")
        XCTAssertEqual(try text("'${PREFIX:-other}.${MISSING:-raw}'"), "'shop.raw'")
        XCTAssertEqual(try text("\"${EMPTY:-default}${EMPTY}\""), "'default'")
        XCTAssertEqual(try text("\"${MISSING:-}\""), "''")
        XCTAssertEqual(try text("${MISSING:-a:-b c}${ACCENT}"), "'a:-b cé'")
        XCTAssertEqual(try text(">-\n  ${PREFIX}\n  b"), "'shop b'")
    }

    func testPlainScalarsAreTypedAfterSubstitution() throws {
        XCTAssertEqual(try text("- ${COUNT}\n- '${COUNT}'\n- ${EMPTY}"), "[4, '4', null]")
    }

    func testEscapesAndLoneDollarsStay() throws {
        XCTAssertEqual(try text("'$${PREFIX} costs $5 $ ^[a-z]$'"), "'${PREFIX} costs $5 $ ^[a-z]$'")
        XCTAssertEqual(try text("'$$${PREFIX}'"), "'$${PREFIX}'")
    }

    func testAVariableCannotAddStructure() throws {
        let root = try parse("a: ${EVIL}\nb: 1", variables: variables)
        XCTAssertEqual(root.mapping?.entries.map(\.key), ["a", "b"])
        XCTAssertEqual(root.mapping?["a"]?.scalar?.text, variables["EVIL"])
    }

    func testKeysAreNotSubstituted() throws {
        XCTAssertEqual(try text("'${MISSING}': 1"), "{${MISSING}: 1}")
    }

    func testProblemsAreCollectedWithTheirLines() {
        XCTAssertEqual(
            problems("a: ${NONE}\nb: ${OTHER\nc: ${A-b}\nd: ${A:-${B}}\ne: ${}\nf: ${1A}"),
            [
                "t.yaml:1:4: the environment variable NONE is not set; set it, or write ${NONE:-default}",
                "t.yaml:2:4: ${ without }; write $${ for the characters ${",
                "t.yaml:3:4: ${A-b} is neither ${NAME} nor ${NAME:-default}; write $${ for the characters ${",
                "t.yaml:4:4: ${A:-${B} is neither ${NAME} nor ${NAME:-default}; write $${ for the characters ${",
                "t.yaml:5:4: ${} is neither ${NAME} nor ${NAME:-default}; write $${ for the characters ${",
                "t.yaml:6:4: ${1A} is neither ${NAME} nor ${NAME:-default}; write $${ for the characters ${",
            ])
    }

    func testWithoutVariablesTextStays() throws {
        let root = try YAMLDocument.parse(Array("${A}".utf8), source: "t.yaml")
        XCTAssertEqual(root.scalar?.text, "${A}")
    }
}
