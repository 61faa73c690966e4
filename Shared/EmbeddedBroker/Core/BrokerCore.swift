/// The broker without clock, socket or thread: requests and times go in, actions come out.
///
/// One request of a connection is handed in at a time; the next follows when its answer, or `done`, has come out. Given the
/// same seed, requests and times in the same order, it does the same.
public final class BrokerCore {
    enum TimerEvent {
        case fetch(UInt64)
        case group(String)
        case transaction(String)
        case maintenance
    }

    private static let maintenanceIntervalMilliseconds: Int64 = 5_000

    struct Connection {
        let clientHost: String
        /// The fetch that waits for records, if one does: a connection has one request here at a time.
        var waitingFetch: UInt64?
    }

    let configuration: BrokerConfiguration
    let storage: any BrokerStorage
    let address: BrokerAddress
    let clusterID: String
    var state: BrokerState
    var now: Moment
    var random: RandomSource
    var timers = TimerQueue<TimerEvent>()
    var groups: [String: Group] = [:]
    /// The deadline for which a group has last set a timer.
    var groupTimers: [String: Int64] = [:]
    var fetches: [UInt64: WaitingFetch] = [:]
    var nextFetchNumber: UInt64 = 0
    /// Waiting fetches whose partitions changed during the present request.
    var awakenedFetches: [UInt64] = []
    /// On the steady clock.
    var nextRetentionMilliseconds: Int64
    var nextProducerID: Int64
    var nextCommitNumber: Int64
    var connections: [ConnectionID: Connection] = [:]
    private var actions: [BrokerAction] = []

    /// A broker with what its configuration's data directory holds, or with nothing if it names none.
    /// - Parameters:
    ///   - host: where clients are told to connect, with `port`.
    ///   - seed: of the ids it makes up.
    public convenience init(
        configuration: BrokerConfiguration, host: String, port: UInt16, seed: UInt64, now: Moment
    ) throws(StorageError) {
        var storage: any BrokerStorage = MemoryStorage()
        var state = BrokerState()
        if let path = configuration.dataDirectory {
            (storage, state) = try DataDirectory.open(
                path, synchronizesWrites: configuration.synchronizesWrites, time: now.wallMilliseconds)
        }
        try self.init(
            configuration: configuration, storage: storage, state: state, host: host, port: port, seed: seed, now: now)
    }

    private init(
        configuration: BrokerConfiguration, storage: any BrokerStorage, state: BrokerState, host: String, port: UInt16,
        seed: UInt64, now: Moment
    ) throws(StorageError) {
        self.configuration = configuration
        self.storage = storage
        self.state = state
        self.now = now
        random = RandomSource(seed: seed)
        address = BrokerAddress(host: host, port: Int32(port))
        clusterID = "embedded-broker"
        nextRetentionMilliseconds = now.steadyMilliseconds + configuration.retentionIntervalMilliseconds
        nextProducerID = state.reservedProducerIDs
        nextCommitNumber = state.lastCommitNumber + 1
        for topic in configuration.topics where state.topics[topic.name] == nil {
            try create(topic.name, partitionCount: Int32(topic.partitions))
        }
        restoreGroups()
        try resumeTransactions()
        timers.schedule(.maintenance, at: now.steadyMilliseconds + Self.maintenanceIntervalMilliseconds)
    }

    // MARK: - Connections and time

    public func open(_ connection: ConnectionID, clientHost: String) {
        connections[connection] = Connection(clientHost: clientHost)
    }

    /// The connection is gone: what it waited for need not be answered.
    public func close(_ connection: ConnectionID) {
        if let fetch = connections[connection]?.waitingFetch { forgetFetch(fetch) }
        connections[connection] = nil
    }

    /// When `advance` must be called at the latest, on the steady clock.
    public var nextDeadlineMilliseconds: Int64? { timers.nextDeadline }

    /// The time is now `moment`: whatever is due happens.
    public func advance(to moment: Moment) {
        now = moment
        while let event = timers.popDue(now: moment.steadyMilliseconds) {
            switch event {
            case .fetch(let number): expireFetch(number)
            case .group(let id): tickGroup(id)
            case .transaction(let id): expireTransaction(id)
            case .maintenance:
                maintain()
                timers.schedule(
                    .maintenance, at: moment.steadyMilliseconds + Self.maintenanceIntervalMilliseconds)
            }
        }
        answerAwakenedFetches()
    }

    /// What is to be done since the last call. What it acknowledges is safe.
    public func takeActions() throws(StorageError) -> [BrokerAction] {
        guard !actions.isEmpty else { return [] }
        try storage.synchronize()
        defer { actions = [] }
        return actions
    }

    // MARK: - Requests and answers

    struct RequestContext {
        let reply: ReplyHandle
        let clientID: String?
        let clientHost: String

        var version: Int16 { reply.version }
    }

    /// Handles one request, without the length in front; `request` is only read during the call.
    public func receive(_ request: UnsafeRawBufferPointer, from connection: ConnectionID) {
        var reader = WireReader(request, flexible: false)
        let header: RequestHeader
        do throws(RequestHeader.Refusal) {
            header = try RequestHeader(from: &reader)
        } catch {
            return refuse(error, connection)
        }
        let context = RequestContext(
            reply: ReplyHandle(
                connection: connection, key: header.key, version: header.version, correlationID: header.correlationID),
            clientID: header.clientID, clientHost: connections[connection]?.clientHost ?? "")
        do throws(WireError) {
            try dispatch(&reader, context)
        } catch {
            actions.append(.close(connection, reason: "unreadable \(header.key) v\(header.version) request: \(error)"))
        }
        answerAwakenedFetches()
    }

    private func refuse(_ refusal: RequestHeader.Refusal, _ connection: ConnectionID) {
        switch refusal {
        case .close(let reason):
            actions.append(.close(connection, reason: reason))
        case .unsupportedAPIVersions(let correlationID):
            answer(
                ReplyHandle(connection: connection, key: .apiVersions, version: 0, correlationID: correlationID),
                ApiVersionsResponse(error: .unsupportedVersion))
        }
    }

    func answer(_ reply: ReplyHandle, _ response: some ResponseMessage) {
        let isFlexible = reply.key.isFlexible(reply.version)
        var writer = WireWriter(flexible: isFlexible)
        writer.int32(0)
        writer.int32(reply.correlationID)
        // ApiVersions keeps the old header in every version, because it is asked before versions are agreed on.
        if reply.key != .apiVersions { writer.noTaggedFields() }
        response.write(to: &writer, version: reply.version)
        writer.noTaggedFields()
        if let response = Response(finishing: writer) {
            actions.append(.send(reply.connection, response))
        } else {
            actions.append(.close(reply.connection, reason: "the answer to \(reply.key) would exceed 2 GiB"))
        }
    }

    func finishWithoutAnswer(_ reply: ReplyHandle) { actions.append(.done(reply.connection)) }

    // MARK: - State

    /// Stores a change, then lets it take effect.
    func commit(_ entry: StateEntry) throws(StorageError) {
        try storage.record(entry)
        state.apply(entry) { [storage] in storage.makeLog(topicID: $0, partition: $1) }
    }

    func newMemberID(_ clientID: String?) -> String {
        let uuid = random.uuid().hexadecimal
        return clientID.map { "\($0)-\(uuid)" } ?? uuid
    }
}
