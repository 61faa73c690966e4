public import StreamKit

/// A service as its file configures it, without running it: for tests of the very file that is deployed.
///
///     let service = try ConfiguredService(LargeOrders.self, file: "large-orders.yaml")
///     let driver = try TopologyTestDriver(service.plan)
public struct ConfiguredService<Service: StreamService>: Sendable {
    public let service: Service
    /// What each of its stream threads does.
    public let plan: ThreadPlan

    /// - Parameters:
    ///   - overrides: as `--set` takes them: `emit=updates`.
    ///   - environment: what `${NAME}` in the file stands for; nothing of the process's own environment is read.
    /// - Throws: everything that is wrong with the configuration.
    public init(
        _ type: Service.Type, file: String, overrides: [String] = [], environment: [String: String] = [:]
    ) throws(ConfigurationError) {
        let configuration = try ServiceConfiguration<Service>.load(
            file: file, overrides: overrides, environment: Environment(environment)
        ).settings
        service = configuration.service
        plan = configuration.plan
    }
}
