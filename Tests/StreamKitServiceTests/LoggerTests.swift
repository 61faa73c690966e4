import Foundation
import StreamKitService
import Synchronization
import XCTest

/// A log's lines and its clock, in a test's hand.
private final class Capture: Sendable {
    private let lines = Mutex<[[UInt8]]>([])
    private let elapsedMilliseconds = Atomic(0)

    func logger(_ format: LogFormat = .json, level: LogLevel = .debug, isColored: Bool = false) -> Logger {
        Logger(
            level: level, format: format, isColored: isColored,
            writer: LogWriter { line in self.lines.withLock { $0.append(line) } },
            clock: LogClock(
                epochMilliseconds: { 1_736_782_245_123 + Int64(self.elapsedMilliseconds.load(ordering: .relaxed)) },
                elapsed: { .milliseconds(self.elapsedMilliseconds.load(ordering: .relaxed)) }))
    }

    func advance(_ milliseconds: Int) {
        elapsedMilliseconds.add(milliseconds, ordering: .relaxed)
    }

    var texts: [String] { lines.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }

    func objects() throws -> [[String: Any]] {
        try lines.withLock { $0 }.map { line in
            XCTAssertEqual(line.last, UInt8(ascii: "\n"))
            XCTAssertEqual(line.count { $0 == UInt8(ascii: "\n") }, 1)
            return try XCTUnwrap(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        }
    }
}

final class LoggerTests: XCTestCase {
    func testAJSONLine() {
        let capture = Capture()
        capture.logger().with(["application": "orders"]).info(
            "committed",
            ["kafka.offset": 5, "ratio": .decimal(0.5), "final": true, "took.ms": .milliseconds(.microseconds(1_500))])
        XCTAssertEqual(
            capture.texts,
            [
                #"{"time":"2025-01-13T15:30:45.123Z","level":"info","message":"committed","application":"orders","#
                    + #""kafka.offset":5,"ratio":0.5,"final":true,"took.ms":1.5}"# + "\n"
            ])
    }

    func testATextLine() {
        let capture = Capture()
        capture.logger(.text).warn("topic is missing", ["topic": "a.b", "reason": "not there", "empty": "", "n": 3])
        XCTAssertEqual(
            capture.texts,
            ["2025-01-13T15:30:45.123Z warn  topic is missing topic=a.b reason=\"not there\" empty=\"\" n=3\n"])
    }

    func testColoursOnlyWhereAsked() {
        let capture = Capture()
        capture.logger(.text, isColored: true).error("x", ["k": "v"])
        XCTAssertEqual(
            capture.texts,
            ["\u{1B}[2m2025-01-13T15:30:45.123Z\u{1B}[0m \u{1B}[1;31merror\u{1B}[0m x \u{1B}[2mk=\u{1B}[0mv\n"])
    }

    func testEveryTextSurvivesJSON() throws {
        var texts = ["", "\"", "\\", "\n\r\t", "\u{0}\u{1F}\u{7F}\u{9B}31m", "\u{1B}[31m", "é 🎉 \u{2028}", "</script>"]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let scalars = (0..<20).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x1_1000, using: &random)) }
            texts.append(String(String.UnicodeScalarView(scalars)))
        }
        let capture = Capture()
        for text in texts { capture.logger().info("m", ["value": .text(text)]) }
        let decoded = try capture.objects().map { $0["value"] as? String ?? "missing" }
        XCTAssertEqual(decoded.map { Array($0.unicodeScalars) }, texts.map { Array($0.unicodeScalars) })
    }

    func testTextLinesNeverCarryControlCharacters() {
        let capture = Capture()
        capture.logger(.text).info("m", ["value": "a\u{1B}[31m\nlevel=error \u{9B}1m"])
        XCTAssertEqual(
            capture.texts.map { $0.dropLast().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x9B } }, [false]
        )
    }

    func testNumbersThatJSONCannotHold() throws {
        let capture = Capture()
        capture.logger().info("m", ["a": .decimal(.nan), "b": .decimal(-.infinity)])
        XCTAssertEqual(try capture.objects().first?["b"] as? String, "-inf")
    }

    func testLevels() {
        let capture = Capture()
        let log = capture.logger(level: .warn)
        log.debug("a")
        log.info("b")
        log.warn("c")
        log.error("d")
        XCTAssertEqual(capture.texts.count, 2)
    }

    func testFieldsOfAQuietLevelAreNotMade() {
        let capture = Capture()
        var made = 0
        func field() -> LogValue {
            made += 1
            return 1
        }
        capture.logger(level: .info).debug("a", ["x": field()])
        XCTAssertEqual(made, 0)
        capture.logger(level: .debug).debug("a", ["x": field()])
        XCTAssertEqual(made, 1)
    }

    func testAKeyOccursOnce() {
        let capture = Capture()
        capture.logger().with(["a": 1, "b": 1]).with(["a": 2]).info("m", ["b": 3, "level": "x", "time": "y"])
        XCTAssertTrue(
            capture.texts.first?.hasSuffix(#""message":"m","a":2,"b":3}"# + "\n") ?? false, "\(capture.texts)")
    }

    func testFloodsAreThinnedAndCounted() throws {
        let capture = Capture()
        let log = capture.logger()
        for second in 0..<25 {
            for _ in 0..<4 { log.repeated(.warn, "refused", about: "a") }
            if second == 3 { log.repeated(.warn, "refused", about: "b") }
            capture.advance(1_000)
        }
        let lines = try capture.objects()
        XCTAssertEqual(lines.map { $0["suppressed"] as? Int }, [nil, nil, 39, 39])
        XCTAssertEqual(
            lines.compactMap { $0["time"] as? String }.map { $0.suffix(11) },
            ["30:45.123Z", "30:48.123Z", "30:55.123Z", "31:05.123Z"].map { ":" + $0 })
    }

    func testTimesOfTheCalendar() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        // From the year 1583, where the calendars agree, to 9999; a step that is no multiple of days or years.
        for milliseconds in stride(
            from: Int64(-12_212_553_600_000), to: 253_402_300_799_999, by: 86_400_000 * 397 + 3_661_007)
        {
            let written = Mutex("")
            Logger(
                level: .info, format: .text,
                writer: LogWriter { line in written.withLock { $0 = String(decoding: line, as: UTF8.self) } },
                clock: LogClock(epochMilliseconds: { milliseconds }, elapsed: { .zero })
            ).info("x")
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
            XCTAssertEqual(
                written.withLock { $0.prefix(24) }, formatter.string(from: date).prefix(24), "\(milliseconds)")
        }
    }

    func testManyThreadsWriteWholeLines() throws {
        var descriptors: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&descriptors), 0)
        let (readEnd, writeEnd) = (descriptors[0], descriptors[1])
        let log = Logger(level: .info, format: .json, writer: LogWriter(descriptor: writeEnd))
        let long = String(repeating: "x", count: 6_000)
        let remaining = Atomic(4)
        let threads = (0..<4).map { number in
            Thread {
                for line in 0..<50 {
                    log.info("m", ["thread": .integer(number), "line": .integer(line), "long": .text(long)])
                }
                if remaining.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { close(writeEnd) }
            }
        }
        threads.forEach { $0.start() }
        let bytes = FileHandle(fileDescriptor: readEnd, closeOnDealloc: true).readDataToEndOfFile()
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        XCTAssertEqual(lines.count, 200)
        for line in lines {
            let object = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            XCTAssertEqual((object["long"] as? String)?.count, 6_000)
        }
    }
}
