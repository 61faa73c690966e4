import Foundation
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
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["FUZZ_COUNT"] ?? "") ?? 20_000
        let seed = UInt64(environment["FUZZ_SEED"] ?? "") ?? 1
        var random = SplitMix(state: seed)
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
                    XCTFail("seed \(seed): no place in \(problem) for \(bytes)")
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

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
