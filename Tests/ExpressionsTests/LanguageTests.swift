import Expressions
import XCTest

final class LanguageTests: XCTestCase {
    func testLiterals() {
        assertYields([
            ("0x55555555", "1431655765"), ("-0x7", "-7"), ("0xFu", "15u"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775807 - 1"), ("18446744073709551615u", "18446744073709551615u"),
            (".5", "0.5"), ("1e3", "1000.0"), ("1.5E-1", "0.15"), ("-5.0", "0.0 - 5.0"), ("--5", "5"),
            ("!!true", "true"),
            (#"'\a\b\f\n\r\t\v\\\?\"\'\`'"#, #""\x07\x08\x0c\x0a\x0d\x09\x0b\x5c\x3f\x22\x27\x60""#),
            (#"'\x41\u00e9\U0001F600\101'"#, "'Aé😀A'"), (#"b'\xff\377\000'"#, #"b"\xFF\xff\x00""#),
            (#"r'\n\'"#, #"'\\n\\'"#),
            (#"bytes('\377') == b'\377'"#, "false"), ("'''a'b\n\"c'''", #""a'b\n\"c""#), (#"rb'''\x'''"#, #"b'\\x'"#),
            (#"b'ÿ'"#, #"b'\303\277'"#), ("[1, 2,]", "[1, 2]"), ("{'a': 1,}", "{'a': 1}"), ("// all\n1 // one", "1"),
            ("b'\u{0}'", #"b'\x00'"#),
            ("{'k-1': 5}.`k-1`", "5"), ("true ? 1 : 2", "1"), ("false ? 1 : true ? 2 : 3", "2"),
            ("(true ? 'a' : null) == 'a'", "true"),
        ])
        assertRefused([
            ("9223372036854775808", "64-bit"), ("1u2", "run into"), (#"'\u12'"#, "4 digits"), (#"'\ud800'"#, "scalar"),
            (#"'\q'"#, "unknown escape"), ("'abc", "not closed"), ("'a\nb'", "not closed"),
            ("1 +", "expected an expression"), ("(1", "expected ')'"), ("a.", "field name"), ("while", "reserved"),
            ("1 = 2", "not part"), ("[1 2]", "expected ']'"), ("#", "not part"), ("", "expected an expression"),
            ("18446744073709551616u", "64 bits"), ("has(a)", "not declared"), ("has(1)", "takes a field"),
            ("[1].all(x.y, true)", "plain name"), ("[1].exists(i, i, true)", "both variables"),
        ])
    }

    func testPrecedence() {
        assertYields([
            ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("1 - 2 - 3", "-4"), ("20 / 2 / 5", "2"), ("1 + 1 == 2", "true"),
            ("1 < 2 == true", "true"), ("-2 * 3", "-6"), ("!true || true", "true"), ("true || false && false", "true"),
            ("3 in [1, 2] || 2 in [1, 2]", "true"), ("[1, 2][0] + 1", "2"), ("{'a': [5]}.a[0]", "5"),
            ("1 + (true ? 1 : 2)", "2"), ("-(5)", "-5"), ("- 5 + 6", "1"),
        ])
    }

    func testIntegerArithmetic() {
        assertYields([
            ("7 / 2", "3"), ("-7 / 2", "-3"), ("7 % -2", "1"), ("-7 % 2", "-1"), ("7u / 2u", "3u"),
            ("9223372036854775806 + 1", "9223372036854775807"), ("2 * -4611686018427387904", "-9223372036854775808"),
        ])
        assertFails([
            ("9223372036854775807 + 1", "out of range"), ("-9223372036854775808 - 1", "out of range"),
            ("9223372036854775807 * 2", "out of range"), ("-(-9223372036854775808)", "out of range"),
            ("-9223372036854775808 / -1", "out of range"), ("18446744073709551615u + 1u", "out of range"),
            ("0u - 1u", "out of range"), ("1 / 0", "divide by zero"), ("1u / 0u", "divide by zero"),
            ("1 % 0", "modulus by zero"), ("-9223372036854775808 % -1", "out of range"),
        ])
        assertRefused([("1 + 1u", "int + uint"), ("1 + 1.0", "int + double"), ("1.0 % 2.0", "double % double")])
    }

    func testDoubles() {
        assertYields([
            ("1.0 / 0.0", "double('Infinity')"), ("-1.0 / 0.0", "double('-Infinity')"),
            ("0.0 / 0.0 == 0.0 / 0.0", "false"), ("0.0 / 0.0 != 0.0 / 0.0", "true"), ("double('NaN') < 1.0", "false"),
            ("double('NaN') >= 1.0", "false"), ("0.0 == -0.0", "true"), ("1e308 * 10.0", "double('inf')"),
        ])
    }

    func testEqualityAcrossTypes() {
        assertYields([
            ("dyn(1) == 1u", "true"), ("dyn(1) == 1.0", "true"), ("dyn(1u) == 1.0", "true"), ("dyn(1) == '1'", "false"),
            ("dyn(-1) == 18446744073709551615u", "false"),
            ("dyn(9223372036854775807) == 9223372036854775808.0", "true"),
            ("dyn(9007199254740993) == 9007199254740992.0", "true"), ("[1, dyn(2.0)] == [1.0, dyn(2)]", "true"),
            ("{1: 'a'} == dyn({1u: 'a'})", "true"), ("{'a': dyn(1)} == {'a': 1.0}", "true"),
            ("dyn(null) == 1", "false"),
            ("null == null", "true"), ("[] == []", "true"), ("[1] == [1, 2]", "false"),
            ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"),
            ("b'abc' == b'abc'", "true"), ("'é' == 'e\\u0301'", "false"), ("type(1) == int", "true"),
            ("type(type(1)) == type", "true"),
            ("timestamp('2020-01-01T00:00:00Z') == timestamp('2020-01-01T01:00:00+01:00')", "true"),
            ("dyn([1]) == dyn('a')", "false"), ("1 == dyn(true)", "false"),
        ])
        assertRefused([("1 == 'a'", "int == string"), ("1 == 1u", "int == uint"), ("[1] == ['a']", "==")])
    }

    func testOrderAcrossTypes() {
        assertYields([
            ("1 < 2u", "true"), ("2u > -1", "true"), ("1 < 1.5", "true"), ("18446744073709551615u > 1", "true"),
            ("9223372036854775807 <= 9223372036854775808.0", "true"),
            ("-9223372036854775808 >= -9223372036854775808.0", "true"),
            ("1.5 < 2u", "true"), ("'a' < 'b'", "true"), ("'a' < 'aa'", "true"), ("'Z' < 'a'", "true"),
            ("'\\uffff' < '\\U00010000'", "true"), ("b'\\x01' < b'\\x02'", "true"), ("false < true", "true"),
            ("duration('1s') < duration('1500ms')", "true"), ("dyn(1) < dyn(2.5)", "true"),
        ])
        assertFails([("dyn(1) < dyn('a')", "no such overload"), ("dyn(null) < dyn(null)", "no such overload")])
        assertRefused([("1 < 'a'", "int < string"), ("[1] < [2]", "<")])
    }

    func testErrorsAreAbsorbedByTheSideThatDecides() {
        assertYields([
            ("true || 1 / 0 == 1", "true"), ("1 / 0 == 1 || true", "true"), ("false && 1 / 0 == 1", "false"),
            ("1 / 0 == 1 && false", "false"), ("true ? 1 : 1 / 0", "1"), ("false || 1 / 0 == 1 || true", "true"),
            ("[0, 1].exists(x, 1 / x == 1)", "true"), ("[0, 2].all(x, 1 / x == 1)", "false"),
            ("optional.of(1).orValue(1 / 0)", "1"),
        ])
        assertFails([
            ("1 / 0 == 1 || false", "divide by zero"), ("1 / 0 == 1 && true", "divide by zero"),
            ("[0, 2].exists(x, 1 / x == 1)", "divide by zero"), ("[0, 1].all(x, 1 / x == 1)", "divide by zero"),
            ("[0, 1].exists_one(x, 1 / x == 1)", "divide by zero"), ("dyn(1) || false", "not a bool"),
        ])
    }

    func testListsAndMaps() {
        assertYields([
            ("[1, 2, 3][1]", "2"), ("[1, 2][dyn(1.0)]", "2"), ("[1, 2][dyn(0u)]", "1"), ("{1: 'a'}[dyn(1.0)]", "'a'"),
            ("{1u: 'a'}[dyn(1)]", "'a'"), ("[1] + [2]", "[1, 2]"), ("2 in [1, 2]", "true"),
            ("dyn(2.0) in [1, 2]", "true"),
            ("'a' in {'a': 1}", "true"), ("dyn(1) in {1u: 2}", "true"), ("size([1, 2])", "2"), ("{'a': 1}.size()", "1"),
            ("{'a': {'b': 3}}.a.b", "3"), ("has({'a': 1}.a)", "true"), ("has({'a': 1}.b)", "false"),
            ("{true: 1, 2: 2, 5u: 3}[true]", "1"), ("[[1], ['a']].size()", "2"), ("{0: 1, 2: 2, 5: true}[5]", "true"),
            ("1 in []", "false"), ("1.1 in [1.1]", "true"), ("{}.size()", "0"),
        ])
        assertFails([
            ("[1][1]", "out of bounds"), ("[1][-1]", "out of bounds"), ("{'a': 1}['b']", "no such key: 'b'"),
            ("{'a': 1}.b", "no such key: 'b'"), ("{'a': 1, 'a': 2}", "twice"), ("{1: 1, dyn(1u): 2}", "twice"),
            ("{dyn(1.5): 1}", "unsupported key"), ("[1][dyn(0.5)]", "no such overload"),
            ("{1: 2}[dyn(null)]", "no such overload"),
        ])
        assertRefused([("{1.5: 2}", "key"), ("[1]['a']", "has no ["), ("5.a", "no fields"), ("'a'.b", "no fields")])
    }

    func testMacros() {
        assertYields([
            ("[1, 2, 3].all(x, x > 0)", "true"), ("[].all(x, x > 0)", "true"), ("[].exists(x, x > 0)", "false"),
            ("{'a': 1, 'b': 2}.exists(k, k == 'b')", "true"), ("[1, 2, 1].exists_one(x, x == 2)", "true"),
            ("[1, 2, 1].exists_one(x, x == 1)", "false"), ("[1, 2, 3].filter(x, x > 1)", "[2, 3]"),
            ("[1, 2, 3].map(x, x * x)", "[1, 4, 9]"), ("[1, 2, 3].map(x, x > 1, x * x)", "[4, 9]"),
            ("{'a': 1}.map(k, k + 'b')", "['ab']"), ("[[1, 2], [3]].map(l, l.map(x, x + 1))", "[[2, 3], [4]]"),
            ("['signer'].filter(s, ['signer'].all(t, s == t))", "['signer']"),
            ("[1].exists(y, [0].exists(y, y == 0))", "true"),
            ("cel.bind(x, 5, x * x)", "25"), ("cel.bind(a, 1, cel.bind(b, a + 1, a + b))", "3"),
            ("[1, 'a', 3].exists(x, x == 'a')", "true"), ("[1, 2].map(x, [x, 2].map(y, x * y))", "[[1, 2], [4, 4]]"),
        ])
        assertRefused([
            ("1.all(x, true)", "list or a map"), ("[1].filter(x, x)", "takes bool"), ("[1].map(x)", "no function"),
        ])
    }

    func testComprehensionsOfTwoVariables() {
        assertYields([
            ("[5, 6].all(i, v, v == i + 5)", "true"), ("{'a': 1}.exists(k, v, k == 'a' && v == 1)", "true"),
            ("[5, 7, 8].existsOne(i, v, v % 5 == i)", "true"),
            ("[2, 4, 6].transformList(i, v, v / 2 + i)", "[1, 3, 5]"),
            ("[2, 4, 6].transformList(i, v, i != 1, v / 2 + i)", "[1, 5]"),
            ("{'foo': 'bar'}.transformMap(k, v, k + v)", "{'foo': 'foobar'}"),
            ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", "{'b': 20}"),
            ("['a', 'b'].transformMap(i, v, v)", "{0: 'a', 1: 'b'}"),
            ("{'a': 'x'}.transformMapEntry(k, v, {v: k})", "{'x': 'a'}"),
        ])
        assertFails([
            ("{'a': 'x', 'b': 'x'}.transformMapEntry(k, v, {v: k})", "twice"),
            ("[2, 1, 0].transformList(i, v, v / i)", "divide by zero"),
        ])
    }

    func testOptionals() {
        assertYields([
            ("optional.of(null).hasValue()", "true"), ("optional.ofNonZeroValue(0).hasValue()", "false"),
            ("optional.none().or(optional.of(1)).value()", "1"), ("{'a': 1}.?a.orValue(2)", "1"),
            ("{'a': 1}.?b.orValue(2)", "2"),
            ("[1][?0].value()", "1"), ("[1][?1].hasValue()", "false"), ("{'a': {'b': 1}}.?a.b.orValue(5)", "1"),
            ("{'a': {}}.?a.b.orValue(5)", "5"), ("{}.?null_key.invalid.hasValue()", "false"),
            ("optional.of([1])[0].value()", "1"),
            ("optional.of(42).optMap(y, y + 1).value()", "43"),
            ("optional.none().optMap(y, y + 1).hasValue()", "false"),
            ("{'k': {'s': 'v'}}.?k.optFlatMap(k, k.?s).value()", "'v'"),
            ("[?{}.?c, ?optional.of(42), ?optional.none()]", "[42]"),
            ("{?'n': optional.of(1), ?'m': {}.?c, 's': true}", "{'n': dyn(1), 's': true}"), ("has({}.?x.y)", "false"),
            ("has({'x': {'y': 'z'}}.?x.y)", "true"), ("type(optional.none()) == optional_type", "true"),
            ("optional.of(1) == optional.of(1)", "true"), ("optional.none() != optional.of(1)", "true"),
            ("{true: 1, 2: 2, 5u: 3}[?true].value()", "1"), ("{1u: 1.0, 2: 2.0, 3u: 3.0}[?3.0].value()", "3.0"),
            ("[optional.of(1), optional.none()].unwrapOpt()", "[1]"), ("[1, 2].first().value()", "1"),
            ("[].last().hasValue()", "false"),
            ("{'c': {'dashed-index': 'goodbye'}}.c[?'dashed-index'].orValue('default value')", "'goodbye'"),
        ])
        assertFails([
            ("optional.none().value()", "dereference"),
            ("{'null_key': dyn(null)}.?null_key.invalid.hasValue()", "no such overload"),
            ("{true: dyn(0)}[?true].absent.hasValue()", "no such overload"), ("[?dyn(1)]", "optional"),
        ])
        assertRefused([("[?1]", "optional"), ("1.orValue(2)", "no overload")])
    }

    func testNamesAndContainers() throws {
        var environment = Environment()
        environment.container = "com.example"
        environment.declare("com.example.y", .bool)
        environment.declare("y", .string)
        environment.declare("a.b", .map(key: .string, value: .string))
        environment.declare("a.b.c", .string)
        let context = EvaluationContext(environment)
        context.set("com.example.y", true)
        context.set("y", "outer")
        context.set("a.b", ["c": "oops"])
        context.set("a.b.c", "yeah")
        func value(_ source: String) throws -> Value { try environment.compile(source).evaluate(in: context) }
        XCTAssert(isSame(try value("y"), true))
        XCTAssert(isSame(try value(".y"), "outer"))
        XCTAssert(isSame(try value("a.b.c"), "yeah"))
        XCTAssert(isSame(try value("[{'z': 0}].exists(y, y.z == 0)"), true))
        XCTAssert(isSame(try value("[0].exists(y, .y == 'outer')"), true))
    }

    func testWellKnownMessages() {
        assertYields([
            ("google.protobuf.Int64Value{value: 5} + 1", "6"), ("google.protobuf.StringValue{}", "''"),
            ("google.protobuf.Duration{seconds: 1, nanos: 500000000}", "duration('1.5s')"),
            ("google.protobuf.Value{string_value: 'a'} == 'a'", "true"),
            ("google.protobuf.Timestamp{seconds: 1}", "timestamp(1)"),
            ("google.protobuf.NullValue.NULL_VALUE", "null"),
        ])
        assertRefused([("a.B{c: 1}", "no message type"), ("google.protobuf.Int64Value{valu: 5}", "no field 'valu'")])
    }

    func testErrorsPointAtTheirPlace() {
        XCTAssertThrowsError(try Environment().compile("'1' +\n\t'é' + fo")) { error in
            let description = (error as? CompilationErrors)?.description ?? ""
            XCTAssertEqual(description, "2:8: 'fo' is not declared\n | \t'é' + fo\n | \t      ^")
        }
        XCTAssertThrowsError(try Environment().compile("a + b && 1")) { error in
            XCTAssertEqual((error as? CompilationErrors)?.errors.count, 3, "\(error)")
        }
    }

    /// A value of 10^15 elements, all of them shared.
    private static let sharing: String = {
        let copies = { (name: String) in "[" + Array(repeating: name, count: 10).joined(separator: ", ") + "]" }
        let names = (0..<15).map { "v\($0)" }
        let binds = names.enumerated().map { "cel.bind(\($1), \(copies($0 == 0 ? "0" : names[$0 - 1])), " }
        return binds.joined() + "v14" + String(repeating: ")", count: 15)
    }()

    func testLimits() {
        let deep = String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500)
        assertRefused([
            (deep, "nested"), (String(repeating: "[", count: 500), "nested"),
            (String(repeating: "!", count: 500) + "true", "nested"),
            ("1" + String(repeating: " + 1", count: 500), "nested"),
            (String(repeating: " ", count: 200_000) + "1", "longer"),
        ])
        let chain = String(repeating: "true && ", count: 2_000) + "true"
        assertYields([
            (chain, "true"),
            (String(repeating: "[", count: 32) + String(repeating: "]", count: 32) + " == []", "false"),
        ])
        assertFails([
            ("lists.range(2000).map(x, lists.range(2000).map(y, x * y)).size()", "costs more"),
            ("lists.range(9223372036854775807)", "costs more"),
            ("'a'.padStart(9223372036854775807, ' ')", "costs more"),
            ("dyn(" + Self.sharing + ") == [[1]]", "costs more"), ("'%s'.format([" + Self.sharing + "])", "costs more"),
            (Self.sharing, "costs more"), ("dyn(" + Self.sharing + ") in [[1]]", "costs more"),
            ("lists.range(2000).exists(x, lists.range(2000).exists(y, false)) || true", "costs more"),
        ])
    }

    /// An integer meets a double as a double, as in the language's conformance tests; keys of maps are equal only exactly.
    func testIntegersAndDoublesBeyondTheirCommonRange() {
        assertYields([
            ("dyn(9223372036854775807) < 9223372036854775808.0", "false"),
            ("dyn(9223372036854775807) >= 9223372036854775808.0", "true"),
            ("dyn(9223372036854775808.0) <= 9223372036854775807", "true"),
            ("dyn(9223372036854775807) < 9223372036854777857.0", "true"),
            ("dyn(18446744073709551615u) < 18446744073709590000.0", "true"),
            ("dyn(-9223372036854775808) > -9223372036854777856.0", "true"),
            ("dyn(1) < 0.0 / 0.0 || dyn(1) > 0.0 / 0.0 || dyn(1) == 0.0 / 0.0", "false"),
            ("dyn(9007199254740992.0) in {9007199254740993: 1}", "false"),
            ("dyn(9007199254740992.0) in {9007199254740992: 1}", "true"),
        ])
    }
}
