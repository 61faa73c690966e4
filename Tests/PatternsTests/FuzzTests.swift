import TestSupport
import Patterns
import XCTest

final class FuzzTests: XCTestCase {
    func testAnyTextAsAPatternIsCompiledOrRefused() throws {
        var random = Fuzz.random()
        let pieces = [
            "(", ")", "[", "]", "{", "}", "?", "*", "+", "|", "^", "$", ".", "\\", "a", "-", ",", "1", "é", "😀", "\\u",
            "\\p{", "L", "(?", "<", ":", "=", "\\d", "{2,3}", "\0", "\\x", "\\c", "{99}", "(a*)*", "[^a-z]",
            "\\P{Lu}",
        ]
        var compiled = 0
        let inputs = Fuzz.inputs(otherwise: 10_000)
        for _ in 0..<inputs {
            var text = (0..<random.below(12)).map { _ in random.pick(pieces) }.joined()
            _ = Pattern.isECMAScript(text)
            guard let pattern = try? Pattern(ecmaScript: text) else { continue }
            compiled += 1
            let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
            text.withUTF8 { utf8 in
                let bytes = UnsafeRawBufferPointer(utf8)
                let matches = pattern.matches(bytes)
                if isASCII { XCTAssertEqual(pattern.matches(bytes, isASCII: true), matches, pattern.text) }
            }
        }
        XCTAssertGreaterThan(compiled, inputs / 20)
        XCTAssertLessThan(compiled, inputs)
    }
}
