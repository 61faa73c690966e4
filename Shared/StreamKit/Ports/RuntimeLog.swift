/// Where the runtime says what happens: events, not records.
public protocol RuntimeLog: Sendable {
    func log(_ level: RuntimeLogLevel, _ message: StaticString, _ fields: [(name: StaticString, value: String)])
}

public enum RuntimeLogLevel: Int, Sendable, Comparable {
    case trace, debug, info, notice, warning, error

    public static func < (left: RuntimeLogLevel, right: RuntimeLogLevel) -> Bool { left.rawValue < right.rawValue }
}
