public import StreamKit

/// A service as its file configures it, without running it: for tests of the very file that is deployed.
///
///     let service = try ConfiguredService(LargeOrders.self, file: "large-orders.yaml")
///     let driver = try TopologyTestDriver(service.plan)
public struct ConfiguredService<Service: StreamService>: Sendable {
    public let service: Service
    /// What each of its stream threads does.
    public let plan: ThreadPlan
    /// Every key that the service knows, so that a test can compare them with its documentation.
    public let keys: Set<String>
    /// What a start warns of: `order.schema.json:7:20: schema: ...`.
    public let warnings: [SettingsProblem]

    /// - Parameters:
    ///   - overrides: as `--set` takes them: `emit=updates`.
    ///   - environment: what `${NAME}` in the file stands for; nothing of the process's own environment is read.
    /// - Throws: everything that is wrong with the configuration.
    public init(
        _ type: Service.Type, file: String, overrides: [String] = [], environment: [String: String] = [:]
    ) throws(ConfigurationError) {
        let reading = try ServiceConfiguration<Service>.load(
            file: file, overrides: overrides, environment: Environment(environment))
        service = reading.settings.service
        plan = reading.settings.plan
        keys = reading.keys
        warnings = reading.warnings
    }
}
