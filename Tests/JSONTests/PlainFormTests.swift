import JSON
import TestSupport
import XCTest

/// The quick ways for what records usually hold yield what the whole grammars yield.
final class PlainFormTests: XCTestCase {
    private let inputs = Fuzz.inputs(otherwise: 50_000)

    func testShortDecimals() throws {
        var random = Fuzz.random()
        let alphabet = Array("0123456789012345678901234567890123456789....-+eE /:".utf8)
        var parsed = 0
        for _ in 0..<inputs {
            let text = (0..<random.below(10)).map { _ in random.pick(alphabet) }
            let (plain, any) = text.withUnsafeBytes { (Decimal(bytes: $0), Decimal(anyBytes: $0)) }
            XCTAssertEqual(plain?.mantissa, any?.mantissa, String(decoding: text, as: UTF8.self))
            XCTAssertEqual(plain?.scale, any?.scale, String(decoding: text, as: UTF8.self))
            if plain != nil { parsed += 1 }
        }
        XCTAssertGreaterThan(parsed, inputs / 10)
        XCTAssertLessThan(parsed, inputs * 9 / 10)
    }

    func testIntegersAsText() {
        var random = Fuzz.random()
        let output = OutputBuffer()
        func text(_ body: () -> Void) -> String {
            output.removeAll()
            body()
            return String(decoding: output.bytes, as: UTF8.self)
        }
        var values: [UInt64] = [0, .max]
        var power: UInt64 = 1
        for _ in 0..<20 {
            values += [power, power &- 1, power &+ 1]
            power &*= 10
        }
        for _ in 0..<inputs { values.append(random.next() >> UInt64(random.below(64))) }
        for value in values {
            XCTAssertEqual(text { output.append(value) }, String(value))
            let signed = Int64(bitPattern: value)
            XCTAssertEqual(text { output.append(signed) }, String(signed))
        }
    }

    func testDecimalsAsText() throws {
        var random = Fuzz.random()
        for _ in 0..<inputs {
            let scale = random.below(3) == 0 ? random.below(39) : random.below(9)
            let magnitude = Int128(random.next() >> UInt64(random.below(64)))
            let mantissa = random.below(2) == 0 ? magnitude : 0 - magnitude
            var digits = String(magnitude)
            if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
            var expected = mantissa < 0 ? "-" + digits : digits
            if scale > 0 { expected.insert(".", at: expected.index(expected.endIndex, offsetBy: -scale)) }
            let decimal = try XCTUnwrap(Decimal(mantissa: mantissa, scale: scale))
            XCTAssertEqual(decimal.description, expected)
            let output = OutputBuffer()
            output.appendQuoted(decimal)
            XCTAssertEqual(String(decoding: output.bytes, as: UTF8.self), "\"\(expected)\"")
        }
    }

    func testProductsRounded() throws {
        var random = Fuzz.random()
        func factor() throws -> Decimal {
            let wide =
                random.below(4) == 0 ? Int128(random.next()) << 60 : Int128(random.next() >> UInt64(random.below(64)))
            let scale = random.below(4) == 0 ? random.below(39) : random.below(10)
            return try XCTUnwrap(Decimal(mantissa: random.below(2) == 0 ? wide : 0 - wide, scale: scale))
        }
        var products = 0
        for _ in 0..<inputs {
            // Halves are where rounding is hard.
            let (left, right) = (try factor(), random.below(3) == 0 ? try XCTUnwrap(Decimal("0.5")) : try factor())
            let scale = random.below(8) == 0 ? random.below(90) - 45 : random.below(6)
            let quick = Result { () throws in try left.multiplied(by: right, roundedTo: scale) }
            let whole = Result { () throws in try left.multiplied(by: right).rounded(scale: scale) }
            XCTAssertEqual(try? quick.get().mantissa, try? whole.get().mantissa, "\(left) * \(right), \(scale)")
            XCTAssertEqual(try? quick.get().scale, try? whole.get().scale, "\(left) * \(right), \(scale)")
            if (try? quick.get()) != nil { products += 1 }
        }
        XCTAssertGreaterThan(products, inputs / 4)
    }

    func testDateTimes() throws {
        var random = Fuzz.random()
        let alphabet = Array("0123456789-:.TtZz+ ".utf8)
        var day = KnownDay()
        var parsed = 0
        for _ in 0..<inputs {
            var text = dateTime(&random)
            for _ in 0..<random.below(2) where !text.isEmpty {
                let position = random.below(text.count)
                switch random.below(3) {
                case 0: text[position] = random.pick(alphabet)
                case 1: text[position] = UInt8(truncatingIfNeeded: random.next())
                default: text.remove(at: position)
                }
            }
            let (instant, any, isDateTime) = text.withUnsafeBytes {
                (Instant(rfc3339: $0), Instant(anyRFC3339: $0), RFC3339.isDateTime($0))
            }
            XCTAssertEqual(instant, any, String(decoding: text, as: UTF8.self))
            // The same day again, as a rule; then another.
            for _ in 0...random.below(3) {
                // In the second, the day, the month or the year.
                let place = random.pick([18, 9, 6, 3])
                if text.count > 19, random.below(2) == 0 { text[place] = UInt8(ascii: "0") + UInt8(random.below(10)) }
                let other = text.withUnsafeBytes { Instant(rfc3339: $0, day: &day) == Instant(anyRFC3339: $0) }
                XCTAssert(other, String(decoding: text, as: UTF8.self))
            }
            XCTAssertEqual(isDateTime, any != nil, String(decoding: text, as: UTF8.self))
            if instant != nil { parsed += 1 }
        }
        XCTAssertGreaterThan(parsed, inputs / 10)
        XCTAssertLessThan(parsed, inputs * 9 / 10)
    }

    func testADayIsKnownOnlyOnceItWasRead() {
        func instant(_ text: [UInt8]) -> Instant? {
            var day = KnownDay()
            return text.withUnsafeBytes { Instant(rfc3339: $0, day: &day) }
        }
        XCTAssertNil(instant([UInt8](repeating: 0, count: 11) + Array("00:00:05Z".utf8)))
        XCTAssertEqual(instant(Array("1970-01-01T00:00:05Z".utf8)), Instant(seconds: 5))
    }

    private func dateTime(_ random: inout SeededRandom) -> [UInt8] {
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        var text =
            digits(random.below(10_000), 4) + "-" + digits(random.below(14), 2) + "-" + digits(random.below(33), 2)
        text +=
            "T" + digits(random.below(25), 2) + ":" + digits(random.below(61), 2) + ":" + digits(random.below(61), 2)
        if random.below(3) > 0 {
            text += "." + (0..<random.below(12)).map { _ in String(random.below(10)) }.joined()
        }
        return Array((text + random.pick(["Z", "Z", "Z", "z", "+01:30", "-23:59", ""])).utf8)
    }

    /// The same record read as a record, its keys expected, and as an element of an array, which knows no expected keys.
    func testRecordsWhoseKeysAreExpected() throws {
        var random = Fuzz.random()
        let record = JSONRecord()
        let whole = JSONRecord()
        let names = ["order_id", "amount", "a", "", "fifteen_letters", "sixteen__letters", "seventeen_letters", "é"]
        let slots = names.map { record.declare($0) }
        var accepted = 0
        for _ in 0..<inputs {
            var text = object(&random, names)
            if random.below(3) == 0 { text = Mutation.mutate(&random, [text]) }
            if text.first != UInt8(ascii: "{") { continue }
            let wrapped = [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")]
            text.withUnsafeBytes { bytes in
                wrapped.withUnsafeBytes { wrappedBytes in
                    let isRecord = (try? record.read(bytes)) != nil
                    let isElement = (try? whole.read(wrappedBytes)) != nil && whole.root.element(1) == nil
                    XCTAssertEqual(isRecord, isElement, String(decoding: text, as: UTF8.self))
                    guard isRecord, let element = whole.root.element(0) else { return }
                    accepted += 1
                    assertSame(record.root, element, text)
                    for (name, slot) in zip(names, slots) {
                        XCTAssertEqual(
                            record.field(slot).map { Array($0.bytes) }, element.member(name).map { Array($0.bytes) })
                    }
                    record.clear()
                    whole.clear()
                }
            }
        }
        XCTAssertGreaterThan(accepted, inputs / 10)
    }

    private func object(_ random: inout SeededRandom, _ names: [String]) -> [UInt8] {
        let values = [
            #""""#, #""x""#, #""12345678""#, #""sixteen letters.""#, #""a longer text than any block of bytes""#,
            #""é""#,
            #""a\nb""#, "0", "7", "10", "-1", "1.5", "0.25", "120.", "1e5", "1.5E-2", "01", "true", "null", "[1]",
            #"{"a":1}"#, "123456789012345678901234567890",
        ]
        let space = random.pick(["", "", " ", "\n  "])
        // In the same order, as a rule; so that one key follows the other as expected.
        let kept = names.filter { _ in random.below(5) > 0 }
        let members = kept.map { "\"\($0)\":" + random.pick(["", space]) + random.pick(values) }
        return Array(("{" + members.joined(separator: "," + space) + random.pick(["", "", space]) + "}").utf8)
    }

    private func assertSame(_ first: JSONValue, _ second: JSONValue, _ text: [UInt8]) {
        let (ours, theirs) = (Array(first.members), Array(second.members))
        XCTAssertEqual(ours.count, theirs.count, String(decoding: text, as: UTF8.self))
        for (our, their) in zip(ours, theirs) {
            XCTAssertEqual(our.key, their.key)
            XCTAssertEqual(our.value.kind, their.value.kind)
            XCTAssertEqual(Array(our.value.bytes), Array(their.value.bytes))
            XCTAssertEqual(our.value.isWrittenAsInteger, their.value.isWrittenAsInteger)
            XCTAssertEqual(our.value.int64, their.value.int64)
            XCTAssertEqual(our.value.decimal, their.value.decimal)
        }
    }

    /// Texts shorter and longer than a word of the writer, with and without what must be escaped.
    func testQuotedTextIsReadBackAsItWas() throws {
        var random = Fuzz.random()
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789 -_\"\\\n\u{1}\u{7F}/".unicodeScalars) + ["é", "😀"]
        let output = OutputBuffer()
        let record = JSONRecord()
        for _ in 0..<inputs / 10 {
            var text = ""
            let plainOnly = random.below(2) == 0
            for _ in 0..<random.below(40) {
                text.unicodeScalars.append(plainOnly ? alphabet[random.below(36)] : random.pick(alphabet))
            }
            output.removeAll()
            output.append("[" as StaticString)
            output.appendQuoted(text)
            output.append("]" as StaticString)
            try record.read(output.bytes)
            XCTAssertEqual(record.root.element(0)?.string?.string, text)
            record.clear()
            let utf8 = Array(text.utf8)
            utf8.withUnsafeBytes { bytes in
                guard OutputBuffer.isPlain(bytes) else { return XCTAssertFalse(plainOnly) }
                let (plain, whole) = (OutputBuffer(), OutputBuffer())
                plain.appendQuoted(plain: bytes)
                whole.appendQuoted(bytes)
                XCTAssertEqual(Array(plain.bytes), Array(whole.bytes))
            }
        }
    }
}
