internal import StreamKit

/// Makes what a service reaches the outside with, from its settings.
struct ServiceClients {
    private let runtime: RuntimeSettings
    private let processing: ProcessingSettings
    private let state: StateDirectory
    private let logger: Logger
    /// `INSTANCE_ID`, or the name kept in the state directory.
    let instance: String

    init(_ runtime: RuntimeSettings, _ processing: ProcessingSettings, _ state: StateDirectory, _ logger: Logger) {
        self.runtime = runtime
        self.processing = processing
        self.state = state
        self.logger = logger
        instance = runtime.instanceID ?? state.instanceName
    }

    func makeCluster() throws -> any Cluster {
        throw BrokerFailure(.stop, operation: "", reason: "")
    }

    func makeBackends() throws -> any StoreBackendFactory {
        throw BrokerFailure(.stop, operation: "", reason: "")
    }
}
