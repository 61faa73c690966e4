import Foundation
import JSON
import TestSupport
import XCTest

final class InstantTests: XCTestCase {
    func testParsesRFC3339() throws {
        for (text, seconds, nanoseconds) in [
            ("1970-01-01T00:00:00Z", 0, 0), ("1985-04-12T23:20:50.52Z", 482_196_050, 520_000_000),
            ("1996-12-19T16:39:57-08:00", 851_042_397, 0),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_173, 870_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1, 999_999_999), ("2024-02-29T00:00:00z", 1_709_164_800, 0),
            ("0000-01-01t00:00:00Z", -62_167_219_200, 0), ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:59.1234567891Z", 253_402_300_799, 123_456_789),
            // Leap seconds are the first second of the next day.
            ("1990-12-31T23:59:60Z", 662_688_000, 0), ("1990-12-31T15:59:60.5-08:00", 662_688_000, 500_000_000),
            ("2017-01-01T05:29:60+05:30", 1_483_228_800, 0),
        ] as [(String, Int64, Int32)] {
            let instant = try XCTUnwrap(Instant(text), text)
            XCTAssertEqual(instant.seconds, seconds, text)
            XCTAssertEqual(instant.nanoseconds, nanoseconds, text)
        }
    }

    func testMalformedOrImpossibleTimesAreRefused() {
        for text in [
            "", "1985-04-12", "1985-04-12T23:20:50", "1985-04-12 23:20:50Z", "1985-4-12T23:20:50Z", "1985-04-12T23:20Z",
            "1990-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "1990-02-31T15:59:59.123-08:00", "1990-04-31T00:00:00Z",
            "1990-00-01T00:00:00Z", "1990-13-01T00:00:00Z", "1990-01-00T00:00:00Z", "1990-12-31T24:00:00Z",
            "1990-12-31T23:60:00Z",
            "1990-12-31T23:59:61Z", "1998-12-31T23:58:60Z", "1998-12-31T22:59:60Z", "1998-12-30T23:59:60Z",
            "1990-12-31T15:59:59-24:00", "1990-12-31T15:59:59+00:60", "1990-12-31T15:59:59+0000",
            "1990-12-31T15:59:59+00",
            "1990-12-31T15:59:59.Z", "1990-12-31T15:59:59,5Z", "1990-12-31T15:59:59Zx", "1990-12-31T15:59:59.5",
            "2013-350T01:01:01Z",
            "１990-12-31T15:59:59Z", "1990-12-31T15:59:5৪Z", "+990-12-31T15:59:59Z", "1990-12-31T-1:59:59Z",
        ] {
            XCTAssertNil(Instant(text), text)
        }
    }

    func testWritesWithTheDigitsAskedFor() throws {
        let instant = try XCTUnwrap(Instant("2026-11-21T14:30:05.120450999Z"))
        XCTAssertEqual(instant.formatted(fraction: .exactly(0)), "2026-11-21T14:30:05Z")
        XCTAssertEqual(instant.formatted(fraction: .exactly(3)), "2026-11-21T14:30:05.120Z")
        XCTAssertEqual(instant.formatted(fraction: .exactly(6)), "2026-11-21T14:30:05.120450Z")
        XCTAssertEqual(instant.formatted(fraction: .exactly(9)), "2026-11-21T14:30:05.120450999Z")
        XCTAssertEqual(instant.description, "2026-11-21T14:30:05.120450999Z")
        XCTAssertEqual(
            instant.formatted(fraction: .exactly(0), offsetSeconds: 5 * 3_600 + 1_800), "2026-11-21T20:00:05+05:30")
        XCTAssertEqual(instant.formatted(fraction: .exactly(0), offsetSeconds: -12_600), "2026-11-21T11:00:05-03:30")
        for text in [
            "1969-12-31T23:59:59.5Z", "0000-02-29T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
            "2000-01-01T00:00:00.000001Z",
        ] {
            XCTAssertEqual(Instant(text).flatMap { Instant($0.description) }, Instant(text))
        }
        XCTAssertEqual(Instant("1969-12-31T23:59:59.5Z")?.description, "1969-12-31T23:59:59.500Z")
    }

    func testAllMillisecondsOf64BitsAreInstants() {
        for milliseconds in [Int64.min, -1, 0, 1, 999, 1_000, -1_000, -1_001, 1_732_199_405_123, .max] {
            XCTAssertEqual(Instant(millisecondsSinceEpoch: milliseconds).millisecondsSinceEpoch, milliseconds)
        }
        XCTAssertEqual(Instant(millisecondsSinceEpoch: .max).description, "+292278994-08-17T07:12:55.807Z")
        XCTAssertEqual(Instant(millisecondsSinceEpoch: .min).description, "-292275055-05-16T16:47:04.192Z")
    }

    func testOrderAndDurations() throws {
        let early = try XCTUnwrap(Instant("1969-12-31T23:59:59.9Z"))
        let late = try XCTUnwrap(Instant("1970-01-01T00:00:01.1Z"))
        XCTAssertLessThan(early, late)
        XCTAssertEqual(late.duration(since: early), .milliseconds(1_200))
        XCTAssertEqual(early.advanced(by: .milliseconds(1_200)), late)
        XCTAssertEqual(late.advanced(by: .milliseconds(-1_200)), early)
        XCTAssertEqual(late.advanced(by: .nanoseconds(-1_100_000_001))?.description, "1969-12-31T23:59:59.999999999Z")
        XCTAssertNil(Instant(millisecondsSinceEpoch: .max).advanced(by: .seconds(10)))
        XCTAssertNil(Instant(seconds: 0, nanoseconds: 1_000_000_000))
        XCTAssertNil(Instant(seconds: .max))
        XCTAssertGreaterThan(Instant.now(), try XCTUnwrap(Instant("2024-01-01T00:00:00Z")))
    }

    func testCalendarAgreesWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try XCTUnwrap(TimeZone(identifier: "UTC"))
        var random = SeededRandom(seed: 3)
        for _ in 0..<3_000 {
            // Foundation's Gregorian calendar is Julian before 1582.
            let seconds = Int64(random.below(265_000_000_000)) - 12_000_000_000
            let instant = try XCTUnwrap(Instant(seconds: seconds))
            let civil = CivilTime(instant)
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second, .weekday],
                from: Date(timeIntervalSince1970: Double(seconds)))
            XCTAssertEqual(civil.year, parts.year)
            XCTAssertEqual(civil.month, parts.month)
            XCTAssertEqual(civil.day, parts.day)
            XCTAssertEqual(civil.hour, parts.hour)
            XCTAssertEqual(civil.minute, parts.minute)
            XCTAssertEqual(civil.second, parts.second)
            XCTAssertEqual(civil.weekday + 1, parts.weekday)
            XCTAssertEqual(civil.instant(), instant)
            XCTAssertEqual(CivilDate(year: civil.year, month: civil.month, day: civil.day), civil.date)
        }
        XCTAssertEqual(CivilDate(year: 2024, month: 12, day: 31)?.dayOfYear, 366)
        XCTAssertEqual(CivilDate(year: 2023, month: 3, day: 1)?.dayOfYear, 60)
        XCTAssertNil(CivilDate(year: 2023, month: 2, day: 29))
    }

    func testEveryDayOfEightCenturiesRoundTrips() {
        var previous: CivilDate?
        for day in -146_097...146_097 {
            let date = CivilDate(daysSinceEpoch: day)
            XCTAssertEqual(date.daysSinceEpoch, day)
            if let previous { XCTAssertLessThan(previous, date) }
            previous = date
        }
    }
}
