/// How much a log line matters; lines below the chosen level are not written.
public enum LogLevel: String, CaseIterable, Comparable, Sendable {
    case debug, info, warn, error

    public static func < (first: LogLevel, second: LogLevel) -> Bool {
        first.rank < second.rank
    }

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warn: 2
        case .error: 3
        }
    }
}

/// One JSON object a line for machines, or one readable line for people.
public enum LogFormat: String, CaseIterable, Sendable {
    case json, text
}
