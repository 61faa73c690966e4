/// Where the runtime says what happens: events, not records.
public protocol RuntimeLog: Sendable {
    func log(_ level: LogLevel, _ message: String, _ fields: [(name: String, value: String)])
}

public enum LogLevel: Int, Sendable, Comparable {
    case trace, debug, info, notice, warning, error

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
