import Expressions
import JSON
import XCTest

/// Compiled code and the general evaluator yield the same, for expressions and records made at random.
final class AgreementTests: XCTestCase {
    private struct Generator {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }

        mutating func pick(_ choices: [String]) -> String { choices[below(choices.count)] }

        mutating func bool(_ depth: Int) -> String {
            guard depth > 0 else {
                return pick([
                    "flag", "true", "false", "has(text)", "dynamic == 5", "dynamic == 'eu'", "dynamic in ['eu', 'us']",
                    "nested.dynamic.a == 'eu'", "has(nested.text)", "has(dynamic.a)", "dynamic.a > 5",
                ])
            }
            let comparison = pick(["==", "!=", "<", "<=", ">", ">="])
            switch below(15) {
            case 0: return "(\(bool(depth - 1)) && \(bool(depth - 1)))"
            case 1: return "(\(bool(depth - 1)) || \(bool(depth - 1)))"
            case 2: return "!(\(bool(depth - 1)))"
            case 3: return "(\(int(depth - 1)) \(comparison) \(int(depth - 1)))"
            case 4: return "(\(double(depth - 1)) \(comparison) \(double(depth - 1)))"
            case 5: return "(\(decimal(depth - 1)) \(comparison) \(decimal(depth - 1)))"
            case 6: return "(\(text(depth - 1)) \(comparison) \(text(depth - 1)))"
            case 7: return "(\(time(depth - 1)) \(comparison) \(time(depth - 1)))"
            case 8: return "\(text(depth - 1)) in ['eu', 'us', 'a-b-c', '']"
            case 9: return "\(text(depth - 1)).\(pick(["startsWith", "endsWith", "contains"]))(\(text(depth - 1)))"
            case 10: return "\(text(depth - 1)) in names"
            case 12:
                // Limits of one amount, and of two.
                let amounts = ["decimal(dynamic)", "price"]
                let limits = ["decimal('0.01')", "decimal('12.5')", "5", "decimal('1e3')"]
                let first = pick(amounts)
                return "(\(first) \(comparison) \(pick(limits)) && "
                    + "\(below(3) == 0 ? pick(amounts) : first) \(pick(["<", "<=", "!="])) \(pick(limits)))"
            case 13: return "\(pick(["text", "word", "dynamic"])) in ['eu', 'a-b-c', '', 'CUST-EU-7', 'ÄÖ-é-😀', '5']"
            case 11: return "dynamic \(comparison) \(pick(["5", "1.5", "-3"]))"
            default: return "\(text(depth - 1)).matches('^[a-z]+(-|$)')"
            }
        }

        mutating func int(_ depth: Int) -> String {
            guard depth > 0 else { return pick(["number", "0", "7", "-3", "9223372036854775807"]) }
            switch below(6) {
            case 0: return "(\(int(depth - 1)) \(pick(["+", "-", "*", "/", "%"])) \(int(depth - 1)))"
            case 1: return "size(\(text(depth - 1)))"
            case 2: return "\(text(depth - 1)).codepoints().sum()"
            case 3: return "milliseconds(\(time(depth - 1)) - \(time(depth - 1)))"
            case 4: return "(\(bool(depth - 1)) ? \(int(depth - 1)) : \(int(depth - 1)))"
            default: return "counts[\(text(depth - 1))]"
            }
        }

        mutating func double(_ depth: Int) -> String {
            guard depth > 0 else { return pick(["real", "0.0", "1.5", "-2.25e3"]) }
            switch below(3) {
            case 0: return "double(\(int(depth - 1)))"
            default: return "(\(double(depth - 1)) \(pick(["+", "-", "*", "/"])) \(double(depth - 1)))"
            }
        }

        mutating func decimal(_ depth: Int) -> String {
            guard depth > 0 else {
                return pick([
                    "decimal(dynamic)", "price", "decimal('1.05')", "decimal('-0.5')", "decimal(3)", "decimal(text)",
                ])
            }
            switch below(6) {
            case 0, 1: return "(\(decimal(depth - 1)) \(pick(["+", "-", "*", "/"])) \(decimal(depth - 1)))"
            case 2: return "\(decimal(depth - 1)).round(\(below(4)))"
            case 3: return "\(decimal(depth - 1)).round(\(below(4)), '\(pick(["up", "down", "half_up", "floor"]))')"
            case 4: return "rates[\(text(depth - 1))]"
            default: return "(\(bool(depth - 1)) ? \(decimal(depth - 1)) : \(decimal(depth - 1)))"
            }
        }

        mutating func text(_ depth: Int) -> String {
            guard depth > 0 else {
                return pick(["text", "nested.text", "'eu'", "'A-ü-C'", "''", "word", "text", "'12.5'"])
            }
            switch below(13) {
            case 9:
                // One text or another by limits of an amount, or of two.
                let amounts = ["decimal(dynamic)", "price"]
                let limits = ["decimal('0.01')", "decimal('12.5')", "5", "decimal('1e3')", "decimal('0.123456789')"]
                let limit = "\(pick(["<", "<=", ">", "!="])) \(pick(limits))"
                let other = "\(pick(["<", "=="])) \(pick(["decimal('12.50')", "5", "-3"]))"
                return "(\(pick(amounts)) \(limit) ? \(text(0)) : "
                    + "(\(pick(amounts)) \(other) ? \(text(0)) : \(text(depth - 1))))"
            case 10:
                // What merchants' numbers are made of.
                let before = pick(["M-", "", "a long prefix, longer than a block", "\\\""])
                let number = "string(\(int(depth - 1))).padStart(\(below(10)), '\(pick(["0", "0", " ", "\\\""]))')"
                return "('\(before)' + \(text(depth - 1)).upperAscii() + '-' + \(number))"
            case 11: return "string((\(decimal(0)) * \(decimal(depth - 1))).round(\(below(5))))"
            case 12: return "(\(text(0)) + '|' + \(text(0)) + \(text(0)) + \(text(0)) + \(pick(["'.'", "text"])))"
            case 0: return "(\(text(depth - 1)) + \(text(depth - 1)))"
            case 1: return "\(text(depth - 1)).lowerAscii()"
            case 2: return "\(text(depth - 1)).upperAscii()"
            case 3: return "\(text(depth - 1)).split('-')[?\(below(3))].orValue(\(text(depth - 1)))"
            case 4: return "\(text(depth - 1)).split('\(pick(["-", "eu", "ü"]))')[\(below(3))]"
            case 5: return "names[?\(text(depth - 1))].orValue(\(text(depth - 1)))"
            case 6: return "string(\(below(2) == 0 ? int(depth - 1) : decimal(depth - 1)))"
            case 7: return "\(text(depth - 1)).padStart(\(below(8)), '0')"
            default: return "(\(bool(depth - 1)) ? \(text(depth - 1)) : \(text(depth - 1)))"
            }
        }

        mutating func time(_ depth: Int) -> String {
            guard depth > 0 else {
                return pick([
                    "moment", "(moment - duration('5s'))", "timestamp('2025-01-01T00:00:00Z')", "timestamp(word)",
                    "now()",
                ])
            }
            return below(2) == 0 ? time(0) : "(\(time(depth - 1)) + duration('\(below(100))s'))"
        }

        mutating func expression() -> String {
            let depth = 1 + below(4)
            switch below(6) {
            case 0: return int(depth)
            case 1: return double(depth)
            case 2: return decimal(depth)
            case 3: return text(depth)
            case 4: return time(depth)
            default: return bool(depth)
            }
        }

        mutating func record() -> String {
            let strings = [
                #""eu""#, #""a-b-c""#, #""CUST-EU-7""#, #""\u0065u""#, #""ÄÖ-é-😀""#, #""""#, #""12.50""#, "null",
                #""2025-01-13T15:00:00Z""#, #""@AZ[`az{-xyZ""#, #""a--B-ccccccccc-D-""#, #""12345678""#,
                #""-1234567-""#,
                #""Quite a Long Text-With Capitals And-éäü In It""#, #""1234-67""#,
            ]
            let numbers = [
                "5", "-3", "0", "1.5", "1e3", "9223372036854775807", "18446744073709551615", "99999999999999999999",
                "\"x\"", "1.0",
            ]
            var members: [String] = []
            func add(_ name: String, _ value: String) { members.append("\"\(name)\":\(value)") }
            if below(20) > 0 { add("text", pick(strings)) }
            if below(20) > 0 { add("word", pick(strings)) }
            if below(20) > 0 { add("number", pick(numbers)) }
            if below(20) > 0 { add("real", pick(numbers)) }
            if below(20) > 0 { add("price", pick(numbers + strings)) }
            if below(20) > 0 {
                add("dynamic", pick(numbers + strings + ["[1]", "{}", "true", #"{"a":6}"#, #"{"a":"eu"}"#]))
            }
            if below(20) > 0 { add("flag", pick(["true", "false", "true", "false", "1"])) }
            if below(20) > 0 {
                add("moment", pick([#""2025-01-13T15:00:00.5+02:00""#, #""9999-12-31T23:59:59Z""#, #""x""#]))
            }
            if below(20) > 0 {
                add(
                    "nested",
                    pick([
                        "{}", #"{"text":"eu"}"#, #"{"text":5,"dynamic":{"a":"eu"}}"#,
                        #"{"text":"a-b-c","dynamic":{"a":[]}}"#, "[]",
                    ]))
            }
            return "{\(members.joined(separator: ","))}"
        }
    }

    private func makeContext() throws -> (Environment, EvaluationContext) {
        var environment = Environment()
        environment.declareRecord(
            ObjectType(
                name: "record",
                fields: [
                    .init("text", .string), .init("word", .string), .init("number", .int), .init("real", .double),
                    .init("price", .decimal),
                    .init("dynamic", .dyn), .init("flag", .bool), .init("moment", .timestamp),
                    .init(
                        "nested",
                        .object(ObjectType(name: "nested", fields: [.init("text", .string), .init("dynamic", .dyn)]))),
                ]))
        environment.declare("names", .map(key: .string, value: .string))
        environment.declare("rates", .map(key: .string, value: .decimal))
        environment.declare("counts", .map(key: .string, value: .int))
        environment.declare("result", .dyn)
        let context = EvaluationContext(environment)
        context.set("names", ["eu": "Europa", "": "-", "a-b-c": "É"])
        context.set(
            "rates", ["eu": .decimal(try XCTUnwrap(Decimal("0.21"))), "": .decimal(try XCTUnwrap(Decimal("1e9")))])
        context.set("counts", ["eu": 5, "a": -1])
        return (environment, context)
    }

    func testCompiledAndGeneralEvaluationAgree() throws {
        let (environment, context) = try makeContext()
        let results = context.slot("result")
        var generator = Generator(state: UInt64(environmentNumber("CEL_AGREEMENT_SEED") ?? 20_250_113))
        var specialised = 0
        var succeeded = 0
        var evaluations = 0
        let rounds = environmentNumber("CEL_AGREEMENT_ROUNDS") ?? 4_000
        for _ in 0..<rounds {
            let source = generator.expression()
            let expression = try environment.compile(source)
            if expression.isSpecialised { specialised += 1 }
            for _ in 0..<5 {
                let text = generator.record()
                try Array(text.utf8).withUnsafeBytes { bytes in
                    try context.read(bytes)
                    context.now = Instant("2025-01-13T15:00:01Z")
                    evaluations += 1
                    let compiled = outcome { () throws(EvaluationError) in try expression.evaluate(in: context) }
                    let general = outcome { () throws(EvaluationError) in try expression.evaluateGenerally(in: context)
                    }
                    XCTAssertEqual(compiled, general, "\(source) over \(text)")
                    assertWritesTheSame(expression, context, results, text)
                    if general.hasPrefix("{") { succeeded += 1 }
                }
            }
        }
        // The test means something only if most expressions are compiled and many have values.
        XCTAssertGreaterThan(specialised, rounds * 9 / 10)
        XCTAssertGreaterThan(succeeded, evaluations / 4)
    }

    /// What is written is the general evaluator's value as JSON, and what is bound besides is that value.
    private func assertWritesTheSame(
        _ expression: Expressions.Expression, _ context: EvaluationContext, _ slot: VariableSlot?, _ record: String
    ) {
        func text(_ body: (OutputBuffer) throws -> Bool) -> String? {
            let output = OutputBuffer()
            output.append("begun " as StaticString)
            return (try? body(output)) == true ? String(decoding: output.bytes, as: UTF8.self) : nil
        }
        let expected = text { output in
            try expression.evaluateGenerally(in: context).writeJSON(to: output)
            return true
        }
        let label = "\(expression.sourceText) over \(record)"
        XCTAssertEqual(text { try expression.writeJSON(in: context, to: $0) }, expected, label)
        let name = Array("begun ".utf8)
        let output = OutputBuffer()
        let writers = FieldWriters([WrittenField(expression, prefix: name, binding: nil)], in: context)
        if writers.areReady(), writers.append(from: 0, to: output) == 1 {
            XCTAssertEqual(String(decoding: output.bytes, as: UTF8.self), expected, label)
        } else {
            XCTAssertEqual(Array(output.bytes), writers.areReady() ? name : [], label)
        }
        guard let slot else { return XCTFail("no such variable") }
        XCTAssertEqual(text { try expression.writeJSON(in: context, binding: slot, to: $0) }, expected, label)
        context.set(slot, nil)
    }

    /// Conditions joined hold exactly if each holds.
    func testConditionsTogetherAndOneByOneAgree() throws {
        let (environment, context) = try makeContext()
        var generator = Generator(state: UInt64(environmentNumber("CEL_AGREEMENT_SEED") ?? 20_250_113))
        var holding = 0
        let rounds = environmentNumber("CEL_AGREEMENT_ROUNDS") ?? 4_000
        for _ in 0..<rounds {
            let expressions = try (0..<generator.below(4)).map { _ in
                try environment.compile(generator.bool(generator.below(3)), expecting: .bool)
            }
            let conditions = Conditions(expressions, in: context)
            for _ in 0..<4 {
                let text = generator.record()
                try Array(text.utf8).withUnsafeBytes { bytes in
                    try context.read(bytes)
                    context.now = Instant("2025-01-13T15:00:01Z")
                    let values = expressions.map { try? $0.bool(in: context) }
                    XCTAssertEqual(expressions.map { $0.holds(in: context) }, values)
                    let each = values.allSatisfy { $0 == true }
                    XCTAssertEqual(conditions.allHold(), each, "\(expressions.map(\.sourceText)) over \(text)")
                    if each, !expressions.isEmpty { holding += 1 }
                }
            }
        }
        XCTAssertGreaterThan(holding, rounds / 10)
    }

    /// A key's bytes, in the record or made, are those that are written.
    func testBytesOfTheRecordAreThoseWritten() throws {
        let (environment, context) = try makeContext()
        var generator = Generator(state: UInt64(environmentNumber("CEL_AGREEMENT_SEED") ?? 20_250_113))
        let (output, written) = (OutputBuffer(), OutputBuffer())
        var (borrowed, made) = (0, 0)
        for _ in 0..<2_000 {
            let expression = try environment.compile(generator.text(generator.below(3)))
            let text = generator.record()
            try Array(text.utf8).withUnsafeBytes { record in
                try context.read(record)
                written.removeAll()
                do {
                    try expression.writeBytes(in: context, to: written)
                } catch {
                    XCTAssertThrowsError(try expression.bytes(in: context, output: output), expression.sourceText)
                    return
                }
                let bytes = try expression.bytes(in: context, output: output)
                XCTAssertEqual(Array(bytes), Array(written.bytes), "\(expression.sourceText) over \(text)")
                if let start = bytes.baseAddress, let first = record.baseAddress, start >= first,
                    start + bytes.count <= first + record.count
                {
                    borrowed += 1
                } else {
                    made += 1
                }
            }
        }
        XCTAssertGreaterThan(borrowed, 100)
        XCTAssertGreaterThan(made, 100)
    }

    private func outcome(_ body: () throws(EvaluationError) -> Value) -> String {
        do {
            let output = OutputBuffer()
            try body().writeTyped(to: JSONWriter(output))
            return String(decoding: output.bytes, as: UTF8.self)
        } catch {
            return error.description
        }
    }
}

func environmentNumber(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
}
