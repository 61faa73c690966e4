import Expressions
import JSON
import StreamKit
import StreamKitRules
import TestSupport
import XCTest

/// Fields written behind the copied record, and fields put in by a splice, come to the same.
final class ComputedFieldsTests: XCTestCase {
    /// Of every kind: read by others, with names to be escaped, left to the general evaluator, absent, refused now and then.
    private let yaml = #"""
        record:
          id: string
          amount: dyn
          at: string
          note: string
          count: int
        fields:
          region: names[?id.split("-")[?1].orValue("").lowerAscii()].orValue("ca")
          tax: string((decimal(amount) * rates[region]).round(2))
          size: 'decimal(amount) < decimal("50") ? "small" : decimal(amount) <= 500 ? "medium" : "large"'
          merchant: '"M-" + region.upperAscii() + "-" + string(id.codepoints().sum() % 100).padStart(3, "0")'
          seen: now()
          age: milliseconds(now() - timestamp(at))
          "qu\"ote\\\n": note + "!"
          größe: '[region, note]'
          a_name_that_is_longer_than_any_block_of_bytes_that_is_copied: count + 1
          maybe: names[?note]
          quoted: '"<" + region + "|" + note + ">"'
          half: double(count) / 2.0
        """#

    private func fields() throws -> (declarations: RuleDeclarations, fields: [ComputedField]) {
        try read(yaml) { settings in
            var declarations = RuleDeclarations(settings)
            declarations.declare("names", .map(key: .string, value: .string))
            declarations.declare("rates", .map(key: .string, value: .decimal))
            let fields = declarations.computedFields(settings, "fields")
            return (declarations, fields)
        }
    }

    private func context(_ declarations: RuleDeclarations, _ duplicates: DuplicateKeys) throws -> EvaluationContext {
        let context = EvaluationContext(declarations.environment, record: JSONRecord(duplicateKeys: duplicates))
        context.set("names", ["us": "us", "uk": "uk", "ü": "é", "x": "a\"b\\c", "": "\n"])
        let (small, large) = (try XCTUnwrap(Decimal("0.08")), try XCTUnwrap(Decimal("12345678901234567890.5")))
        context.set(
            "rates", ["us": .decimal(small), "uk": .decimal(large), "ca": .decimal(small), "é": .decimal(.zero)])
        return context
    }

    private func record(_ random: inout SeededRandom) -> String {
        if random.below(40) == 0 { return random.pick(["{}", " { } ", "[]", "5", "null", #""x""#, "[{}]"]) }
        let ids = [
            "CUST-US-001", "C-uk-2", "C-ü", "C", "", "C-X-1", "C--", #"C\u002dus"#, "CUST-FR-00000000000000000001",
        ]
        let notes = [
            "", "us", "x", "plain text", "é😀", #"a \"quoted\" one"#, "a longer text than fits any of the words",
        ]
        let times = [
            "2025-01-13T15:30:45.123Z", "2025-01-13T15:30:45Z", "2024-02-29T00:00:00.5+02:00", "yesterday", "",
        ]
        let amounts = [
            #""149.99""#, "49.999", #""500""#, "500.01", "1e3", #""-0.5""#, #""x""#, "null", "123456789012.25", "0",
            "[1]",
        ]
        func quoted(_ text: String) -> String { "\"\(text)\"" }
        var members: [(String, String)] = []
        func add(_ name: String, _ value: String) { if random.below(30) > 0 { members.append((name, value)) } }
        add("id", quoted(random.pick(ids)))
        add("amount", random.pick(amounts))
        add("at", quoted(random.below(8) > 0 ? times[0] : random.pick(times)))
        add("note", quoted(random.pick(notes)))
        add("count", random.pick(["1", "-7", "9223372036854775807", "3"]))
        if random.below(3) == 0 {
            // Fields that are there already, one by a name with an escape; within objects they are others.
            for _ in 0...random.below(3) {
                let name = random.pick([
                    "region", #"\u0072egion"#, "tax", "größe", "maybe", "size", "other", #"qu\"ote\\\n"#, "half",
                ])
                let value = random.pick(["1", #""old""#, #"{"region":[1,{"tax":2}]}"#, "null", "[]"])
                members.insert((name, value), at: random.below(members.count + 1))
            }
        }
        if random.below(4) == 0 { members.append(("nested", #"{"region":"us","tax":{"size":1}}"#)) }
        let space = random.pick(["", "", " ", "\n  "])
        let text = members.map { "\"\($0)\":\(space)\($1)" }.joined(separator: "," + space)
        return "{" + space + text + space + "}" + random.pick(["", "", " \n"])
    }

    /// The text, or why there is none.
    private func outcome(_ body: () throws(Refusal) -> Bytes) -> String {
        do { return String(decoding: try body(), as: UTF8.self) } catch { return "refused: \(error)" }
    }

    private func assertAgreement(_ duplicates: DuplicateKeys, _ names: [String]? = nil) throws -> (
        appended: Int, spliced: Int
    ) {
        let (declarations, all) = try fields()
        let chosen = names.map { names in all.filter { names.contains($0.name) } } ?? all
        let context = try context(declarations, duplicates)
        let (quick, whole) = (ComputedFields(chosen, context: context), ComputedFields(chosen, context: context))
        let check = JSONRecord()
        var random = Fuzz.random()
        var counts = (appended: 0, spliced: 0)
        for _ in 0..<Fuzz.inputs(otherwise: 20_000) {
            let text = record(&random)
            try Array(text.utf8).withUnsafeBytes { bytes in
                guard (try? context.read(bytes)) != nil else { return }
                context.now = Instant("2025-01-13T16:00:00.25Z")
                let first = outcome { () throws(Refusal) in try quick.compute() }
                // Anew: what the first way bound must not help the second.
                try context.read(bytes)
                context.now = Instant("2025-01-13T16:00:00.25Z")
                let second = outcome { () throws(Refusal) in try whole.computeBySplice() }
                XCTAssertEqual(first, second, text)
                guard !first.hasPrefix("refused"), duplicates == .refused else { return }
                try Array(first.utf8).withUnsafeBytes { output in
                    try check.read(output)
                    XCTAssertGreaterThanOrEqual(
                        check.root.members.reduce(0) { count, _ in count + 1 }, chosen.count - 1)
                    check.clear()
                }
                if first.hasPrefix(text.prefix(while: { $0 != "}" })) {
                    counts.appended += 1
                } else {
                    counts.spliced += 1
                }
            }
        }
        return counts
    }

    func testBothWaysAgree() throws {
        let counts = try assertAgreement(.refused)
        XCTAssertGreaterThan(counts.appended, 1_000)
        XCTAssertGreaterThan(counts.spliced, 100)
    }

    func testBothWaysAgreeWhereTheLastOfTwoKeysCounts() throws { _ = try assertAgreement(.lastWins) }

    /// With fewer fields, fewer records are refused.
    func testBothWaysAgreeAboutFewFields() throws {
        for names in [["region", "maybe"], ["maybe"], ["size", "seen"], ["größe", "qu\"ote\\\n"], []] {
            _ = try assertAgreement(.refused, names)
        }
    }

    /// What was computed from a value or by an expression outlives both, as long as the record is there.
    func testComputedTextOutlivesWhatItWasComputedFrom() throws {
        let (declarations, all) = try fields()
        let context = try context(declarations, .refused)
        let reader = try declarations.environment.compile("region")
        var computed: ComputedFields? = ComputedFields(all.filter { $0.name == "region" }, context: context)
        try Array(#"{"id":"C-uk-2"}"#.utf8).withUnsafeBytes { bytes in
            try context.read(bytes)
            _ = try computed?.compute()
            context.set("names", ["uk": "somewhere else"])
            computed = nil
            guard case .string(let text) = try reader.evaluate(in: context) else { return XCTFail("no text") }
            XCTAssertEqual(text, "uk")
            context.record.clear()
        }
    }
}
