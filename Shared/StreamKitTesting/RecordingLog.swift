public import StreamKit
import Synchronization

/// Keeps what the runtime logs, for a test to look at.
public final class RecordingLog: RuntimeLog {
    public struct Entry: Sendable, CustomStringConvertible {
        public let level: RuntimeLogLevel
        public let message: String
        public let fields: [(name: String, value: String)]

        public var description: String {
            "\(level) \(message) " + fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        }
    }

    private let kept = Mutex<[Entry]>([])

    public init() {}

    public var entries: [Entry] { kept.withLock { $0 } }
    public func messages(atLeast level: RuntimeLogLevel = .trace) -> [String] {
        entries.filter { $0.level >= level }.map(\.message)
    }

    public func log(_ level: RuntimeLogLevel, _ message: StaticString, _ fields: [(name: StaticString, value: String)])
    {
        let entry = Entry(level: level, message: "\(message)", fields: fields.map { ("\($0.name)", $0.value) })
        kept.withLock { $0.append(entry) }
    }
}
