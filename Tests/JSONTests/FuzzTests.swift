import Foundation
import JSON
import XCTest

/// How many inputs each fuzz test tries: `STREAMKIT_FUZZ_INPUTS`, a million for a night's run.
let fuzzInputs = ProcessInfo.processInfo.environment["STREAMKIT_FUZZ_INPUTS"].flatMap { Int($0) } ?? 100_000

final class FuzzTests: XCTestCase {
    private static let seeds = [
        #"{"order_id":"ORD-00001234","customer_id":"CUST-eu-99","amount":129.95,"currency":"EUR","items_count":3,"created_at":"2026-11-21T14:30:05.120Z","status":"confirmed"}"#,
        #"{"a":{"b":[1,2.50,-3e+10,{"c":null,"d":[true,false]}],"a":"x"},"b":"\u00e9\ud83d\ude00\n","c":"grüß 日本 😀"}"#,
        #"[[],{},"",0,-0.0,1E5,"\"\\\/\b\f\n\r\t",{"":[[[[]]]]}]"#, #" { "k" : [ 1 , 2 ] , "l" : { } } "#,
        "123456789012345678901234567890",
        #"{"a":1,"a":2}"#, #""\ud800""#,
    ].map { Array($0.utf8) }

    private static let fragments = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "\\u", "\\ud83d", "\\ude00", "0", "-", "e", ".", "null", "true", " ",
        "\n", "\"a\":", "é", "😀",
        "2026-12-31T23:59:60Z", "1e", "+", "Z",
    ].map { Array($0.utf8) }

    /// A valid text with a few random changes.
    private func mutate(_ random: inout SeededRandom, _ seeds: [[UInt8]]) -> [UInt8] {
        var bytes = seeds[random.below(seeds.count)]
        for _ in 0..<random.below(4) {
            let position = random.below(bytes.count + 1)
            switch random.below(6) {
            case 0: if position < bytes.count { bytes[position] = UInt8(truncatingIfNeeded: random.next()) }
            case 1: bytes.insert(contentsOf: Self.fragments[random.below(Self.fragments.count)], at: position)
            case 2: bytes.removeSubrange(position..<min(bytes.count, position + 1 + random.below(4)))
            case 3: bytes.removeSubrange(position...)
            case 4: if position < bytes.count { bytes[position] ^= 1 << UInt8(random.below(8)) }
            default:
                let start = random.below(bytes.count + 1)
                bytes.insert(contentsOf: bytes[start..<min(bytes.count, start + random.below(30))], at: position)
            }
            if bytes.isEmpty { break }
        }
        return bytes
    }

    func testReaderAgreesWithTheGrammar() throws {
        var random = SeededRandom(seed: 20_261_121)
        let record = JSONRecord(maximumDepth: 8)
        _ = record.declare("amount")
        var accepted = 0
        for _ in 0..<fuzzInputs {
            let bytes = mutate(&random, Self.seeds)
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
            let bytes = mutate(&random, seeds)
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
