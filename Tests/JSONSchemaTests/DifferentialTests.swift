import JSON
import JSONSchema
import TestSupport
import XCTest

/// Random schemas and instances, judged here and by the Python package `jsonschema`.
final class DifferentialTests: XCTestCase {
    private static let script = """
        import json, sys
        import jsonschema
        for line in sys.stdin:
            schema, instance = json.loads(line)
            try:
                valid = jsonschema.Draft202012Validator(schema).is_valid(instance)
                print("1" if valid else "0")
            except Exception as error:
                print("?", type(error).__name__)
        """

    func testVerdictsAgreeWithPython() throws {
        let peer = try PythonPeer("jsonschema", imported: "jsonschema")
        var random = SeededRandom(seed: 2020_12)
        var cases: [(schema: String, instance: String)] = []
        for _ in 0..<800 {
            let schema = RandomSchema.schema(&random, depth: 0)
            for _ in 0..<4 { cases.append((schema, RandomSchema.instance(&random, depth: 0))) }
        }
        let verdicts = try peer.answers(Self.script, to: cases.map { "[\($0.schema),\($0.instance)]" })
        XCTAssertEqual(verdicts.count, cases.count)
        var valid = 0
        var compared = 0
        for ((schema, instance), verdict) in zip(cases, verdicts) where verdict == "0" || verdict == "1" {
            // Python only stumbles over an endless schema where an instance leads into it.
            guard let validation = try? Validation(schema) else { continue }
            let isValid = try validation.isValid(instance)
            XCTAssertEqual(isValid, verdict == "1", "\(schema) on \(instance)")
            compared += 1
            if isValid { valid += 1 }
        }
        XCTAssertGreaterThan(compared, cases.count * 9 / 10)
        XCTAssertGreaterThan(valid, compared / 10)
        XCTAssertLessThan(valid, compared * 9 / 10)
    }
}

/// Schemas and instances from a small world, so that they often have to do with each other.
enum RandomSchema {
    private static let names = ["a", "b", "c", "ab"]
    private static let texts = [#""""#, #""a""#, #""ab""#, #""b1""#, #""é""#]
    private static let numbers = ["0", "1", "1.0", "2", "3", "-1", "1.5", "2.5", "10"]

    static func instance(_ random: inout SeededRandom, depth: Int) -> String {
        switch random.below(depth > 2 ? 6 : 10) {
        case 0: return random.pick(["null", "true", "false"])
        case 1, 2: return random.pick(numbers)
        case 3, 4, 5: return random.pick(texts)
        case 6, 7:
            return "[" + (0..<random.below(4)).map { _ in instance(&random, depth: depth + 1) }.joined(separator: ",")
                + "]"
        default:
            let keys = names.filter { _ in random.below(2) == 0 }
            return "{" + keys.map { "\"\($0)\":" + instance(&random, depth: depth + 1) }.joined(separator: ",") + "}"
        }
    }

    static func schema(_ random: inout SeededRandom, depth: Int) -> String {
        if depth > 3 || random.below(12) == 0 { return random.pick(["true", "true", "false", #"{"type":"string"}"#]) }
        var members: [String: String] = [:]
        for _ in 0..<(1 + random.below(4)) {
            let (keyword, value) = keyword(&random, depth: depth)
            members[keyword] = value
        }
        if depth == 0 {
            members["$defs"] = #"{"r":\#(schema(&random, depth: 3))}"#
        }
        return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private static func keyword(_ random: inout SeededRandom, depth: Int) -> (String, String) {
        func child() -> String { schema(&random, depth: depth + 1) }
        func list() -> String { "[" + (0...random.below(3)).map { _ in child() }.joined(separator: ",") + "]" }
        func map(_ keys: [String]) -> String {
            "{" + keys.filter { _ in random.below(2) == 0 }.map { "\"\($0)\":" + child() }.joined(separator: ",") + "}"
        }
        func some(_ values: [String]) -> String {
            "[" + values.filter { _ in random.below(2) == 0 }.joined(separator: ",") + "]"
        }
        let quoted = names.map { "\"\($0)\"" }
        switch random.below(30) {
        case 0, 1:
            return (
                "type",
                random.pick([
                    #""string""#, #""integer""#, #""object""#, #""array""#, #"["number","null"]"#, #""boolean""#,
                ])
            )
        case 2: return ("enum", some(texts + numbers + ["null", "[]", #"{"a":1}"#]))
        case 3: return ("const", instance(&random, depth: 1))
        case 4: return ("minimum", random.pick(numbers))
        case 5: return ("exclusiveMaximum", random.pick(numbers))
        case 6: return ("multipleOf", random.pick(["1", "2", "0.5"]))
        case 7: return ("minLength", random.pick(["0", "1", "2"]))
        case 8: return ("maxLength", random.pick(["0", "1", "2"]))
        case 9: return ("pattern", random.pick([#""^a""#, #""b$""#, #""[0-9]""#, #""^.$""#]))
        case 10: return ("items", child())
        case 11: return ("prefixItems", list())
        case 12: return ("contains", child())
        case 13: return ("minContains", random.pick(["0", "1", "2"]))
        case 14: return ("maxItems", random.pick(["0", "1", "2"]))
        case 15: return ("uniqueItems", "true")
        case 16, 17: return ("properties", map(names))
        case 18: return ("patternProperties", map(["^a", "b"]))
        case 19: return ("additionalProperties", child())
        case 20: return ("propertyNames", child())
        case 21: return ("required", some(quoted))
        case 22: return ("dependentRequired", #"{"a":\#(some(quoted))}"#)
        case 23: return ("dependentSchemas", map(names))
        case 24: return ("allOf", list())
        case 25: return random.below(2) == 0 ? ("anyOf", list()) : ("oneOf", list())
        case 26: return random.below(2) == 0 ? ("not", child()) : ("if", child())
        case 27: return random.below(2) == 0 ? ("then", child()) : ("else", child())
        case 28: return random.below(2) == 0 ? ("unevaluatedProperties", child()) : ("unevaluatedItems", child())
        default: return depth > 0 ? ("$ref", ##""#/$defs/r""##) : ("minProperties", "1")
        }
    }
}
