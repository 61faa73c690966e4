import JSON
import TestSupport
import XCTest

/// Damaged bytes end in a value or an error, and in the right one.
final class FuzzTests: XCTestCase {
    private let inputs = Fuzz.inputs(otherwise: 100_000)

    func testReaderAgreesWithTheGrammar() throws {
        var random = Fuzz.random()
        let record = JSONRecord(maximumDepth: 8)
        _ = record.declare("amount")
        var accepted = 0
        for _ in 0..<inputs {
            let bytes = Mutation.mutate(&random, Mutation.records)
            let expected = NaiveParser.parse(bytes, maximumDepth: 8)
            let actual = try? record.withRead(bytes) { NaiveJSON($0) }
            guard expected == actual else {
                XCTFail("\(String(decoding: bytes, as: UTF8.self)): expected \(String(describing: expected))")
                return
            }
            if actual != nil { accepted += 1 }
        }
        XCTAssertGreaterThan(accepted, inputs / 10)
        XCTAssertLessThan(accepted, inputs * 9 / 10)
    }

    func testNumbersAndTimesNeverTrapAndReadBack() {
        var random = Fuzz.random()
        let seeds = [
            "129.95", "-0.000001e-12", "170141183460469231731687303715884105727", "1E+38", "2026-11-21T14:30:05.120Z",
            "1990-12-31T15:59:60-08:00", "0000-01-01T00:00:00.000000000+23:59", "99999999999999999999.99999",
        ].map { Array($0.utf8) }
        var numbers = 0
        var instants = 0
        for _ in 0..<inputs {
            let bytes = Mutation.mutate(&random, seeds)
            bytes.withUnsafeBytes { raw in
                if let number = Decimal(bytes: raw) {
                    numbers += 1
                    XCTAssertEqual(Decimal(number.description)?.mantissa, number.mantissa)
                    _ = try? number.multiplied(by: number)
                    _ = try? number.divided(by: number, scale: random.below(39))
                    _ = try? number.adding(number).rounded(scale: random.below(77) - 38)
                    XCTAssertTrue(number.isZero || number.isMultiple(of: number))
                }
                if let instant = Instant(rfc3339: raw) {
                    instants += 1
                    // One second beyond the year 9999 or before 0000 has no RFC 3339.
                    if (0...9_999).contains(CivilTime(instant).year) {
                        XCTAssertEqual(Instant(instant.description), instant)
                    }
                }
            }
        }
        XCTAssertGreaterThan(numbers, 0)
        XCTAssertGreaterThan(instants, 0)
    }

    /// A splice of a damaged record is what the same changes make of its tree.
    func testSplicesAgreeWithTheTree() throws {
        var random = Fuzz.random()
        let record = JSONRecord(duplicateKeys: .lastWins, maximumDepth: 16)
        let splice = JSONSplice(record)
        let names = ["amount", "status", "order_id", "a", "c", "new", "q\"uote"]
        let fields = names.map { splice.field($0) }
        let output = OutputBuffer()
        let reader = JSONRecord(duplicateKeys: .lastWins, maximumDepth: 16)
        var spliced = 0
        for _ in 0..<inputs {
            let bytes = Mutation.mutate(&random, Mutation.records)
            var changes: [Int: Int?] = [:]
            for _ in 0..<random.below(4) {
                changes[random.below(names.count)] = .some(random.below(3) == 0 ? nil : random.below(1_000))
            }
            // What a record holds when the same fields are set and removed in a tree.
            var expected: [String: NaiveJSON]?
            output.removeAll()
            try? record.withRead(bytes) { root in
                splice.begin()
                for (field, value) in changes {
                    guard let value else {
                        splice.remove(fields[field])
                        continue
                    }
                    splice.set(fields[field])
                    splice.values.append(Int64(value))
                }
                guard splice.finish(into: output) else { return }
                var members: [String: NaiveJSON] = [:]
                for (key, value) in root.members { members[key.string] = NaiveJSON(value) }
                for (field, value) in changes { members[names[field]] = value.map { .number("\($0)") } }
                expected = members
            }
            guard let expected else { continue }
            spliced += 1
            var found: [String: NaiveJSON] = [:]
            do {
                try reader.withRead(Array(output.bytes)) { root in
                    for (key, value) in root.members { found[key.string] = NaiveJSON(value) }
                }
            } catch {
                return XCTFail("\(error): \(String(decoding: output.bytes, as: UTF8.self))")
            }
            guard found == expected else {
                return XCTFail("\(String(decoding: bytes, as: UTF8.self)) with \(changes): \(found)")
            }
        }
        XCTAssertGreaterThan(spliced, inputs / 20)
    }

    func testDurationsNeverTrapAndReadBack() {
        var random = Fuzz.random()
        let pieces = [
            "P", "T", "1", "Y", "M", "D", "W", "H", "S", "-", "+", ".", "0", "9223372036854775807", "999999999999",
            ".5", ".123456789123", "PT1H", "P1Y2M10DT2H30M", "é",
        ]
        var durations = 0
        for _ in 0..<inputs {
            let text =
                (random.below(4) == 0 ? "" : "P") + (0..<random.below(9)).map { _ in random.pick(pieces) }.joined()
            guard let duration = CalendarDuration(text) else { continue }
            durations += 1
            _ = duration.duration
            XCTAssertEqual(CalendarDuration(duration.description), duration, text)
        }
        XCTAssertGreaterThan(durations, 0)
    }
}
