import Expressions
import JSON
import XCTest

final class BatchTests: XCTestCase {
    private func answer(_ line: String) -> String {
        let output = OutputBuffer()
        Array(line.utf8).withUnsafeBytes { BatchEvaluation().answer($0, into: output) }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    func testAnswersAreTyped() {
        let rows = [
            ("5", #"{"type":"int","value":"5"}"#), ("5u", #"{"type":"uint","value":"5"}"#),
            ("1.5", #"{"type":"double","value":"1.5"}"#),
            ("1.0/0.0", #"{"type":"double","value":"Infinity"}"#),
            ("-1.0/0.0", #"{"type":"double","value":"-Infinity"}"#),
            ("0.0/0.0", #"{"type":"double","value":"NaN"}"#), ("'a'", #"{"type":"string","value":"a"}"#),
            ("true", #"{"type":"bool","value":true}"#),
            ("null", #"{"type":"null","value":null}"#), ("int", #"{"type":"type","value":"int"}"#),
            ("type(timestamp(0))", #"{"type":"type","value":"google.protobuf.Timestamp"}"#),
            (#"b'\\xff'"#, #"{"type":"bytes","value":"/w=="}"#),
            ("timestamp(0)", #"{"type":"timestamp","value":"1970-01-01T00:00:00Z"}"#),
            ("duration('1500ms')", #"{"type":"duration","value":"1.5s"}"#),
            ("[1,'a']", #"{"type":"list","value":[{"type":"int","value":"1"},{"type":"string","value":"a"}]}"#),
            ("{'a':1}", #"{"type":"map","value":[[{"type":"string","value":"a"},{"type":"int","value":"1"}]]}"#),
            ("decimal('1.50')", #"{"type":"decimal","value":"1.50"}"#),
            ("optional.none()", #"{"type":"optional","value":null}"#),
        ]
        for (source, value) in rows {
            XCTAssertEqual(answer(#"{"expr":"\#(source)"}"#), #"{"value":\#(value)}"#, source)
        }
    }

    func testBindingsArePlainOrTyped() {
        let rows = [
            (#""vars":{"x":"int"},"bindings":{"x":5},"expr":"x + 1 == 6""#),
            (#""vars":{"x":"int"},"bindings":{"x":{"type":"int","value":"5"}},"expr":"x == 5""#),
            (#""bindings":{"x":{"type":"uint","value":"5"}},"expr":"type(x) == uint""#),
            (#""bindings":{"x":5},"expr":"type(x) == int""#),
            (#""bindings":{"x":18446744073709551615},"expr":"type(x) == uint""#),
            (#""bindings":{"x":1.0},"expr":"type(x) == double && x == 1""#),
            (#""vars":{"x":"double"},"bindings":{"x":1},"expr":"x == 1.0""#),
            (#""vars":{"x":"uint"},"bindings":{"x":1},"expr":"x == 1u""#),
            (#""vars":{"x":"bytes"},"bindings":{"x":"/w=="},"expr":"x == b'\\xff'""#),
            (#""vars":{"x":"timestamp"},"bindings":{"x":"1970-01-01T00:00:01Z"},"expr":"x == timestamp(1)""#),
            (#""vars":{"x":"google.protobuf.Duration"},"bindings":{"x":"1.5s"},"expr":"x == duration('1500ms')""#),
            (#""vars":{"x":"map(int, string)"},"bindings":{"x":{"1":"a"}},"expr":"x[1] == 'a'""#),
            (#""vars":{"x":"list(double)"},"bindings":{"x":[1,2.5]},"expr":"x == [1.0, 2.5]""#),
            (#""bindings":{"x":{"type":"map","value":[[{"type":"bool","value":true},{"type":"list","value":[{"type":"null","value":null}]}]]}},"expr":"x[true] == [null]""#),
            (#""vars":{"x":"google.protobuf.Int64Value"},"bindings":{"x":null},"expr":"x == null""#),
            (#""vars":{"x":"dyn"},"bindings":{"x":{"type":"a","value":1}},"expr":"x.type == 'a'""#),
            (#""vars":{"a.b.c":"int"},"bindings":{"a.b.c":7},"container":"a.b","expr":"c == 7""#),
            (#""bindings":{"x":{"type":"double","value":"NaN"}},"expr":"x != x""#),
            (#""vars":{"x":"null_type"},"bindings":{"x":null},"expr":"x == null""#),
            (#""vars":{"x":"optional_type(int)"},"bindings":{"x":null},"expr":"!x.hasValue()""#),
            (#""vars":{"x":"decimal"},"bindings":{"x":1.10},"expr":"string(x) == '1.10'""#),
            (#""bindings":{"x":1.10},"expr":"decimal(x) == decimal('1.1')""#),
            (#""vars":{"x":"list<uint>"},"bindings":{"x":[5.0,1e1,"7"]},"expr":"x == [5u, 10u, 7u]""#),
        ]
        for row in rows { XCTAssertEqual(answer("{\(row)}"), #"{"value":{"type":"bool","value":true}}"#, row) }
    }

    func testErrors() {
        let rows = [
            (#"{"expr":"x + 1"}"#, "'x' is not declared"),
            (#"{"expr":"x + 1","vars":{"x":"string"},"bindings":{"x":"a"}}"#, "there is no string + int"),
            (#"{"expr":"1 / 0"}"#, "divide by zero"), (#"{"expr":"x","vars":{"x":"int"}}"#, "no value is bound to 'x'"),
            (#"{"expr":"x","vars":{"x":"integer"}}"#, "unknown"),
            (#"{"expr":"x","vars":{"x":"int"},"bindings":{"x":"a"}}"#, "not a value of type int"),
            (#"{"expr":"x","vars":{"x":"int"},"bindings":{"x":5.5}}"#, "not a value of type int"),
            (#"{"expr":"x","vars":{"x":"uint"},"bindings":{"x":-1}}"#, "not a value of type uint"),
            (#"{"expr":5}"#, "'expr' must be a string"), ("{", "not JSON"), ("[]", "'expr'"),
            (#"{"expr":"1","vars":[]}"#, "'vars' must be an object"),
            (#"{"expr":"'a'.matches('(')"}"#, "no regular expression"),
        ]
        for (line, message) in rows {
            let answer = answer(line)
            XCTAssert(answer.hasPrefix(#"{"error":""#) && answer.contains(message), "\(line): \(answer)")
        }
    }

    func testPatterns() {
        assertYields([
            ("'foobar'.matches('o+b')", "true"), ("matches('foobar', '^o')", "false"),
            ("'aaa'.matches('^a{3}$')", "true"), ("'é'.matches('^.$')", "true"),
            ("['a', 'b'].filter(p, 'xa'.matches(p))", "['a']"), ("'a'.matches('a' + '|b')", "true"),
        ])
        assertFails([("['('].exists(p, 'a'.matches(p))", "no regular expression")])
        assertRefused([("'a'.matches('(?=b)')", "no regular expression"), ("'a'.matches('[')", "1:13")])
    }
}
