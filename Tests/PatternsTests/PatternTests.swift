import TestSupport
import Patterns
import XCTest

final class PatternTests: XCTestCase {
    /// Both engines' answer.
    private func matches(_ pattern: Pattern, _ text: String, file: StaticString = #filePath, line: UInt = #line) -> Bool
    {
        var copy = text
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        return copy.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            let slow = pattern.matches(bytes)
            if isASCII {
                XCTAssertEqual(
                    pattern.matches(bytes, isASCII: true), slow, "\(pattern.text) on \(text)", file: file, line: line)
            }
            return slow
        }
    }

    func testECMAScriptPatternsMeanWhatTheyMeanThere() throws {
        for (text, matching, failing) in [
            ("", ["", "x"], []), ("^$", [""], ["x", "\n"]), ("a+b", ["xaab"], ["b"]), ("^a|b$", ["ax", "xb"], ["xay"]),
            ("^(abc){2,3}$", ["abcabc", "abcabcabc"], ["abc", "abcabcabcabc"]),
            ("^[A-Z]{3}$", ["EUR"], ["EU", "EURO", "eur"]),
            (#"^\d{4}-\d\d$"#, ["2026-11"], ["2026-1", "২০২৬-১১"]), (#"^\w+$"#, ["a_9"], ["é", "a b", ""]),
            (#"^\W$"#, ["é", "-"], ["a"]),
            (#"^\s$"#, [" ", "\t", "\u{A0}", "\u{FEFF}", "\u{2029}", "\u{3000}"], ["\u{200B}", "x", ""]),
            (#"^\S$"#, ["x", "\u{200B}"], ["\u{A0}"]), (#"^[\s\d]$"#, ["\u{A0}", "7"], ["x"]),
            (#"^[\S]$"#, ["x"], ["\u{2003}"]),
            (#"^[^\S]$"#, ["\u{2003}"], ["x"]), ("^.$", ["x", "é", "😀"], ["\n", "\r", "\u{2028}", "ab"]),
            ("a$", ["a"], ["a\n"]),
            (#"^\cA\x41\u0042\u{43}\u{1F600}\uD83D\uDE00\0\t$"#, ["\u{1}ABC😀😀\0\t"], []),
            (#"\bfoo\b"#, ["a foo b"], ["afoo"]),
            (#"\Bo\B"#, ["foot"], ["o", "fo"]), (#"^[\b]$"#, ["\u{8}"], ["b"]), ("^[]$", [], ["", "x"]),
            ("^[^]$", ["x", "\n"], [""]),
            (#"^\p{Letter}+$"#, ["πa"], ["1"]), (#"^\p{L}\P{L}$"#, ["a1"], ["aa"]),
            (#"^\p{gc=Nd}\p{digit}$"#, ["1৩"], ["ab"]),
            (#"^\p{Script=Greek}[\p{sc=Cyrillic}x]$"#, ["πж", "πx"], ["px"]), (#"^\p{ASCII}$"#, ["x"], ["é"]),
            (#"^(?<year>\d+)(?:-|/)\d+?$"#, ["2026-1", "2026/1"], ["2026"]), (#"^\-\_\@\.\/$"#, ["-_@./"], []),
            ("^a{,2}b{x}$", ["a{,2}b{x}"], ["aa"]), ("^[a-]$", ["-", "a"], ["b"]), (#"^[\w-.]+$"#, ["a-."], ["/"]),
            ("^a{2,}$", ["aa", "aaaa"], ["a"]),
            ("^.{0,2500}$", [String(repeating: "é", count: 2_500)], [String(repeating: "é", count: 2_501)]),
            ("^x{1500}$", [String(repeating: "x", count: 1_500)], [String(repeating: "x", count: 1_499)]),
            (
                "^([a-z]{1,63}[.]){1,127}z$", ["ab.cd.z", String(repeating: "a.", count: 127) + "z"],
                [String(repeating: "a.", count: 128) + "z", "z"]
            ),
            ("^((a{3}){500}){2}$", [String(repeating: "a", count: 3_000)], [String(repeating: "a", count: 2_999)]),
            ("^(a{0,2}b{2}){2}c{0}d{1,1}e{0,0}(){3}$", ["bbabbd"], ["bbd"]), ("^((){2000}){3}x$", ["x"], [""]),
            ("^x{1200,}$", [String(repeating: "x", count: 1_201)], [String(repeating: "x", count: 1_199)]),
            ("]", ["]"], ["["]),
            ("(a*)*b", ["b", "aab"], ["aa"]), ("(|a)+$", ["", "x"], []), ("a^b", [], ["ab", "a^b"]),
            ("x$y|z", ["z"], ["xy"]),
        ] as [(String, [String], [String])] {
            let pattern = try Pattern(ecmaScript: text)
            for subject in matching {
                XCTAssertTrue(matches(pattern, subject), "\(text) on \(subject.debugDescription)")
            }
            for subject in failing {
                XCTAssertFalse(matches(pattern, subject), "\(text) on \(subject.debugDescription)")
            }
        }
    }

    func testWhatCannotBeCompiledSaysWhyAndWhere() {
        for (text, expected) in [
            (
                "a(?=b)",
                "look-around cannot be searched for in linear time: state it as a further rule at character 1 of the pattern"
            ),
            (
                "(?!b)",
                "look-around cannot be searched for in linear time: state it as a further rule at character 0 of the pattern"
            ),
            (
                "x(?<=b)",
                "look-around cannot be searched for in linear time: state it as a further rule at character 1 of the pattern"
            ),
            (
                "(?<!b)",
                "look-around cannot be searched for in linear time: state it as a further rule at character 0 of the pattern"
            ),
            (#"(a)\1"#, "back-references cannot be searched for in linear time at character 3 of the pattern"),
            (#"(?<n>a)\k<n>"#, "back-references cannot be searched for in linear time at character 7 of the pattern"),
            ("^(abc]", "'(' without its closing bracket at character 1 of the pattern"),
            ("a)", "')' without its opening bracket at character 1 of the pattern"),
            ("[a", "'[' without its closing bracket at character 0 of the pattern"),
            ("a**", "'*' with nothing to repeat at character 2 of the pattern"),
            ("+a", "'+' with nothing to repeat at character 0 of the pattern"),
            ("{2}", "'{' with nothing to repeat at character 0 of the pattern"),
            ("a{3,2}", "a repetition's limits are in the wrong order at character 1 of the pattern"),
            ("[z-a]", "a range out of order at character 2 of the pattern"),
            (#"\Aabc"#, #"'\A' has no meaning in ECMAScript at character 0 of the pattern"#),
            (#"x\Z"#, #"'\Z' has no meaning in ECMAScript at character 1 of the pattern"#),
            (#"\a"#, #"'\a' has no meaning in ECMAScript at character 0 of the pattern"#),
            (#"\uD83D"#, "half of a surrogate pair matches no text at character 0 of the pattern"),
            (#"\u{110000}"#, #"\u is not followed by the number of a character at character 0 of the pattern"#),
            (#"a\"#, "a backslash at the end at character 1 of the pattern"),
            (
                #"\p{Emoji}"#,
                #"\p{Emoji} is not supported: known are general categories and scripts at character 0 of the pattern"#
            ),
            ("(?i)a", "unknown kind of group: known are (?:...) and (?<name>...) at character 0 of the pattern"),
            ("a{100001}", "a repetition of more than 100000 at character 1 of the pattern"),
            (#"\01"#, "an octal escape at character 0 of the pattern"),
        ] {
            XCTAssertThrowsError(try Pattern(ecmaScript: text), text) {
                XCTAssertEqual(($0 as? PatternError)?.description, expected, text)
            }
        }
        XCTAssertThrowsError(try Pattern(ecmaScript: String(repeating: "(", count: 100_000)))
        XCTAssertThrowsError(try Pattern(ecmaScript: "(((((.{900}){900}){900}){900}){900}"))
        XCTAssertThrowsError(try Pattern(ecmaScript: #"\p{Script=Elvish}"#))
        XCTAssertThrowsError(try Pattern(ecmaScript: "((((a{99999}){99999}){99999}){99999}){99999}"))
        XCTAssertThrowsError(try Pattern(ecmaScript: "((((){2000}){2000}){2000}){2000}{2000}"))
        XCTAssertThrowsError(try Pattern(ecmaScript: "(?:(?:(?:(?:(?:){1000}){1000}){1000}){1000})"))
        XCTAssertThrowsError(try Pattern(re2: "a(")) { XCTAssertEqual("\($0)", "missing ): a(") }
    }

    func testRE2PatternsAreTakenAsTheyAre() throws {
        let pattern = try Pattern(re2: #"(?i)^h[éa]llo\z"#)
        XCTAssertTrue(pattern.matches("HÉLLO"))
        XCTAssertFalse(pattern.matches("hello"))
        XCTAssertTrue(try Pattern(re2: "").matches(""))
    }

    func testPatternsThatExplodeElsewhereTakeLinearTime() throws {
        let text = String(repeating: "a", count: 200_000) + "!"
        for pattern in ["^(a+)+$", "^(a|aa)+$", "^(a*)*b", "(x+x+)+y", "^(.*a){12}$"] {
            XCTAssertFalse(matches(try Pattern(ecmaScript: pattern), text), pattern)
        }
    }

    func testCommonPatternsHaveAnAutomaton() throws {
        for text in ["^ORD-[0-9]{8}-[0-9]+$", "^[A-Z]{3}$", #"^\d+(\.\d{1,2})?$"#, "^[^@]+@[^@]+$", "^(a|b|c)+$"] {
            XCTAssertTrue(try Pattern(ecmaScript: text).hasAutomaton, text)
        }
        for text in [#"\bx"#, #"\p{L}"#, "a[ab]{10}c", "x{3000}"] {
            XCTAssertFalse(try Pattern(ecmaScript: text).hasAutomaton, text)
        }
    }

    func testBothEnginesAgreeOnRandomPatterns() throws {
        var random = SeededRandom(seed: 99)
        var compiled = 0
        for _ in 0..<800 {
            let text = pattern(&random, depth: 0)
            guard let pattern = try? Pattern(ecmaScript: text) else { continue }
            compiled += 1
            for _ in 0..<20 {
                let subject = String(
                    (0..<random.below(9)).map { _ in ["a", "b", "c", "-", "\n", "1"][random.below(6)] }.joined())
                _ = matches(pattern, subject)
            }
        }
        XCTAssertGreaterThan(compiled, 500)
    }

    private func pattern(_ random: inout SeededRandom, depth: Int) -> String {
        let atoms = ["a", "b", "c", ".", "[ab]", "[^a]", #"\d"#, #"\w"#, #"\s"#, "^", "$", "-", "", "[a-c1]"]
        switch depth > 3 ? 0 : random.below(8) {
        case 0, 1, 2: return atoms[random.below(atoms.count)]
        case 3: return "(" + pattern(&random, depth: depth + 1) + "|" + pattern(&random, depth: depth + 1) + ")"
        case 4:
            let repeats = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"]
            return "(?:" + pattern(&random, depth: depth + 1) + ")" + repeats[random.below(repeats.count)]
        default: return pattern(&random, depth: depth + 1) + pattern(&random, depth: depth + 1)
        }
    }
}
