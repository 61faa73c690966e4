/// The requests this broker answers, and in which versions.
enum APIKey: Int16, CaseIterable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case leaveGroup = 13
    case syncGroup = 14
    case describeGroups = 15
    case listGroups = 16
    case apiVersions = 18
    case createTopics = 19
    case deleteTopics = 20
    case deleteRecords = 21
    case initProducerID = 22
    case addPartitionsToTransaction = 24
    case addOffsetsToTransaction = 25
    case endTransaction = 26
    case writeTransactionMarkers = 27
    case transactionOffsetCommit = 28
    case describeConfigs = 32
    case alterConfigs = 33
    case createPartitions = 37
    case deleteGroups = 42
    case incrementalAlterConfigs = 44
    case offsetDelete = 47
    case describeCluster = 60
    case describeProducers = 61
    case describeTransactions = 65
    case listTransactions = 66

    private struct Versions {
        let served: ClosedRange<Int16>
        /// The first version with compact lengths and tagged fields.
        let firstFlexible: Int16
    }

    /// Upper ends are what every known client is content with; Fetch, which carries the most, goes to the newest in use.
    /// Above Produce 11, EndTxn 3 and TxnOffsetCommit 3 begins the transaction protocol that needs `transaction.version` 2.
    private var versions: Versions {
        switch self {
        case .produce: Versions(served: 3...9, firstFlexible: 9)
        case .fetch: Versions(served: 4...18, firstFlexible: 12)
        case .listOffsets: Versions(served: 1...7, firstFlexible: 6)
        case .metadata: Versions(served: 0...12, firstFlexible: 9)
        case .offsetCommit: Versions(served: 2...8, firstFlexible: 8)
        case .offsetFetch: Versions(served: 1...8, firstFlexible: 6)
        case .findCoordinator: Versions(served: 0...4, firstFlexible: 3)
        case .joinGroup: Versions(served: 0...7, firstFlexible: 6)
        case .heartbeat: Versions(served: 0...4, firstFlexible: 4)
        case .leaveGroup: Versions(served: 0...4, firstFlexible: 4)
        case .syncGroup: Versions(served: 0...5, firstFlexible: 4)
        case .describeGroups: Versions(served: 0...5, firstFlexible: 5)
        case .listGroups: Versions(served: 0...4, firstFlexible: 3)
        case .apiVersions: Versions(served: 0...3, firstFlexible: 3)
        case .createTopics: Versions(served: 2...7, firstFlexible: 5)
        case .deleteTopics: Versions(served: 1...6, firstFlexible: 4)
        case .deleteRecords: Versions(served: 0...2, firstFlexible: 2)
        case .initProducerID: Versions(served: 0...4, firstFlexible: 2)
        case .addPartitionsToTransaction: Versions(served: 0...3, firstFlexible: 3)
        case .addOffsetsToTransaction: Versions(served: 0...3, firstFlexible: 3)
        case .endTransaction: Versions(served: 0...3, firstFlexible: 3)
        case .writeTransactionMarkers: Versions(served: 1...1, firstFlexible: 1)
        case .transactionOffsetCommit: Versions(served: 0...3, firstFlexible: 3)
        case .describeConfigs: Versions(served: 1...4, firstFlexible: 4)
        case .alterConfigs: Versions(served: 0...2, firstFlexible: 2)
        case .createPartitions: Versions(served: 0...3, firstFlexible: 2)
        case .deleteGroups: Versions(served: 0...2, firstFlexible: 2)
        case .incrementalAlterConfigs: Versions(served: 0...1, firstFlexible: 1)
        case .offsetDelete: Versions(served: 0...0, firstFlexible: .max)
        case .describeCluster: Versions(served: 0...1, firstFlexible: 0)
        case .describeProducers: Versions(served: 0...0, firstFlexible: 0)
        case .describeTransactions: Versions(served: 0...0, firstFlexible: 0)
        case .listTransactions: Versions(served: 0...1, firstFlexible: 0)
        }
    }

    /// The versions this broker can read and answer.
    var served: ClosedRange<Int16> { versions.served }

    /// The versions ApiVersions lists. Produce is listed from 0 although 0 to 2 are refused (KAFKA-18659): librdkafka takes
    /// a broker that lists it from 3 for one that knows no compression, and sends batches uncompressed.
    var advertised: ClosedRange<Int16> { self == .produce ? 0...versions.served.upperBound : versions.served }

    func isFlexible(_ version: Int16) -> Bool { version >= versions.firstFlexible }
}
