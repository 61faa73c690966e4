import Expressions
import JSON
import XCTest

/// Compiled code and the general evaluator yield the same at the edges: every shape that has code of its own, over every value that
/// may be special to it.
final class EdgeAgreementTests: XCTestCase {
    /// Numbers as records have them.
    private static let numbers = [
        "0", "-0", "-0.0", "0e999", "1", "-1", "5", "5.0", "0.5", "1.50", "1E+2", "1e3", "0.1e1", "12345678",
        "-12345678", "123456789",
        "0.0000001", "99999.99", "999999.99", "1000000.0", "9007199254740993", "9007199254740993.0", "4294967296.5",
        "4294967297",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999", "170141183460469231731687303715884105727",
        "-170141183460469231731687303715884105728", "0.00000000000000000000000000000000000001", "1e38", "1e-38", "1e39",
        "1e400",
        "-1e400", "1e-400", "1" + String(repeating: "0", count: 60), "0." + String(repeating: "0", count: 60) + "1",
        "1." + String(repeating: "0", count: 60), "2.675", "0.125", "-0.005",
    ]

    /// Strings: of numbers, of times, of letters in one code point and in two, with escapes, empty, short and long.
    private static let strings =
        (numbers + [
            "", "+5", " 5", "5 ", ".5", "5.", "1e", "0x10", "NaN", "Infinity", "00012.50", "١", "eu", "EU", "eu-",
            "-eu", "-", "--",
            "a-b-c", "A-ü-C", "é", "e\u{301}", "É", "ß", "😀", "😀-é", "\u{FFFF}", "\u{10FFFF}", "[`{@",
            "abcdefghijklmnop",
            "abcdefghijklmnopq", "abcdefghXjklmnopq", "abcdefghijklmnoq", "abcdefgh", "abcdefgi",
            String(repeating: "lang-é", count: 12),
            "true", "null",
            "2025-01-13T15:00:00Z", "2025-01-13T15:00:00.5+02:00", "2025-01-13t15:00:00z", "2016-12-31T23:59:60Z",
            "2025-02-29T00:00:00Z", "2024-02-29T23:59:59.999999999-23:59", "0001-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-00:01",
            "1969-12-31T23:59:59.9995Z",
            "1970-01-01T00:00:00.0000000001Z", "2025-01-13 15:00:00Z", "2025-01-13T15:00:00", "2025-01-13T24:00:00Z",
        ]).map { "\"\($0)\"" }
        + [#""\u0065u""#, #""\u0000""#, #""a\"b""#, #""\ud83d\ude00""#, #""2025-01-13T15:00:00\u005a""#, #""1\u0030""#]

    private static let others = ["null", "true", "false", "[]", "{}", #"["eu"]"#, #"{"a":"eu"}"#, #"{"a":5}"#]
    private static let values = numbers + strings + others

    private static let comparisons = ["==", "!=", "<", "<=", ">", ">="]

    private func environment(_ type: ValueType) -> Environment {
        var environment = Environment()
        let inner = ObjectType(name: "inner", fields: [.init("x", type)])
        environment.declareRecord(
            ObjectType(name: "record", fields: [.init("x", type), .init("y", type), .init("nested", .object(inner))]))
        environment.declare("names", .map(key: .string, value: .string))
        environment.declare("rates", .map(key: .string, value: .decimal))
        environment.declare("counts", .map(key: .string, value: .int))
        environment.declare("weights", .map(key: .string, value: .double))
        environment.declare("mixed", .map(key: .string, value: .dyn))
        environment.define(
            "known", .list(["eu", "é", "abcdefghijklmnop", "abcdefghijklmnopq", ""]), type: .list(.string))
        return environment
    }

    private func context(_ environment: Environment) throws -> EvaluationContext {
        let context = EvaluationContext(environment)
        context.set(
            "names", ["eu": "Europa", "": "", "é": "\u{0}", "abcdefghijklmnop": "16", "abcdefghijklmnopq": "17"])
        context.set(
            "rates",
            [
                "eu": .decimal(try XCTUnwrap(Decimal("0.21"))), "": .decimal(try XCTUnwrap(Decimal("1e38"))),
                "é": .decimal(try XCTUnwrap(Decimal("-0.00"))), "5": 5,
            ])
        context.set("counts", ["eu": .int(.max), "": .int(.min), "é": 0, "5": "5"])
        context.set("weights", ["eu": .double(.nan), "": .double(.infinity), "é": .double(-0.0), "5": 5])
        context.set("mixed", ["eu": "text", "": 5, "é": .null])
        return context
    }

    /// Every expression over every record, each in all the ways that an expression is asked.
    private func compare(
        _ type: ValueType, _ sources: [String], _ records: [String], specialised: Bool = true, line: UInt = #line
    ) throws {
        let environment = environment(type)
        let context = try context(environment)
        var succeeded = 0
        for source in sources {
            let expression: Expressions.Expression
            do { expression = try environment.compile(source) } catch {
                XCTFail("\(source): \(error)", line: line)
                continue
            }
            if specialised { XCTAssertTrue(expression.isSpecialised, source, line: line) }
            for record in records {
                try Array(record.utf8).withUnsafeBytes { bytes in
                    try context.read(bytes)
                    context.now = Instant("2025-01-13T15:00:01Z")
                    var expected: Value?
                    var failure = ""
                    do { expected = try expression.evaluateGenerally(in: context) } catch { failure = "\(error)" }
                    if expected != nil { succeeded += 1 }
                    let found = answers(expression, in: context)
                    let wanted = answers(expected, failure, of: expression)
                    XCTAssertEqual(found, wanted, "\(source) over \(record)", line: line)
                }
            }
        }
        XCTAssertGreaterThan(succeeded, sources.count, line: line)
    }

    /// By the evaluator, as JSON, and as a key.
    private func answers(_ expression: Expressions.Expression, in context: EvaluationContext) -> [String] {
        [
            text { () throws(EvaluationError) in
                let output = OutputBuffer()
                try expression.evaluate(in: context).writeTyped(to: JSONWriter(output))
                return String(decoding: output.bytes, as: UTF8.self)
            },
            // Doubles have no writer of their own.
            expression.type == .double
                ? ""
                : text { () throws(EvaluationError) in
                    let output = OutputBuffer()
                    try expression.writeJSON(in: context, to: output)
                    return String(decoding: output.bytes, as: UTF8.self)
                },
            expression.type == .string
                ? text { () throws(EvaluationError) in
                    let output = OutputBuffer()
                    try expression.writeBytes(in: context, to: output)
                    return String(decoding: output.bytes, as: UTF8.self)
                } : "",
        ]
    }

    private func answers(_ value: Value?, _ failure: String, of expression: Expressions.Expression) -> [String] {
        guard let value else {
            return [failure, expression.type == .double ? "" : failure, expression.type == .string ? failure : ""]
        }
        let typed = OutputBuffer()
        value.writeTyped(to: JSONWriter(typed))
        let text = String(decoding: typed.bytes, as: UTF8.self)
        var json = ""
        do {
            guard expression.type != .double else { return [text, "", ""] }
            let output = OutputBuffer()
            try value.writeJSON(to: output)
            json = String(decoding: output.bytes, as: UTF8.self)
        } catch { json = "\(error)" }
        var key = ""
        if case .string(let text) = value, expression.type == .string { key = text.string }
        return [text, json, key]
    }

    private func text(_ body: () throws(EvaluationError) -> String) -> String {
        do { return try body() } catch { return error.description }
    }

    private static var single: [String] {
        ["{}", "[]", "5"] + values.flatMap { [#"{"x":\#($0)}"#, #"{"nested":{"x":\#($0)}}"#] }
    }

    private static func pairs(_ values: [String]) -> [String] {
        values.flatMap { left in values.map { #"{"x":\#(left),"y":\#($0)}"# } }
    }

    // MARK: Decimals

    private static let limits = [
        "decimal('0')", "decimal('-0.0')", "decimal('0.01')", "decimal('999999.99')", "decimal('5.000')", "5", "-1",
        "9223372036854775807",
        "decimal('1e38')", "decimal('170141183460469231731687303715884105727')",
        "decimal('0.00000000000000000000000000000000000001')", "decimal('4294967296.50')", "decimal('4294967297')",
    ]

    func testLimitsOfDecimals() throws {
        for (type, operand) in [(ValueType.decimal, "x"), (.dyn, "decimal(x)")] {
            var sources: [String] = []
            for comparison in Self.comparisons {
                for limit in Self.limits {
                    sources.append("\(operand) \(comparison) \(limit)")
                    sources.append("\(limit) \(comparison) \(operand)")
                    sources.append("\(operand) >= decimal('0.01') && \(operand) \(comparison) \(limit)")
                    sources.append("\(operand) \(comparison) \(limit) || has(x)")
                }
            }
            try compare(type, sources, Self.single)
        }
        try compare(
            .string, Self.comparisons.flatMap { comparison in Self.limits.map { "decimal(x) \(comparison) \($0)" } },
            Self.single)
    }

    func testArithmeticOfDecimals() throws {
        let operands = [
            "x", "nested.x", "decimal('-0.5')", "decimal('1e38')",
            "decimal('0.00000000000000000000000000000000000001')", "3",
        ]
        var sources: [String] = []
        for sign in ["+", "-", "*", "/"] {
            for operand in operands {
                sources.append("x \(sign) \(operand)")
                sources.append("\(operand) \(sign) x")
                sources.append("string(x \(sign) \(operand))")
            }
        }
        for scale in [-39, -38, -3, 0, 2, 18, 19, 38, 39] {
            sources.append("x.round(\(scale))")
            for mode in ["half_even", "half_up", "half_down", "up", "down", "ceiling", "floor"] {
                sources.append("x.round(\(scale), '\(mode)')")
            }
        }
        sources += ["x == 5 ? x : decimal('1')", "string(x)", "decimal(x)"]
        try compare(.decimal, sources, Self.single)
        try compare(
            .decimal, ["x + y", "x - y", "x * y", "x / y", "x == y", "x < y", "x >= y"], Self.pairs(Self.numbers))
        try compare(.dyn, ["decimal(x)", "decimal(nested.x)", "decimal(x) + 1"], Self.single)
        try compare(.string, ["decimal(x)", "decimal(nested.x)", "decimal(x + '')", "decimal(x + '0')"], Self.single)
        try compare(.int, ["decimal(x)", "decimal(x) * x", "string(decimal(x))", "x + decimal('0.5')"], Self.single)
    }

    // MARK: Integers and doubles

    func testIntegers() throws {
        let operands = ["0", "-1", "7", "9223372036854775807", "-9223372036854775808", "x", "nested.x"]
        var sources: [String] = []
        for sign in ["+", "-", "*", "/", "%"] + Self.comparisons {
            for operand in operands {
                sources.append("x \(sign) \(operand)")
                sources.append("\(operand) \(sign) x")
            }
        }
        sources += [
            "string(x)", "double(x)", "x in [1, 5, -1]", "double(x) == 9007199254740993.0", "x == 5 ? x : -x + 0",
            "x in [9223372036854775807, 0]",
        ]
        sources.removeAll { $0.contains("-x") }
        try compare(.int, sources, Self.single)
        try compare(.int, ["x + y", "x - y", "x * y", "x / y", "x % y", "x < y", "x == y"], Self.pairs(Self.numbers))
    }

    func testDoubles() throws {
        let operands = [
            "0.0", "-0.0", "1.5", "1e308", "(0.0 / 0.0)", "(1.0 / 0.0)", "9007199254740993.0", "x", "nested.x",
        ]
        var sources: [String] = []
        for sign in ["+", "-", "*", "/"] + Self.comparisons {
            for operand in operands {
                sources.append("x \(sign) \(operand)")
                sources.append("\(operand) \(sign) x")
            }
        }
        try compare(.double, sources, Self.single)
        try compare(.double, ["x + y", "x / y", "x < y", "x == y", "x != y", "x >= y"], Self.pairs(Self.numbers))
    }

    func testAnythingAgainstNumbers() throws {
        let constants = [
            "0", "5", "-1", "9007199254740992", "9007199254740993", "9223372036854775807", "-9223372036854775808",
            "0.0", "-0.0", "5.0",
            "0.5", "1e308", "9007199254740992.0", "9223372036854775807.0",
        ]
        try compare(
            .dyn,
            Self.comparisons.flatMap { comparison in
                constants.flatMap { ["x \(comparison) \($0)", "nested.x \(comparison) \($0)"] }
            },
            Self.single)
    }

    // MARK: Strings

    func testStrings() throws {
        let constants = [
            "'eu'", "''", "'é'", "'e\\u0301'", "'abcdefghijklmnop'", "'abcdefghijklmnopq'", "'5'", "'\\u0000'", "x",
            "nested.x",
        ]
        var sources: [String] = []
        for constant in constants {
            for comparison in Self.comparisons { sources.append("x \(comparison) \(constant)") }
            for name in ["startsWith", "endsWith", "contains"] {
                sources.append("x.\(name)(\(constant))")
                sources.append("\(constant).\(name)(x)")
            }
            sources += ["x + \(constant)", "\(constant) + x + x", "x + x + \(constant) + x"]
        }
        for separator in ["-", "--", "é", "eu", "abc"] {
            for number in ["0", "1", "3", "9223372036854775807"] {
                sources.append("x.split('\(separator)')[\(number)]")
                sources.append("x.split('\(separator)')[?\(number)].orValue('none')")
            }
        }
        for fill in ["0", "é", "-"] {
            for width in [0, 1, 5, 40, 1_024] { sources.append("x.padStart(\(width), '\(fill)')") }
        }
        sources.removeAll { $0.contains("'é')") && $0.contains("padStart") }
        sources += [
            "x.lowerAscii()", "x.upperAscii()", "size(x)", "x.codepoints().sum()", "string(x)", "x in known",
            "nested.x in known",
            "x in ['eu']", "x in ['']", "(x + '') in known", "x.matches('^[a-z]+(-|$)')", "x.matches('')",
            "x.matches('é')", "x == 'eu' ? x : 'other'", "names[x]", "names[?x].orValue('none')", "rates[x]",
            "counts[x]", "weights[x]",
            "x in names", "x in mixed", "rates[x] * 2", "counts[x] + 1", "weights[x] == weights[x]", "string(rates[x])",
            "has(x)", "has(nested.x)", "has(x) && x == 'eu'", "size(x) > 3 || x == 'eu'", "!(x == 'eu')",
        ]
        try compare(.string, sources, Self.single)
        try compare(
            .string, ["x + y", "x == y", "x < y", "x >= y", "x.contains(y)", "x.startsWith(y)", "x.endsWith(y)"],
            Self.pairs(Self.strings))
    }

    func testAnythingAgainstStrings() throws {
        let sources = [
            "x == 'eu'", "x != 'eu'", "nested.x == ''", "x == 'é'", "x in known", "x in ['eu']", "nested.x in known",
            "has(x)",
            "has(nested.x)", "has(x.a)", "x.a == 'eu'", "x.a == 5", "x.a != 5.0", "x.a < 7", "x.a in known",
        ]
        try compare(.dyn, sources, Self.single)
        try compare(.nullable(.string), ["x == 'eu'", "x != 'eu'", "nested.x == ''", "nested.x != 'é'"], Self.single)
    }

    func testTruthValues() throws {
        let sources = [
            "x && nested.x", "x || nested.x", "!x || x", "x == true", "x != false", "x == nested.x", "x ? 1 : 2",
            "x ? 'a' : 'b'", "has(x) && x",
            "x || has(nested.x)",
        ]
        let both = Self.others.flatMap { left in Self.others.map { #"{"x":\#(left),"nested":{"x":\#($0)}}"# } }
        try compare(.bool, sources, Self.single + both)
    }

    // MARK: Times

    func testTimes() throws {
        let spans = ["1ns", "1500us", "-1.5s", "24h", "2562047h", "-2562047h", "0s"]
        let times = [
            "'1970-01-01T00:00:00Z'", "'9999-12-31T23:59:59.999999999Z'", "'0001-01-01T00:00:00Z'",
            "'2025-01-13T15:00:00.5Z'",
        ]
        func sources(_ x: String) -> [String] {
            var sources = [x + " + duration('0s')", "now() - \(x)", "milliseconds(now() - \(x))"]
            for span in spans {
                sources.append("\(x) + duration('\(span)')")
                sources.append("\(x) - duration('\(span)')")
                for comparison in Self.comparisons { sources.append("now() - \(x) \(comparison) duration('\(span)')") }
            }
            for time in times {
                for comparison in Self.comparisons { sources.append("\(x) \(comparison) timestamp(\(time))") }
                sources.append("milliseconds(\(x) - timestamp(\(time)))")
                sources.append("timestamp(\(time)) - \(x)")
            }
            return sources
        }
        try compare(.timestamp, sources("x") + sources("nested.x") + ["x"], Self.single)
        try compare(.string, sources("timestamp(x)"), Self.single)
        try compare(.dyn, sources("timestamp(x)") + ["timestamp(nested.x)"], Self.single)
        try compare(.timestamp, ["x - y", "milliseconds(x - y)", "x == y", "x < y"], Self.pairs(Self.strings))
    }
}
