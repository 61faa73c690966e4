internal import Synchronization

/// Writes events as lines: a constant message, and what varies as fields under dotted keys (`kafka.topic`).
///
/// A value, cheap to copy, usable from any thread. A line below the level costs one comparison; its fields are not even made.
///
///     let log = Logger(level: .info, format: .json).with(["application": .text(application)])
///     log.info("committed", ["stream.thread": 0, "records": .integer(count)])
public struct Logger: Sendable {
    public typealias Fields = KeyValuePairs<StaticString, LogValue>

    public let level: LogLevel
    private let output: LogOutput
    private let fields: [LogField]

    public init(
        level: LogLevel, format: LogFormat, isColored: Bool = false, writer: LogWriter = .standardError,
        clock: LogClock = .system
    ) {
        self.level = level
        output = LogOutput(format: format, isColored: isColored, writer: writer, clock: clock)
        fields = []
    }

    private init(_ logger: Logger, adding fields: Fields) {
        level = logger.level
        output = logger.output
        self.fields = logger.fields + fields.map(LogField.init)
    }

    /// The same logger with fields that every line carries.
    public func with(_ fields: Fields) -> Logger {
        Logger(self, adding: fields)
    }

    public func debug(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.debug, message, fields())
    }

    public func info(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.info, message, fields())
    }

    public func warn(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.warn, message, fields())
    }

    public func error(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.error, message, fields())
    }

    public func log(_ level: LogLevel, _ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        guard level >= self.level else { return }
        output.write(level, message, self.fields + fields().map(LogField.init))
    }

    /// An event whose fields were put together at run time.
    func log(_ level: LogLevel, _ message: StaticString, adding fields: [LogField]) {
        guard level >= self.level else { return }
        output.write(level, message, self.fields + fields)
    }

    /// Writes an event that may come in floods: the first at once, then one every ten seconds that tells how many were left
    /// out since (`suppressed`).
    ///
    /// - Parameter subject: what the flood is about, where one message has several, such as a topic.
    public func repeated(
        _ level: LogLevel, _ message: StaticString, about subject: String = "",
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        guard level >= self.level else { return }
        guard let suppressed = output.admit(message, subject) else { return }
        var all = self.fields + fields().map(LogField.init)
        if suppressed > 0 { all.append(LogField("suppressed", .integer(suppressed))) }
        output.write(level, message, all)
    }
}

/// What a field can hold.
public enum LogValue: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    case text(String)
    case integer(Int)
    case decimal(Double)
    case boolean(Bool)

    /// A duration as a number of milliseconds; the key says so (`duration.ms`).
    public static func milliseconds(_ duration: Duration) -> LogValue {
        .decimal(duration / .milliseconds(1))
    }

    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

struct LogField: Sendable {
    let key: StaticString
    let value: LogValue

    init(_ key: StaticString, _ value: LogValue) {
        self.key = key
        self.value = value
    }
}

/// What all copies of a logger share: where lines go, and the memory of floods.
private final class LogOutput: Sendable {
    private let format: LogFormat
    private let isColored: Bool
    private let writer: LogWriter
    private let clock: LogClock
    private let limiter = Mutex(RepetitionLimiter())

    init(format: LogFormat, isColored: Bool, writer: LogWriter, clock: LogClock) {
        self.format = format
        self.isColored = isColored
        self.writer = writer
        self.clock = clock
    }

    func write(_ level: LogLevel, _ message: StaticString, _ fields: [LogField]) {
        let line = LogLine(
            epochMilliseconds: clock.epochMilliseconds(), level: level, message: message, fields: fields)
        writer.write(format == .json ? line.json() : line.text(isColored: isColored))
    }

    func admit(_ message: StaticString, _ subject: String) -> Int? {
        let now = clock.elapsed()
        return limiter.withLock { $0.admit("\(message)\u{0}\(subject)", at: now) }
    }
}

/// Which of many like events are written: the first, then one per interval with the count of those left out.
struct RepetitionLimiter {
    private struct Flood {
        var writtenAt: Duration
        var suppressed: Int
    }

    private static let interval = Duration.seconds(10)
    /// Beyond so many subjects those that have been quiet for an interval are forgotten.
    private static let floodsMax = 1_000
    private var floods: [String: Flood] = [:]

    /// - Returns: how many were left out since the last one written, or `nil` if this one is to be left out.
    mutating func admit(_ key: String, at now: Duration) -> Int? {
        if var flood = floods[key] {
            if now - flood.writtenAt < Self.interval {
                flood.suppressed += 1
                floods[key] = flood
                return nil
            }
            floods[key] = Flood(writtenAt: now, suppressed: 0)
            return flood.suppressed
        }
        if floods.count >= Self.floodsMax {
            floods = floods.filter { now - $0.value.writtenAt < Self.interval }
        }
        floods[key] = Flood(writtenAt: now, suppressed: 0)
        return 0
    }
}
