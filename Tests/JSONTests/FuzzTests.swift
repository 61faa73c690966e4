import Foundation
import JSON
import XCTest
import TestSupport

/// How many inputs each fuzz test tries: `STREAMKIT_FUZZ_INPUTS`, a million for a night's run.
let fuzzInputs = ProcessInfo.processInfo.environment["STREAMKIT_FUZZ_INPUTS"].flatMap { Int($0) } ?? 100_000

final class FuzzTests: XCTestCase {
    func testReaderAgreesWithTheGrammar() throws {
        var random = SeededRandom(seed: 20_261_121)
        let record = JSONRecord(maximumDepth: 8)
        _ = record.declare("amount")
        var accepted = 0
        for _ in 0..<fuzzInputs {
            let bytes = Mutation.mutate(&random, Mutation.records)
            let expected = NaiveParser.parse(bytes, maximumDepth: 8)
            let actual = try? record.withRead(bytes) { NaiveJSON($0) }
            guard expected == actual else {
                XCTFail("\(String(decoding: bytes, as: UTF8.self)): expected \(String(describing: expected))")
                return
            }
            if actual != nil { accepted += 1 }
        }
        XCTAssertGreaterThan(accepted, fuzzInputs / 10)
        XCTAssertLessThan(accepted, fuzzInputs * 9 / 10)
    }

    func testNumbersAndTimesNeverTrapAndReadBack() {
        var random = SeededRandom(seed: 4)
        let seeds = [
            "129.95", "-0.000001e-12", "170141183460469231731687303715884105727", "1E+38", "2026-11-21T14:30:05.120Z",
            "1990-12-31T15:59:60-08:00", "0000-01-01T00:00:00.000000000+23:59", "99999999999999999999.99999",
        ].map { Array($0.utf8) }
        var numbers = 0
        var instants = 0
        for _ in 0..<fuzzInputs {
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
}
