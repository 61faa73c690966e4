import Expressions
import JSON
package import StreamKit
import StreamKitRules
package import StreamKitService

/// Aggregates records by group over windows of event time.
@main package struct Aggregator: StreamService {
    package static let name = "aggregator"
    package static let about = "Aggregates records by group over tumbling windows of event time."

    private let input: ServiceInput
    private let output: SinkDefinition
    private let late: SinkDefinition?
    private let declarations: RuleDeclarations
    private let groupName: String
    private let group: Expression?
    private let eventTime: Expression?
    private let aggregates: AggregateSettings
    private let aggregation: WindowedAggregation?
    private let emission: WindowEmission
    private let shufflePartitions: Int32?

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        output = settings.sink("output")
        late = settings.optionalSink("late")
        declarations = RuleDeclarations(settings)
        let groups = settings.entries("group_by", .text)
        groupName = groups.first?.key ?? ""
        if groups.count != 1 {
            settings.problem("group_by", "must name one group: {region: region}, a name and its expression")
        }
        group = groups.isEmpty ? nil : declarations.compile(settings, "group_by.\(groupName)", expecting: nil)
        eventTime = declarations.compile(settings, "event_time", expecting: nil)
        aggregates = AggregateSettings(settings, declarations)
        emission = settings.value("emit", .word(WindowEmission.self), default: .final)
        shufflePartitions = settings.optional("shuffle_partitions", .integer(in: 1...10_000)).map(Int32.init)
        aggregation = Self.aggregation(settings, aggregates.functions, forwardsLate: late != nil)
    }

    private static func aggregation(
        _ settings: SettingsReader, _ functions: [AggregateFunction], forwardsLate: Bool
    ) -> WindowedAggregation? {
        let days = Duration.seconds(366 * 86_400)
        let size = settings.required("window.tumbling", .duration(in: .milliseconds(1)...days))
        let lateness = settings.value("window.lateness", .duration(in: .zero...days), default: .zero)
        guard let windows = TumblingWindows(size: size, grace: lateness) else { return nil }
        var aggregation = WindowedAggregation(windows: windows, functions: functions)
        aggregation.forwardsLate = forwardsLate
        aggregation.idle = settings.value(
            "idle_after", .duration(in: .milliseconds(100)...(.seconds(86_400))), default: .seconds(60))
        aggregation.advancesWhenAllIdle = settings.value("advance_when_all_idle", .boolean, default: false)
        return aggregation
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { declarations.watch }

    package func declare(_ flow: Flow) {
        guard let aggregation, let group, let eventTime else { return }
        let declarations = declarations
        let aggregates = aggregates
        let writer = ResultWriter(groupName: groupName, aggregates: aggregates, emission: emission)
        let (results, lateRecords) = flow.source("records", topics: input.topics)
            .aggregate(
                "windows", aggregation, emit: emission, partitions: shufflePartitions,
                reader: {
                    RecordEventReader(
                        declarations, $0, key: group, eventTime: eventTime, operands: aggregates.operands)
                }, write: writer.write)
        results.to("results", output)
        if let late { lateRecords.to("late", late) }
    }
}

/// `{"region":"us", ...aggregates..., "window_start":"...","window_end":"...","processing_timestamp_ms":...}`
struct ResultWriter: Sendable {
    let groupName: String
    let aggregates: AggregateSettings
    let emission: WindowEmission

    @Sendable func write(_ result: WindowResult, _ output: OutputBuffer) {
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key(groupName)
        writer.string(utf8: result.key)
        aggregates.write(result.values, to: writer)
        writer.key("window_start")
        writer.instant(Instant(millisecondsSinceEpoch: result.windowStartMilliseconds))
        writer.key("window_end")
        writer.instant(Instant(millisecondsSinceEpoch: result.windowEndMilliseconds))
        writer.key("processing_timestamp_ms")
        writer.integer(result.nowMilliseconds)
        if emission == .updates && result.isFinal {
            writer.key("final")
            writer.bool(true)
        }
        writer.endObject()
    }
}
