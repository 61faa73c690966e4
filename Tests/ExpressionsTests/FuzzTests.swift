import Expressions
import JSON
import TestSupport
import XCTest

/// Hostile input ends in a value or an error: no trap, no hang, bounded memory.
final class FuzzTests: XCTestCase {
    private static let seeds = [
        #"regions[?customer_id.split("-")[?1].orValue("").lowerAscii()].orValue("ca")"#,
        "(decimal(amount) * rates[region]).round(2)",
        #"[1, 2u, 3.5e-2, "a\u00e9\n", b'\xff', r'\d', '''x''', {"k": [null, true]}]"#,
        "has(a.b) && !x || y ? -1 : 0x1F",
        "a.?b[?0].orValue(c).map(i, v, i + v).filter(x, x in [1])", "cel.bind(x, 5, x * x) % 7 - 3 / 2",
        "{?'a': x.?y, `b`: 1}",
        "timestamp('2025-01-13T15:00:00Z') + duration('1h') - now()", "'%s %d %.3f %x'.format(['a', 1, 1.5, b'a'])",
        "google.protobuf.Value{string_value: 'a'}", "x.exists_one(e, e.matches('^a+$'))",
        "sets.contains([1], [2]) || math.greatest(1, 2) > 3",
        "'abc'.substring(1, 2).replace('b', 'x').indexOf('x', 0)", "[3, 1].sort().slice(0, 1).flatten(9).sum()",
        "base64.decode('aGk=')",
    ]
    private static let pieces = [
        "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "==", "!=", "<", "&&", "||",
        " in ", "\"", "'", "\\", "`", "0x", "1e", "9223372036854775808",
        "u", "b'", "r\"", "\n", "//", "é", "\u{1F600}", "\u{0}", ".map(x, x)", ".all(x, x)", "[?", ".?", "null",
        "size(", "9", "'a'", "x", "-9223372036854775808", "{}", "[]",
        "lists.range(1000000)", ".padStart(1000000, 'x')", ".padStart(-9223372036854775808, 'x')",
        ".charAt(-9223372036854775808)", ".slice(-9223372036854775808, 9223372036854775807)",
        ".split('a', -9223372036854775808)", ".round(-9223372036854775808)", "* 9223372036854775807", "1.0/0.0",
        "duration('-292y')",
        "optional.none()", ".value()", "decimal('9e37')",
    ]

    private static func mutate(_ source: String, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(source.utf8)
        for _ in 0...random.below(4) {
            let place = random.below(bytes.count + 1)
            switch random.below(5) {
            case 0: bytes.insert(contentsOf: pieces[random.below(pieces.count)].utf8, at: place)
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(6)))
            case 2: bytes.insert(UInt8(random.below(256)), at: place)
            case 3:
                let other = Array(seeds[random.below(seeds.count)].utf8)
                let start = random.below(other.count)
                bytes.insert(contentsOf: other[start..<min(other.count, start + 1 + random.below(20))], at: place)
            default:
                let start = random.below(bytes.count + 1)
                let end = min(bytes.count, start + random.below(12))
                bytes.insert(contentsOf: Array(bytes[start..<end]), at: place)
            }
        }
        return bytes
    }

    func testExpressions() throws {
        var random = Fuzz.random()
        var environment = Environment()
        environment.declareOpenRecord()
        environment.limits.cost = 20_000
        for (name, type) in [
            ("regions", ValueType.map(key: .string, value: .string)), ("rates", .map(key: .string, value: .decimal)),
            ("x", .dyn), ("region", .string),
        ] {
            environment.declare(name, type)
        }
        let context = EvaluationContext(environment)
        context.set("regions", ["eu": "e"])
        context.set("rates", ["eu": .int(1)])
        context.set("x", [1, "a", [2.5], .null])
        context.set("region", "eu")
        let record = Array(#"{"customer_id":"C-EU","amount":"1.5","a":{"b":[1,{"c":null}]},"y":true,"c":-0.0}"#.utf8)
        let output = OutputBuffer()
        var compiled = 0
        let count = Fuzz.inputs(otherwise: 100_000)
        try record.withUnsafeBytes { bytes in
            try context.read(bytes)
            for round in 0..<count {
                let seed = Self.seeds[round % Self.seeds.count]
                let source = String(decoding: Self.mutate(seed, &random), as: UTF8.self)
                guard let expression = try? environment.compile(source) else { continue }
                compiled += 1
                context.begin()
                output.removeAll()
                _ = try? expression.writeJSON(in: context, to: output)
            }
        }
        XCTAssertGreaterThan(compiled, count / 100)
    }

    func testBatchLines() {
        var random = Fuzz.random()
        let batch = BatchEvaluation()
        let output = OutputBuffer()
        let lines = [
            #"{"expr":"x + y","vars":{"x":"int","y":"list(int)"},"bindings":{"x":{"type":"int","value":"5"},"y":[1,2]},"container":"a.b"}"#,
            #"{"expr":"m['a'].b + t","vars":{"m":"map(string, dyn)","t":"timestamp"},"bindings":{"m":{"a":{"b":1.5}},"t":"2025-01-01T00:00:00Z"}}"#,
            #"{"expr":"d","bindings":{"d":{"type":"map","value":[[{"type":"int","value":"1"},{"type":"bytes","value":"/w=="}]]}}}"#,
        ]
        let record = JSONRecord()
        for round in 0..<Fuzz.inputs(otherwise: 30_000) {
            let line = Self.mutate(lines[round % lines.count], &random)
            output.removeAll()
            line.withUnsafeBytes { batch.answer($0, into: output) }
            XCTAssertNoThrow(try record.read(output.bytes), String(decoding: line, as: UTF8.self))
            XCTAssertEqual(record.root.count, 1)
        }
    }

    func testTypesAndTimes() {
        var random = Fuzz.random()
        let types = ["map(string, list(optional_type(int)))", "google.protobuf.Timestamp", "list(list(list(dyn)))"]
        for round in 0..<Fuzz.inputs(otherwise: 20_000) {
            _ = ValueType(String(decoding: Self.mutate(types[round % types.count], &random), as: UTF8.self))
        }
        let context = EvaluationContext(Environment())
        for text in [
            "1h2m3.5s", "-292y", "999999999999999999999h", ".s", "1.s", "--1s", "1.99999999999999999999999ns",
            "9223372036.854775807s", "-9223372036.854775808s",
        ] {
            _ = try? Environment().compile("duration('\(text)')").evaluate(in: context)
        }
    }
}
