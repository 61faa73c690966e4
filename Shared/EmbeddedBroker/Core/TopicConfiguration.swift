/// A topic's settings: those given for it, and what follows from them.
struct TopicConfiguration {
    private struct Definition {
        let name: String
        let kind: ConfigurationEntry.Kind
        let fallback: String
        let isValid: (String) -> Bool
    }

    /// What is set for the topic itself.
    private(set) var overrides: [String: String] = [:]

    // MARK: - Effective values

    private(set) var maximumMessageBytes = 1_048_588
    private(set) var segmentBytes = 1_073_741_824
    /// Nil keeps records for ever.
    private(set) var retentionMilliseconds: Int64? = 604_800_000
    /// Nil keeps any number of bytes.
    private(set) var retentionBytes: Int?
    private(set) var deleteRetentionMilliseconds: Int64 = 86_400_000
    private(set) var minimumDirtyRatio = 0.5
    private(set) var isCompacted = false
    private(set) var deletesOldSegments = true
    private(set) var usesAppendTime = false
    private(set) var timestampAfterMaximumMilliseconds: Int64 = 3_600_000
    private(set) var timestampBeforeMaximumMilliseconds = Int64.max

    init() {}

    /// - Throws: the first setting that is unknown or not valid.
    init(overrides: [String: String]) throws(InvalidSetting) {
        for (name, value) in overrides.sorted(by: { $0.key < $1.key }) {
            guard let definition = Self.definitions.first(where: { $0.name == name }) else {
                throw InvalidSetting(message: "Unknown topic config name: \(name)")
            }
            guard definition.isValid(value) else {
                throw InvalidSetting(message: "Invalid value \(value) for configuration \(name)")
            }
        }
        self.overrides = overrides
        func number(_ name: String) -> Int64? { overrides[name].flatMap { Int64($0) } }
        if let bytes = number("max.message.bytes") { maximumMessageBytes = Int(bytes) }
        if let bytes = number("segment.bytes") { segmentBytes = Int(bytes) }
        if let time = number("retention.ms") { retentionMilliseconds = time < 0 ? nil : time }
        if let bytes = number("retention.bytes") { retentionBytes = bytes < 0 ? nil : Int(bytes) }
        if let time = number("delete.retention.ms") { deleteRetentionMilliseconds = time }
        if let time = number("message.timestamp.after.max.ms") { timestampAfterMaximumMilliseconds = time }
        if let time = number("message.timestamp.before.max.ms") { timestampBeforeMaximumMilliseconds = time }
        if let ratio = overrides["min.cleanable.dirty.ratio"].flatMap({ Double($0) }) { minimumDirtyRatio = ratio }
        usesAppendTime = overrides["message.timestamp.type"] == "LogAppendTime"
        if let policies = overrides["cleanup.policy"].map(Self.list) {
            isCompacted = policies.contains("compact")
            deletesOldSegments = policies.contains("delete")
        }
    }

    struct InvalidSetting: Error {
        let message: String
    }

    /// Every setting with its effective value, sorted by name.
    var entries: [ConfigurationEntry] {
        Self.definitions.map { definition in
            ConfigurationEntry(
                name: definition.name, value: overrides[definition.name] ?? definition.fallback,
                source: overrides[definition.name] == nil ? .fallback : .topic, kind: definition.kind)
        }
    }

    static func isList(_ name: String) -> Bool { definitions.contains { $0.name == name && $0.kind == .list } }

    static func list(_ value: String) -> [String] {
        value.split(separator: ",").map { String($0.filter { $0 != " " }) }
    }

    /// The value a setting has when nothing is set for the topic.
    static func fallback(_ name: String) -> String? { definitions.first { $0.name == name }?.fallback }

    // MARK: - What may be set

    private static func long(_ name: String, _ fallback: Int64, atLeast minimum: Int64) -> Definition {
        Definition(name: name, kind: .long, fallback: String(fallback)) { value in
            Int64(value).map { $0 >= minimum } ?? false
        }
    }

    private static func int(_ name: String, _ fallback: Int32, atLeast minimum: Int32) -> Definition {
        Definition(name: name, kind: .int, fallback: String(fallback)) { value in
            Int32(value).map { $0 >= minimum } ?? false
        }
    }

    private static func choice(_ name: String, _ fallback: String, _ choices: [String]) -> Definition {
        Definition(name: name, kind: .string, fallback: fallback) { choices.contains($0) }
    }

    private static func flag(_ name: String) -> Definition {
        Definition(name: name, kind: .boolean, fallback: "false") { $0 == "true" || $0 == "false" }
    }

    nonisolated(unsafe) private static let definitions: [Definition] = [
        Definition(name: "cleanup.policy", kind: .list, fallback: "delete") { value in
            let policies = list(value)
            return !policies.isEmpty && policies.allSatisfy { $0 == "compact" || $0 == "delete" }
        },
        choice("compression.type", "producer", ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
        long("delete.retention.ms", 86_400_000, atLeast: 0),
        long("file.delete.delay.ms", 60_000, atLeast: 0),
        long("flush.messages", .max, atLeast: 1),
        long("flush.ms", .max, atLeast: 0),
        int("index.interval.bytes", 4_096, atLeast: 0),
        long("max.compaction.lag.ms", .max, atLeast: 1),
        int("max.message.bytes", 1_048_588, atLeast: 0),
        long("message.timestamp.after.max.ms", 3_600_000, atLeast: 0),
        long("message.timestamp.before.max.ms", .max, atLeast: 0),
        choice("message.timestamp.type", "CreateTime", ["CreateTime", "LogAppendTime"]),
        Definition(name: "min.cleanable.dirty.ratio", kind: .double, fallback: "0.5") { value in
            Double(value).map { (0...1).contains($0) } ?? false
        },
        long("min.compaction.lag.ms", 0, atLeast: 0),
        int("min.insync.replicas", 1, atLeast: 1),
        flag("preallocate"),
        long("retention.bytes", -1, atLeast: -1),
        long("retention.ms", 604_800_000, atLeast: -1),
        int("segment.bytes", 1_073_741_824, atLeast: 14),
        int("segment.index.bytes", 10_485_760, atLeast: 4),
        long("segment.jitter.ms", 0, atLeast: 0),
        long("segment.ms", 604_800_000, atLeast: 1),
        flag("unclean.leader.election.enable"),
    ]
}
