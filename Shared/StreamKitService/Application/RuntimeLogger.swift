internal import StreamKit

/// The runtime's events as log lines.
struct RuntimeLogger: RuntimeLog {
    let logger: Logger

    func log(_ level: RuntimeLogLevel, _ message: StaticString, _ fields: [(name: StaticString, value: String)]) {
        logger.log(Self.level(level), message, adding: fields.map { LogField($0.name, .text($0.value)) })
    }

    private static func level(_ level: RuntimeLogLevel) -> LogLevel {
        switch level {
        case .trace, .debug: .debug
        case .info, .notice: .info
        case .warning: .warn
        case .error: .error
        }
    }
}
