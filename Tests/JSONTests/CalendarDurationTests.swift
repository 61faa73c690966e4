import JSON
import XCTest

final class CalendarDurationTests: XCTestCase {
    func testParsesAndPrints() throws {
        for (text, months, days, time, printed) in [
            ("P1Y2M10DT2H30M", 14, 10, .seconds(9_000), "P1Y2M10DT2H30M"),
            ("PT1.5S", 0, 0, .milliseconds(1_500), "PT1.5S"),
            ("P2W", 0, 14, .zero, "P14D"), ("PT0S", 0, 0, .zero, "PT0S"),
            ("-PT1H0.25S", 0, 0, .milliseconds(-3_600_250), "-PT1H0.25S"),
            ("+P1D", 0, 1, .zero, "P1D"), ("PT36H", 0, 0, .seconds(129_600), "PT36H"),
            ("PT0,000000001S", 0, 0, .nanoseconds(1), "PT0.000000001S"),
            ("PT0.1234567899S", 0, 0, .nanoseconds(123_456_789), "PT0.123456789S"), ("P1Y2D", 12, 2, .zero, "P1Y2D"),
            ("PT90M", 0, 0, .seconds(5_400), "PT1H30M"),
        ] as [(String, Int64, Int64, Duration, String)] {
            let duration = try XCTUnwrap(CalendarDuration(text), text)
            XCTAssertEqual(duration, CalendarDuration(months: months, days: days, time: time), text)
            XCTAssertEqual(duration.description, printed)
            XCTAssertEqual(CalendarDuration(printed), duration)
        }
    }

    func testMalformedOrTooLongIsRefused() {
        for text in [
            "", "P", "PT", "1D", "P1", "PD", "P1H", "PT1D", "P1D1Y", "P1M1Y", "PT1S1M", "P1DT", "P1.5D", "PT1.5M",
            "PT.5S", "PT1.S", "P-1D", "P1D ", "P1Y1Y",
            "p1d", "P99999999999999999999D", "P9223372036854775807Y", "PT9223372036854775807H", "P1TT1S",
        ] {
            XCTAssertNil(CalendarDuration(text), text)
        }
    }

    func testOnlyWhatHasNoMonthsIsExact() {
        XCTAssertEqual(CalendarDuration("P1DT1S")?.duration, .seconds(86_401))
        XCTAssertEqual(CalendarDuration("-P1DT0.5S")?.duration, .milliseconds(-86_400_500))
        XCTAssertNil(CalendarDuration("P1M")?.duration)
        XCTAssertNil(CalendarDuration(days: .max).duration)
    }
}
