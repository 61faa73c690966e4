public import StreamKit

/// A service: settings that the YAML gives, and the topology that follows from them. Conforming and `@main` make a program of
/// it, with the command line, environment, logs, metrics, health and lifecycle that all services have in common.
///
///     @main struct LargeOrders: StreamService {
///         static let name = "large-orders"
///         static let about = "Keeps large orders."
///         let input: ServiceInput, output: SinkDefinition
///
///         init(_ settings: SettingsReader) {
///             input = ServiceInput(settings)
///             output = settings.sink("output")
///         }
///
///         func declare(_ flow: Flow) {
///             flow.source("orders", topics: input.topics).filter("large") { ... }.to("large-orders", output)
///         }
///     }
public protocol StreamService: Sendable {
    /// The program's name.
    static var name: String { get }
    /// What it does, in a sentence for `--help`.
    static var about: String { get }

    /// Reads the service's own settings. Problems are recorded in the reader; all of them are shown together.
    init(_ settings: SettingsReader)

    /// Draws the topology.
    func declare(_ flow: Flow)

    /// What is to be looked after beside the records (reference data, say), made on a thread of its own; nil: nothing.
    func makeWatch() -> (@Sendable () -> any ServiceWatch)?
}

/// Work beside the records, on a thread of its own.
public protocol ServiceWatch: AnyObject {
    /// Called several times a second. Records are read once it has returned true for the first time.
    func look(_ cluster: any Cluster, _ logger: Logger) -> Bool
    func close()
}

extension StreamService {
    public func makeWatch() -> (@Sendable () -> any ServiceWatch)? { nil }

    public static func main() {
        ServiceProgram(Self.self).run()
    }
}

/// What a service reads: `input: topic`, or `input: [topic, topic]` for topics with equal numbers of partitions.
public struct ServiceInput: Sendable {
    public let topics: [String]

    public init(_ settings: SettingsReader) {
        topics = settings.listOrOne("input", .topicName)
        if topics.isEmpty { settings.problem("input", "names no topic") }
        if Set(topics).count < topics.count { settings.problem("input", "names a topic twice") }
    }
}

extension SettingsReader {
    /// A topic to write to: `key: topic`, or `key: {topic: ..., partitions: 4}` to have it created where it does not exist.
    public func sink(_ key: String) -> SinkDefinition {
        if isScalar(key) { return SinkDefinition(required(key, .topicName)) }
        let section = section(key)
        return SinkDefinition(
            section.required("topic", .topicName),
            partitions: section.optional("partitions", .integer(in: 1...100_000)).map(Int32.init))
    }

    public func optionalSink(_ key: String) -> SinkDefinition? { isPresent(key) ? sink(key) : nil }

    /// Either one value or a list of them.
    public func listOrOne<Value>(_ key: String, _ kind: SettingKind<Value>) -> [Value] {
        isScalar(key) ? [required(key, kind)] : list(key, kind)
    }
}
