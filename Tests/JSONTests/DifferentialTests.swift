import JSON
import TestSupport
import XCTest

/// Damaged texts, judged here and by the Python package `orjson`: whether they are JSON, and what strings and floats they hold.
final class DifferentialTests: XCTestCase {
    /// Prints each text's value in a form that both sides can write: strings as bytes, numbers as the bits of their floats.
    private static let script = """
        import struct, sys
        import orjson
        def form(value):
            if value is None: return "n"
            if value is True: return "t"
            if value is False: return "f"
            if isinstance(value, str): return '"' + value.encode().hex()
            if isinstance(value, (int, float)): return "#" + struct.pack(">d", float(value)).hex()
            if isinstance(value, list): return "[" + ",".join(map(form, value)) + "]"
            return "{" + ",".join(sorted(form(k) + ":" + form(v) for k, v in value.items())) + "}"
        for line in sys.stdin:
            try:
                print(form(orjson.loads(bytes.fromhex(line))))
            except orjson.JSONDecodeError:
                print("refused")
        """

    func testValuesAgreeWithOrjson() throws {
        let peer = try PythonPeer("orjson", imported: "orjson")
        var random = SeededRandom(seed: 77)
        let texts = (0..<8_000).map { _ in Mutation.mutate(&random, Mutation.records) }.filter { !$0.isEmpty }
        let lines = texts.map { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let answers = try peer.answers(Self.script, to: lines)
        XCTAssertEqual(answers.count, texts.count)
        let record = JSONRecord(duplicateKeys: .lastWins)
        var accepted = 0
        for (text, answer) in zip(texts, answers) {
            let form = (try? record.withRead(text) { self.form($0) }) ?? "refused"
            // A number too large for a float is infinite here and refused there.
            if form.contains("#7ff0000000000000") || form.contains("#fff0000000000000") { continue }
            XCTAssertEqual(form, String(answer), String(decoding: text, as: UTF8.self))
            if form != "refused" { accepted += 1 }
        }
        XCTAssertGreaterThan(accepted, texts.count / 10)
    }

    private func form(_ value: JSONValue) -> String {
        func hexadecimal(_ string: String) -> String {
            "\"" + string.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        switch value.kind {
        case .null: return "n"
        case .true: return "t"
        case .false: return "f"
        case .string: return hexadecimal(value.string?.string ?? "")
        case .number:
            // Python reads an integer -0 as 0.
            let float = value.int64 == 0 ? 0 : value.double ?? .nan
            let bits = String(float.bitPattern, radix: 16)
            return "#" + String(repeating: "0", count: 16 - bits.count) + bits
        case .array: return "[" + value.elements.map { form($0) }.joined(separator: ",") + "]"
        case .object:
            return "{"
                + value.members.map { hexadecimal($0.key.string) + ":" + form($0.value) }.sorted().joined(
                    separator: ",") + "}"
        }
    }
}
