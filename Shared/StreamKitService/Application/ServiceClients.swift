internal import StreamKit
internal import StreamKitKafka

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

    /// Said once at every start: what an older library lacks costs speed and memory.
    func warnOfOldLibrary() {
        if KafkaClusterSettings.isLibraryRecent { return }
        logger.warn(
            "librdkafka is older than 2.3.0; a newer one fetches better and has fewer errors",
            ["librdkafka": .text(KafkaClusterSettings.libraryVersion)])
    }

    func makeCluster() throws -> KafkaCluster {
        var settings = KafkaClusterSettings(
            application: runtime.application, instance: instance, isStaticMember: runtime.instanceID != nil,
            bootstrapServers: runtime.kafka.bootstrapServers, log: RuntimeLogger(logger: logger))
        settings.properties = runtime.kafka.properties.map { ($0.name, $0.value) }
        settings.sessionTimeout = processing.sessionTimeout
        settings.transactionTimeout = processing.transactionTimeout
        if settings.mayFailInScram {
            logger.warn(
                "librdkafka before 2.6.1 cannot authenticate by SCRAM with Kafka 4, which then says that credentials are wrong",
                ["librdkafka": .text(KafkaClusterSettings.libraryVersion)])
        }
        return try KafkaCluster(settings)
    }

    func makeBackends() throws -> any StoreBackendFactory {
        switch processing.store {
        case .memory: return MemoryStoreFactory()
        case .rocksdb:
            return try RocksDBStoreFactory(
                folder: "\(state.path)/rocksdb", log: RuntimeLogger(logger: logger))
        }
    }
}
