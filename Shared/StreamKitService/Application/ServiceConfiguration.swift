internal import StreamKit
internal import YAML

/// Everything that a service's file and environment say.
struct ServiceConfiguration<Service: StreamService>: Sendable {
    let runtime: RuntimeSettings
    let processing: ProcessingSettings
    let deadLetters: DeadLetterSettings
    let service: Service
    let topology: Topology

    init(_ reader: SettingsReader) {
        runtime = RuntimeSettings(reader)
        processing = ProcessingSettings(reader)
        let letters = reader.section("dead_letters")
        deadLetters = DeadLetterSettings(
            sink: SinkDefinition(
                letters.required("topic", .topicName),
                partitions: letters.optional("partitions", .integer(in: 1...100_000)).map(Int32.init)),
            stage: Service.name,
            copiedFields: letters.entries("fields", .text).map { ($0.key, $0.value) },
            recordBytesMax: letters.value("record_bytes_max", .byteSize(in: 1024...100_000_000), default: 1_000_000))
        service = Service(reader)
        let service = service
        topology = Topology(runtime.application) { service.declare($0) }
    }

    /// Reads a service's file; the topology's faults are told like any other of the configuration.
    static func load(
        file: String, overrides: [String], environment: Environment
    ) throws(ConfigurationError) -> SettingsDocument.Reading<ServiceConfiguration<Service>> {
        let document = try SettingsDocument(file: file, overrides: overrides, environment: environment)
        let reading = try document.read { ServiceConfiguration($0) }
        let faults = reading.settings.topology.faults
        if faults.isEmpty { return reading }
        throw ConfigurationError(
            faults.map { SettingsProblem(mark: YAMLMark(source: file), keyPath: "", message: $0) })
    }

    var plan: ThreadPlan {
        var plan = ThreadPlan(topology: topology, deadLetters: deadLetters)
        plan.commitIntervalMilliseconds = processing.commitInterval.wholeMilliseconds
        plan.commitWhenDrainedMilliseconds = processing.commitWhenDrained.wholeMilliseconds
        plan.commitRecords = processing.commitRecordsMax ?? .max
        plan.correlation = CorrelationMode(rawValue: processing.correlation.rawValue) ?? .keep
        plan.onLostOffsets = ThreadPlan.LostOffsets(rawValue: processing.onLostOffsets.rawValue) ?? .stop
        return plan
    }
}
