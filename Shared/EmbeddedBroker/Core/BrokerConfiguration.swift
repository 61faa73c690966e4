/// Everything that can be set of a broker. Names in parentheses are Kafka's own.
public struct BrokerConfiguration: Sendable {
    public struct Topic: Sendable {
        public var name: String
        public var partitions: Int

        public init(name: String, partitions: Int) {
            self.name = name
            self.partitions = partitions
        }
    }

    /// 0 takes a free port.
    public var port: UInt16 = 0
    public var listenAddress = "127.0.0.1"
    /// The broker has no authentication: an address that is not this machine's own needs this.
    public var allowsRemoteClients = false
    /// Where clients are told to connect; nil is the address listened on.
    public var advertisedHost: String?
    /// Nil keeps everything in memory.
    public var dataDirectory: String?
    /// With a data directory: an answer waits until the disk has what it acknowledges. Without, it survives the death of
    /// the process, not of the machine.
    public var synchronizesWrites = false
    /// Topics to have from the start.
    public var topics: [Topic] = []
    /// Partitions of topics that come into being when a client first names them; nil creates none.
    public var automaticTopicPartitions: Int?
    /// Partitions of topics created without a number (num.partitions).
    public var defaultPartitions = 1
    /// (group.initial.rebalance.delay.ms)
    public var initialRebalanceDelayMilliseconds: Int64 = 20
    /// (group.min.session.timeout.ms)
    public var minimumSessionTimeoutMilliseconds: Int32 = 6_000
    /// (group.max.session.timeout.ms)
    public var maximumSessionTimeoutMilliseconds: Int32 = 1_800_000
    /// (transaction.max.timeout.ms)
    public var maximumTransactionTimeoutMilliseconds: Int32 = 900_000
    /// (producer.id.expiration.ms)
    public var producerExpirationMilliseconds: Int64 = 86_400_000
    /// (log.retention.check.interval.ms)
    public var retentionIntervalMilliseconds: Int64 = 300_000
    /// (socket.request.max.bytes)
    public var maximumRequestBytes = 104_857_600

    public init() {}
}
