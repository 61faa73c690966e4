import TestSupport
import XCTest
import YAML

/// Whatever the bytes are, the parser answers with a tree within its limits or with an error that names a place.
final class YAMLFuzzTests: XCTestCase {
    private let seeds = [
        "a: &x {b: [1, 2, {c: d}], <<: *x}\ne: |\n  text\n  more\nf: >-\n  folded\n",
        "application: ${A:-b}\n? complex\n: value\n- x\n--- !t\n%YAML 1.2\n... # c\n",
        "\"\\u0041\\x41\\n\": 'it''s'\n[{a: b}, [c], !!str d]: *alias\n\t~: &y\n",
        String(repeating: "- [", count: 60) + String(repeating: "a: ", count: 40),
    ]

    func testMutatedDocumentsNeverTrap() throws {
        let count = Fuzz.inputs(otherwise: 20_000)
        var random = Fuzz.random()
        var accepted = 0
        let alphabet = Array("{}[]:,-&*!|>'\"%@`#?~<$ \n\tab1.\\".utf8) + [0, 0xC3, 0xFF, 0xEF, 0xBB, 0xBF]
        for _ in 0..<count {
            var bytes = Array(seeds[Int(random.next() % UInt64(seeds.count))].utf8)
            for _ in 0..<(1 + random.next() % 12) {
                let position = Int(random.next() % UInt64(bytes.count + 1))
                switch random.next() % 4 {
                case 0: bytes.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: position)
                case 1 where position < bytes.count: bytes.remove(at: position)
                case 2 where position < bytes.count: bytes[position] = UInt8(truncatingIfNeeded: random.next())
                default: bytes.insert(contentsOf: bytes.prefix(position).suffix(8), at: position)
                }
            }
            do {
                let node = try YAMLDocument.parse(bytes, source: "f") { $0 == "A" ? "x: [" : nil }
                accepted += 1
                XCTAssertLessThanOrEqual(size(node), 200_000)
            } catch {
                XCTAssertFalse(error.problems.isEmpty)
                for problem in error.problems where problem.mark.line < 1 || problem.mark.column < 1 {
                    XCTFail("no place in \(problem) for \(bytes)")
                }
            }
        }
        XCTAssertGreaterThan(accepted, 0)
        XCTAssertLessThan(accepted, count)
    }

    private func size(_ node: YAMLNode) -> Int {
        switch node.content {
        case .scalar: 1
        case .sequence(let nodes): nodes.reduce(1) { $0 + size($1) }
        case .mapping(let mapping): mapping.entries.reduce(1) { $0 + 1 + size($1.value) }
        }
    }
}
