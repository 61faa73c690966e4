import JSON
import TestSupport
import XCTest

final class DecimalTests: XCTestCase {
    private func decimal(_ text: String, file: StaticString = #filePath, line: UInt = #line) throws -> Decimal {
        try XCTUnwrap(Decimal(text), text, file: file, line: line)
    }

    func testParsesWhatItPrints() throws {
        for text in [
            "0", "1", "-1", "1.50", "-0.05", "0.000", "123456789012345678", "9999999999999999999", "-12345.678900",
            "99999999999999999999999999999999999999", "-0.00000000000000000000000000000000000001",
            "170141183460469231731687303715884105727", "1.70141183460469231731687303715884105727",
        ] {
            XCTAssertEqual(try decimal(text).description, text)
        }
    }

    func testExponentsAreMultipliedOut() throws {
        for (text, expected) in [
            ("1E+3", "1000"), ("1e3", "1000"), ("1.5e1", "15"), ("1.50e1", "15.0"), ("15e-1", "1.5"),
            ("-2.5E-3", "-0.0025"),
            ("0e400", "0"), ("0.0E-999999999999", "0." + String(repeating: "0", count: 38)), ("+7", "7"), ("007", "7"),
            ("1000e-41", "0." + String(repeating: "0", count: 37) + "1"), ("00000000000000000000000001.5", "1.5"),
            ("1." + String(repeating: "0", count: 60), "1." + String(repeating: "0", count: 38)),
        ] {
            XCTAssertEqual(try decimal(text).description, expected, text)
        }
    }

    func testMalformedOrTooLargeTextIsRefused() {
        for text in [
            "", "-", "+", ".", "1.", ".5", "1e", "1e+", "1e-", "e5", "1.e5", "--1", "1 ", " 1", "1,5", "0x10", "NaN",
            "inf",
            "12abc", "1.2.3", "1e5.5", "1e+-5", "1e39", "1e-39", "170141183460469231731687303715884105728",
            "1e999999999999999999",
            "223456789012345678901234567890.123456789", String(repeating: "9", count: 39), "1234567890123456789.x12",
            "12345678901234567890.", "..............................", "١",
        ] {
            XCTAssertNil(Decimal(text), text)
        }
    }

    func testEqualityAndHashAreNumeric() throws {
        let pairs = [
            ("1.0", "1.00"), ("0", "0.000"), ("-0", "0"), ("1e3", "1000.0"), ("100000000000000000000", "1e20"),
        ]
        for (left, right) in pairs {
            XCTAssertEqual(try decimal(left), try decimal(right))
            XCTAssertEqual(try decimal(left).hashValue, try decimal(right).hashValue)
        }
        XCTAssertNotEqual(try decimal("1.0"), try decimal("1.01"))
    }

    func testOrderAcrossScales() throws {
        let ascending = [
            "-1e38", "-99999999999999999999.5", "-2", "-1.5", "-1.49999999999999999999", "-1e-38", "0", "1e-38", "0.1",
            "0.11",
            "1.000000000000000000000000000001", "2", "9.99", "10", "1e20", "1.00000000000000000001e20", "1e38",
        ]
        let numbers = try ascending.map { try decimal($0) }
        for (index, left) in numbers.enumerated() {
            for (other, right) in numbers.enumerated() {
                XCTAssertEqual(left < right, index < other, "\(left) < \(right)")
                XCTAssertEqual(left == right, index == other, "\(left) == \(right)")
            }
        }
    }

    func testArithmeticIsExact() throws {
        XCTAssertEqual(try decimal("0.1").adding(decimal("0.2")).description, "0.3")
        XCTAssertEqual(try decimal("1.5").adding(decimal("2.25")).description, "3.75")
        XCTAssertEqual(
            try decimal("1").subtracting(decimal("0.000000000000000000000001")).description,
            "0.999999999999999999999999")
        XCTAssertEqual(try decimal("129.95").multiplied(by: decimal("0.0825")).description, "10.720875")
        XCTAssertEqual(
            try decimal("12345678901234567890").multiplied(by: decimal("-1234567890123456789")).description,
            "-15241578753238836750190519987501905210")
        XCTAssertEqual(try decimal("1e-20").multiplied(by: decimal("10000e-22")).scale, 38)
        XCTAssertEqual(try decimal("5").negated().description, "-5")
        XCTAssertEqual(try decimal("-5.10").absolute().description, "5.10")
    }

    func testOverflowIsAnErrorAndNeverAWrap() throws {
        let greatest = try decimal("170141183460469231731687303715884105727")
        for operation in [
            { try greatest.adding(Decimal(1)) }, { try greatest.multiplied(by: Decimal(2)) },
            { try greatest.rounded(scale: 1) }, { try greatest.negated().subtracting(Decimal(2)) },
            { try greatest.adding(XCTUnwrap(Decimal("0.1"))) },
            { try XCTUnwrap(Decimal("1e-20")).multiplied(by: XCTUnwrap(Decimal("1e-19"))) },
            { try greatest.divided(by: XCTUnwrap(Decimal("0.1")), scale: 0) },
            { try Decimal(1).divided(by: XCTUnwrap(Decimal("1e-38")), scale: 38) },
        ] as [() throws -> Decimal] {
            XCTAssertThrowsError(try operation()) { XCTAssertEqual($0 as? DecimalError, .overflow) }
        }
        XCTAssertThrowsError(try greatest.divided(by: .zero, scale: 2)) {
            XCTAssertEqual($0 as? DecimalError, .divisionByZero)
        }
        XCTAssertThrowsError(try greatest.divided(by: Decimal(1), scale: 39)) {
            XCTAssertEqual($0 as? DecimalError, .scaleOutOfRange(39))
        }
        XCTAssertThrowsError(try greatest.rounded(scale: -39)) {
            XCTAssertEqual($0 as? DecimalError, .scaleOutOfRange(-39))
        }
    }

    func testRoundingModes() throws {
        let expected: [RoundingMode: [String]] = [
            .halfEven: ["2", "2", "4", "-2", "-2", "3", "-3", "2"],
            .halfUp: ["2", "3", "4", "-2", "-3", "3", "-3", "2"],
            .halfDown: ["2", "2", "3", "-2", "-2", "3", "-3", "2"],
            .up: ["3", "3", "4", "-3", "-3", "3", "-3", "2"],
            .down: ["2", "2", "3", "-2", "-2", "2", "-2", "2"],
            .ceiling: ["3", "3", "4", "-2", "-2", "3", "-2", "2"],
            .floor: ["2", "2", "3", "-3", "-3", "2", "-3", "2"],
        ]
        let inputs = ["2.4", "2.5", "3.5", "-2.4", "-2.5", "2.51", "-2.51", "2.00"]
        // Wide numbers take another path: the same digits above 10^20.
        let shift = try decimal("1e20")
        for mode in RoundingMode.allCases {
            for (input, result) in zip(inputs, expected[mode] ?? []) {
                XCTAssertEqual(try decimal(input).rounded(scale: 0, mode: mode).description, result, "\(input) \(mode)")
                let sign = try decimal(input).isNegative ? shift.negated() : shift
                XCTAssertEqual(
                    try decimal(input).adding(sign).rounded(scale: 0, mode: mode),
                    try decimal(result).adding(sign), "wide \(input) \(mode)")
                XCTAssertEqual(
                    try decimal(input).divided(by: Decimal(1), scale: 0, rounding: mode).description, result,
                    "\(input) / 1 \(mode)")
            }
        }
        XCTAssertEqual(try decimal("5").rounded(scale: 2).description, "5.00")
        XCTAssertEqual(try decimal("1250").rounded(scale: -2).description, "1200")
        XCTAssertEqual(try decimal("1250.01").rounded(scale: -2).description, "1300")
        XCTAssertEqual(
            try decimal("0.5").rounded(scale: -38, mode: .up).description, "1" + String(repeating: "0", count: 38))
    }

    func testDivisionRoundsTheExactQuotient() throws {
        XCTAssertEqual(try Decimal(1).divided(by: Decimal(3), scale: 5).description, "0.33333")
        XCTAssertEqual(try Decimal(-2).divided(by: Decimal(3), scale: 4).description, "-0.6667")
        XCTAssertEqual(try Decimal(1).divided(by: Decimal(8), scale: 2, rounding: .halfEven).description, "0.12")
        XCTAssertEqual(try Decimal(1).divided(by: Decimal(8), scale: 2, rounding: .halfUp).description, "0.13")
        XCTAssertEqual(
            try Decimal(1).divided(by: Decimal(7), scale: 38).description, "0.14285714285714285714285714285714285714")
        XCTAssertEqual(
            try decimal("1e-38").divided(by: decimal("1e38"), scale: 38, rounding: .up).description.last, "1")
        XCTAssertEqual(try decimal("1e-38").divided(by: decimal("1e38"), scale: 38).mantissa, 0)
        XCTAssertEqual(
            try decimal("1e-38").divided(by: decimal("1e-38"), scale: 37).description,
            "1." + String(repeating: "0", count: 37))
    }

    func testMultiplesAreExact() throws {
        for (number, divisor, expected) in [
            ("0.0075", "0.0001", true), ("0.00751", "0.0001", false), ("4.5", "1.5", true), ("35", "1.5", false),
            ("1e38", "0.0000000000000000000000000000000000001", true), ("12.10", "0.01", true), ("0", "3", true),
            ("1", "0.3", false), ("1.000000000000000000000000000000000001", "1e38", false), ("-9", "3", true),
        ] {
            XCTAssertEqual(try decimal(number).isMultiple(of: decimal(divisor)), expected, "\(number) of \(divisor)")
        }
        XCTAssertFalse(Decimal(1).isMultiple(of: .zero))
    }

    func testConversions() throws {
        XCTAssertEqual(try decimal("42.00").int64Value, 42)
        XCTAssertNil(try decimal("42.01").int64Value)
        XCTAssertNil(try decimal("9223372036854775808").int64Value)
        XCTAssertEqual(try decimal("18446744073709551615").uint64Value, .max)
        XCTAssertNil(try decimal("-1").uint64Value)
        XCTAssertEqual(try decimal("0.1").doubleValue, 0.1)
        XCTAssertEqual(
            try decimal("-170141183460469231731687303715884105727").doubleValue,
            -170141183460469231731687303715884105727.0)
    }

    func testRandomNumbersKeepTheLawsOfArithmetic() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            let a = random.decimal()
            let b = random.decimal()
            XCTAssertEqual(Decimal(a.description)?.description, a.description)
            if let sum = try? a.adding(b) {
                XCTAssertEqual(try b.adding(a), sum)
                if let back = try? sum.subtracting(b) { XCTAssertEqual(back, a, "\(a) + \(b) - \(b)") }
            }
            if let product = try? a.multiplied(by: b), !b.isZero {
                XCTAssertTrue(product.isMultiple(of: b) || !a.isInteger, "\(a) * \(b)")
                if let back = try? product.divided(by: b, scale: a.scale, rounding: .down) {
                    XCTAssertEqual(back, a, "\(a) * \(b) / \(b)")
                }
            }
            for mode in RoundingMode.allCases {
                let scale = random.below(12)
                guard let rounded = try? a.rounded(scale: scale, mode: mode), let error = try? rounded.subtracting(a)
                else { continue }
                let unit = try XCTUnwrap(Decimal(mantissa: 1, scale: scale))
                XCTAssertLessThan(try error.absolute(), unit, "\(a) to \(scale) by \(mode)")
                if let quotient = try? a.divided(by: Decimal(1), scale: scale, rounding: mode) {
                    XCTAssertEqual(quotient, rounded, "\(a) to \(scale) by \(mode)")
                }
            }
        }
    }
}

extension SeededRandom {
    /// Numbers of all sizes, small ones more often.
    fileprivate mutating func decimal() -> Decimal {
        let bits = below(127)
        let wide = Int128(truncatingIfNeeded: UInt128(next()) << 64 | UInt128(next())) >> (127 - bits)
        return Decimal(mantissa: wide, scale: below(bits < 64 ? 12 : 39)) ?? .zero
    }
}
